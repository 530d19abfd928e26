from datetime import datetime

from sqlalchemy import select

from streaming.database import db
from streaming.members.models import Member
from streaming.notifications.models import Notification


def seed_notifications() -> None:
    for member in db.session.scalars(select(Member).order_by(Member.id)).all():
        notification = Notification(member=member, text="The spring programme is out.")
        notification.created_at = datetime(2024, 3, 1, 9)
        db.session.add(notification)
        db.session.flush()
    db.session.commit()
