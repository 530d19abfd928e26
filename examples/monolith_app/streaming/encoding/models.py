from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.database import SaveMixin, db
from streaming.helpers import utcnow
from streaming.media.models import Asset
from streaming.members.models import Member


class EncodingJob(SaveMixin, db.Model):
    __tablename__ = "encoding_jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id"), index=True)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    codec: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), default="queued", index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    queued_at: Mapped[datetime] = mapped_column(default=utcnow)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    asset: Mapped[Asset] = relationship()
    requested_by: Mapped[Member] = relationship()

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "asset_id": self.asset_id,
            "title": self.asset.title.slug,
            "codec": self.codec,
            "status": self.status,
            "attempts": self.attempts,
            "error": self.error,
        }
