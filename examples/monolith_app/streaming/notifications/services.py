from sqlalchemy import func, select, update

from streaming.database import db
from streaming.helpers import utcnow
from streaming.members.models import Member
from streaming.notifications.models import Mail, Notification


def notify(member: Member, text: str) -> Notification:
    return Notification(member=member, text=text).save()


def send_mail(recipient: str, subject: str, body: str) -> Mail:
    return Mail(recipient=recipient, subject=subject, body=body).save()


def unread_count(member: Member) -> int:
    query = select(func.count(Notification.id)).filter_by(member_id=member.id, read_at=None)
    return db.session.scalar(query)


def notifications_of(member: Member):
    return select(Notification).filter_by(member_id=member.id).order_by(Notification.id.desc())


def mails_of(member: Member):
    return select(Mail).filter_by(recipient=member.email).order_by(Mail.id)


def mark_read(notification: Notification) -> Notification:
    if notification.read_at is None:
        notification.read_at = utcnow()
    return notification.save()


def mark_all_read(member: Member) -> int:
    marked = db.session.execute(
        update(Notification)
        .where(Notification.member_id == member.id, Notification.read_at.is_(None))
        .values(read_at=utcnow())
    )
    db.session.commit()
    return marked.rowcount
