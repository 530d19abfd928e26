from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.helpers import utcnow
from streaming.members.models import Member


class Asset(db.Model):
    """A film as the studio delivered it; the bytes lie in the media folder."""

    __tablename__ = "assets"

    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("titles.id"), index=True)
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20), default="uploaded")
    uploaded_at: Mapped[datetime] = mapped_column(default=utcnow)

    title: Mapped[Title] = relationship()
    uploaded_by: Mapped[Member] = relationship()
    renditions: Mapped[list[Rendition]] = relationship(
        back_populates="asset", cascade="all, delete-orphan", order_by="Rendition.id"
    )

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "title": self.title.slug,
            "uploaded_by": self.uploaded_by.name,
            "filename": self.filename,
            "content_type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
            "status": self.status,
            "renditions": [rendition.as_dict() for rendition in self.renditions],
        }


class Rendition(db.Model):
    """An asset in the form in which it is streamed."""

    __tablename__ = "renditions"
    __table_args__ = (UniqueConstraint("asset_id", "codec"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id"))
    codec: Mapped[str] = mapped_column(String(20))
    path: Mapped[str] = mapped_column(String(200))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))

    asset: Mapped[Asset] = relationship(back_populates="renditions")

    def as_dict(self) -> dict:
        return {"id": self.id, "codec": self.codec, "size": self.size, "sha256": self.sha256}
