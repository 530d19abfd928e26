from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from streaming.database import SaveMixin, db
from streaming.helpers import iso, utcnow
from streaming.members.models import Member

title_genres = Table(
    "title_genres",
    db.metadata,
    Column("title_id", ForeignKey("titles.id"), nullable=False, index=True),
    Column("genre_id", ForeignKey("genres.id"), nullable=False, index=True),
)


class Genre(db.Model):
    __tablename__ = "genres"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))

    titles: Mapped[list[Title]] = relationship(
        secondary=title_genres, back_populates="genres", order_by="Title.name"
    )

    def as_dict(self) -> dict:
        return {"slug": self.slug, "name": self.name}


class Title(SaveMixin, db.Model):
    """A film."""

    __tablename__ = "titles"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    synopsis: Mapped[str] = mapped_column(default="")
    year: Mapped[int]
    runtime_s: Mapped[int]
    min_age: Mapped[int] = mapped_column(default=0)
    released_at: Mapped[datetime | None]

    genres: Mapped[list[Genre]] = relationship(
        secondary=title_genres, back_populates="titles", order_by="Genre.name"
    )
    follows: Mapped[list[TitleFollow]] = relationship(
        back_populates="title", cascade="all, delete-orphan", order_by="TitleFollow.id"
    )

    @property
    def main_genre(self) -> Genre | None:
        return self.genres[0] if self.genres else None

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "slug": self.slug,
            "name": self.name,
            "synopsis": self.synopsis,
            "year": self.year,
            "runtime_s": self.runtime_s,
            "min_age": self.min_age,
            "released": self.released_at is not None,
            "genres": [genre.slug for genre in self.genres],
        }


class TitleFollow(SaveMixin, db.Model):
    """A member who wants to hear of the release."""

    __tablename__ = "title_follows"
    __table_args__ = (UniqueConstraint("title_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("titles.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    title: Mapped[Title] = relationship(back_populates="follows")
    member: Mapped[Member] = relationship()

    def as_dict(self) -> dict:
        return {"title": self.title.slug, "since": iso(self.created_at)}
