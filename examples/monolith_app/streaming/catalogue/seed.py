from datetime import datetime

from sqlalchemy import select

from streaming.catalogue.models import Genre, Title, TitleFollow
from streaming.database import db
from streaming.helpers import slugify
from streaming.members.models import Member

GENRES = ("Comedy", "Crime", "Documentary", "Drama", "Family", "Science Fiction")
TITLES = (
    ("The Long Night Train", 2019, 6840, 12, ("Crime", "Drama")),
    ("Two Left Feet", 2021, 5520, 0, ("Comedy", "Family")),
    ("Harbour Lights", 2018, 7020, 12, ("Drama",)),
    ("Beneath the Ice", 2022, 3300, 6, ("Documentary",)),
    ("Signal from Ceres", 2023, 8100, 12, ("Science Fiction", "Drama")),
    ("The Paper Dragon", 2020, 4980, 0, ("Family",)),
    ("Dead Letters", 2017, 6120, 16, ("Crime",)),
    ("Bees", 2016, 2940, 0, ("Documentary", "Family")),
    ("Overtime", 2022, 5760, 6, ("Comedy",)),
    ("Last Orbit", 2021, 7440, 12, ("Science Fiction",)),
    ("The Cellist", 2015, 6600, 6, ("Drama",)),
    ("Small Claims", 2023, 5400, 6, ("Comedy", "Crime")),
)
UPCOMING = (
    ("Winter Harvest", 2025, 6300, 6, ("Drama",)),
    ("Robots at Dawn", 2025, 7200, 12, ("Science Fiction",)),
    ("The Quiet Coast", 2025, 5880, 0, ("Documentary",)),
)
FOLLOWERS = ("alice@stream.example", "bob@stream.example", "carol@stream.example")


def seed_catalogue() -> None:
    genres = {name: Genre(name=name, slug=slugify(name)) for name in GENRES}
    db.session.add_all(genres.values())
    db.session.flush()
    for released, titles in ((datetime(2024, 2, 1, 8), TITLES), (None, UPCOMING)):
        for name, year, runtime_s, min_age, in_genres in titles:
            title = Title(slug=slugify(name), name=name, year=year, runtime_s=runtime_s)
            title.synopsis = f"{in_genres[0]} from {year}."
            title.min_age = min_age
            title.released_at = released
            title.genres = [genres[genre] for genre in in_genres]
            db.session.add(title)
            db.session.flush()
    waited_for = db.session.scalars(select(Title).where(Title.slug == "winter-harvest")).one()
    for email in FOLLOWERS:
        member = db.session.scalars(select(Member).filter_by(email=email)).one()
        db.session.add(TitleFollow(title=waited_for, member=member))
        db.session.flush()
    db.session.commit()
