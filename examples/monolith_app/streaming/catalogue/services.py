from sqlalchemy import func, or_, select

from streaming.catalogue.models import Genre, Title, TitleFollow
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import slugify, utcnow
from streaming.media.models import Asset
from streaming.members.models import Member
from streaming.notifications import services as notifications

# What the front page shows: shelf name to titles. Building it asks once for each genre.
_shelves: dict[str, list[dict]] = {}


class AlreadyReleased(DomainError):
    pass


def shelves() -> dict[str, list[dict]]:
    if not _shelves:
        for genre in db.session.scalars(select(Genre).order_by(Genre.name)):
            released = [title.as_dict() for title in genre.titles if title.released_at]
            if released:
                _shelves[genre.name] = released
    return _shelves


def forget_shelves() -> None:
    _shelves.clear()


def by_slug(slug: str) -> Title:
    return db.one_or_404(select(Title).where(Title.slug == slug))


def listing(genre: str = "", text: str = ""):
    query = select(Title).where(Title.released_at.is_not(None)).order_by(Title.name)
    if genre:
        query = query.join(Title.genres).where(Genre.slug == genre)
    if text:
        pattern = f"%{text}%"
        query = query.where(or_(Title.name.ilike(pattern), Title.synopsis.ilike(pattern)))
    return query


def upcoming() -> list[Title]:
    query = select(Title).where(Title.released_at.is_(None)).order_by(Title.name)
    return list(db.session.scalars(query))


def find_genres(slugs: list[str]) -> list[Genre]:
    genres = list(db.session.scalars(select(Genre).where(Genre.slug.in_(slugs))))
    unknown = set(slugs) - {genre.slug for genre in genres}
    if unknown:
        raise DomainError("Unknown genre: " + ", ".join(sorted(unknown)) + ".")
    return genres


def add_title(name: str, year: int, runtime_s: int, genres: list[str], **more) -> Title:
    slug = slugify(name)
    if db.session.scalar(select(Title.id).where(Title.slug == slug)):
        raise DomainError(f"There is a title {slug} already.")
    title = Title(slug=slug, name=name, year=year, runtime_s=runtime_s, **more)
    title.genres = find_genres(genres)
    return title.save()


def change_title(title: Title, changes: dict) -> Title:
    for name in ("name", "synopsis", "year", "runtime_s", "min_age"):
        if name in changes:
            setattr(title, name, changes[name])
    if "genres" in changes:
        title.genres = find_genres(changes["genres"])
    title.save()
    forget_shelves()
    return title


def delete_title(title: Title) -> None:
    if title.released_at is not None:
        raise AlreadyReleased(f"{title.name} is released.")
    if db.session.scalar(select(func.count(Asset.id)).where(Asset.title_id == title.id)):
        raise DomainError(f"{title.name} has media.")
    title.delete()


def release(title: Title) -> list[int]:
    """Release a title and tell everyone who waits for it; returns the notifications' ids."""
    if title.released_at is not None:
        raise AlreadyReleased(f"{title.name} is released already.")
    title.released_at = utcnow()
    db.session.commit()
    forget_shelves()
    told = []
    for follow in title.follows:
        notification = notifications.notify(follow.member, f"{title.name} is here. Enjoy!")
        told.append(notification.id)
    return told


def follow(title: Title, member: Member) -> TitleFollow:
    existing = following(title, member)
    if existing is not None:
        return existing
    if title.released_at is not None:
        raise AlreadyReleased(f"{title.name} is released already.")
    return TitleFollow(title=title, member=member).save()


def following(title: Title, member: Member) -> TitleFollow | None:
    query = select(TitleFollow).filter_by(title_id=title.id, member_id=member.id)
    return db.session.scalar(query)


def unfollow(title: Title, member: Member) -> bool:
    existing = following(title, member)
    if existing is None:
        return False
    existing.delete()
    return True
