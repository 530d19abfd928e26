from datetime import datetime, timedelta

from sqlalchemy import select

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.members.models import Member, Profile
from streaming.playback.models import Viewing

WATCHED = (
    ("alice@stream.example", ("the-long-night-train", "harbour-lights", "the-cellist")),
    ("bob@stream.example", ("signal-from-ceres", "last-orbit")),
    ("carol@stream.example", ("overtime", "harbour-lights")),
)


def seed_playback() -> None:
    started = datetime(2024, 3, 1, 20)
    for email, slugs in WATCHED:
        query = select(Profile).join(Profile.member).where(Member.email == email)
        profile = db.session.scalars(query.order_by(Profile.id)).first()
        for slug in slugs:
            title = db.session.scalars(select(Title).filter_by(slug=slug)).one()
            viewing = Viewing(profile=profile, title=title, device="TV", finished=True)
            viewing.position_s = title.runtime_s
            viewing.started_at = started
            viewing.stopped_at = started + timedelta(seconds=title.runtime_s)
            db.session.add(viewing)
            db.session.flush()
            started += timedelta(days=1)
    db.session.commit()
