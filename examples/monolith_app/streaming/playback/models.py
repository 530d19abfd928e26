from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.catalogue.models import Title
from streaming.database import SaveMixin, db
from streaming.helpers import utcnow
from streaming.members.models import Profile


class Viewing(SaveMixin, db.Model):
    """One profile watching one title."""

    __tablename__ = "viewings"

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), index=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("titles.id"), index=True)
    device: Mapped[str] = mapped_column(String(60))
    position_s: Mapped[int] = mapped_column(default=0)
    finished: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    stopped_at: Mapped[datetime | None]

    profile: Mapped[Profile] = relationship()
    title: Mapped[Title] = relationship()

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "profile": self.profile.name,
            "title": self.title.slug,
            "name": self.title.name,
            "device": self.device,
            "position_s": self.position_s,
            "runtime_s": self.title.runtime_s,
            "finished": self.finished,
            "active": self.stopped_at is None,
        }


class WatchlistItem(SaveMixin, db.Model):
    __tablename__ = "watchlist_items"
    __table_args__ = (UniqueConstraint("profile_id", "title_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    title_id: Mapped[int] = mapped_column(ForeignKey("titles.id"))
    added_at: Mapped[datetime] = mapped_column(default=utcnow)

    profile: Mapped[Profile] = relationship()
    title: Mapped[Title] = relationship()

    def as_dict(self) -> dict:
        return {"title": self.title.slug, "name": self.title.name}
