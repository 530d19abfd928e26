from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.catalogue.models import Genre, Title
from streaming.database import SaveMixin, db
from streaming.helpers import utcnow
from streaming.members.models import Profile


class Interest(SaveMixin, db.Model):
    """How much a profile likes a genre, judged by what it watches."""

    __tablename__ = "interests"
    __table_args__ = (UniqueConstraint("profile_id", "genre_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    genre_id: Mapped[int] = mapped_column(ForeignKey("genres.id"))
    score: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)

    profile: Mapped[Profile] = relationship()
    genre: Mapped[Genre] = relationship()

    def as_dict(self) -> dict:
        return {"genre": self.genre.slug, "score": self.score}


class Rating(SaveMixin, db.Model):
    __tablename__ = "ratings"
    __table_args__ = (UniqueConstraint("profile_id", "title_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    title_id: Mapped[int] = mapped_column(ForeignKey("titles.id"), index=True)
    stars: Mapped[int]
    rated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)

    profile: Mapped[Profile] = relationship()
    title: Mapped[Title] = relationship()
