from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.database import SaveMixin, db
from streaming.helpers import iso, utcnow


class Member(db.Model):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_staff: Mapped[bool] = mapped_column(default=False)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_seen_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    profiles: Mapped[list[Profile]] = relationship(
        back_populates="member", cascade="all, delete-orphan", order_by="Profile.id"
    )
    stream_slots: Mapped[list[StreamSlot]] = relationship(
        back_populates="member", cascade="all, delete-orphan", order_by="StreamSlot.id"
    )

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "is_staff": self.is_staff,
            "closed": self.closed_at is not None,
        }


class Profile(SaveMixin, db.Model):
    """One person of a member's household."""

    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    is_child: Mapped[bool] = mapped_column(default=False)

    member: Mapped[Member] = relationship(back_populates="profiles")
    preferences: Mapped[ProfilePreferences] = relationship(
        back_populates="profile", cascade="all, delete-orphan", uselist=False
    )

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "name": self.name,
            "is_child": self.is_child,
            "preferences": self.preferences.as_dict(),
        }


class ProfilePreferences(db.Model):
    __tablename__ = "profile_preferences"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(5), default="en")
    subtitles: Mapped[bool] = mapped_column(default=False)
    autoplay: Mapped[bool] = mapped_column(default=True)

    profile: Mapped[Profile] = relationship(back_populates="preferences")

    def as_dict(self) -> dict:
        return {
            "language": self.language,
            "subtitles": self.subtitles,
            "autoplay": self.autoplay,
        }


class StreamSlot(SaveMixin, db.Model):
    """A device on which the member is watching now."""

    __tablename__ = "stream_slots"
    __table_args__ = (UniqueConstraint("member_id", "device"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    device: Mapped[str] = mapped_column(String(60))
    claimed_at: Mapped[datetime] = mapped_column(default=utcnow)

    member: Mapped[Member] = relationship(back_populates="stream_slots")

    def as_dict(self) -> dict:
        return {"device": self.device, "since": iso(self.claimed_at)}
