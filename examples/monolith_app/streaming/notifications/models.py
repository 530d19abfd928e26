from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.database import SaveMixin, db
from streaming.helpers import utcnow
from streaming.members.models import Member


class Notification(SaveMixin, db.Model):
    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    text: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    read_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship()

    def as_dict(self) -> dict:
        return {"id": self.id, "text": self.text, "read": self.read_at is not None}


class Mail(SaveMixin, db.Model):
    """What was sent, and to which address; it outlives the account."""

    __tablename__ = "mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(200), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(default=utcnow)

    def as_dict(self) -> dict:
        return {"subject": self.subject, "body": self.body}
