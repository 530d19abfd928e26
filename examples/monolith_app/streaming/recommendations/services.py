from sqlalchemy import func, select

from streaming.catalogue.models import Genre, Title
from streaming.database import db
from streaming.helpers import whole_number
from streaming.members.models import Profile
from streaming.playback.models import Viewing
from streaming.recommendations.models import Interest, Rating


def interests(profile: Profile) -> list[Interest]:
    query = select(Interest).filter_by(profile_id=profile.id)
    return list(db.session.scalars(query.order_by(Interest.score.desc(), Interest.genre_id)))


def bump_interest(profile: Profile, genre: Genre) -> Interest:
    query = select(Interest).filter_by(profile_id=profile.id, genre_id=genre.id)
    interest = db.session.scalar(query) or Interest(profile=profile, genre=genre, score=0)
    interest.score += 1
    return interest.save()


def rate(profile: Profile, title: Title, stars: int) -> Rating:
    query = select(Rating).filter_by(profile_id=profile.id, title_id=title.id)
    rating = db.session.scalar(query) or Rating(profile=profile, title=title)
    rating.stars = min(whole_number(stars, "stars", 1), 5)
    return rating.save()


def average_rating(title: Title) -> float | None:
    average = db.session.scalar(select(func.avg(Rating.stars)).filter_by(title_id=title.id))
    return None if average is None else round(float(average), 1)


def recommend(profile: Profile, limit: int = 5) -> list[Title]:
    """Released titles that the profile has not seen, of the genres that it likes first."""
    seen = select(Viewing.title_id).where(Viewing.profile_id == profile.id)
    query = select(Title).where(Title.released_at.is_not(None), Title.id.not_in(seen))
    scores = {interest.genre_id: interest.score for interest in interests(profile)}

    def order(title: Title):
        liking = sum(scores.get(genre.id, 0) for genre in title.genres)
        return -liking, -(average_rating(title) or 0), title.name

    return sorted(db.session.scalars(query), key=order)[:limit]


def popular(limit: int = 5) -> list[tuple[Title, int]]:
    views = func.count(Viewing.id).label("views")
    query = (
        select(Title, views)
        .join(Viewing, Viewing.title_id == Title.id)
        .group_by(Title.id)
        .order_by(views.desc(), Title.name)
    )
    return [(title, count) for title, count in db.session.execute(query.limit(limit))]
