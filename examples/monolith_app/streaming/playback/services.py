from sqlalchemy import select

from streaming.billing import services as billing
from streaming.catalogue.models import Title
from streaming.database import db
from streaming.errors import DomainError, NotAllowed, PaymentRequired
from streaming.helpers import utcnow
from streaming.members import services as members
from streaming.members.models import Profile
from streaming.playback.models import Viewing, WatchlistItem

CHILD_AGE = 6
FINISHED_AT = 0.95


def start(profile: Profile, title: Title, device: str) -> Viewing:
    if title.released_at is None:
        raise NotAllowed(f"{title.name} is not released yet.")
    if profile.is_child and title.min_age > CHILD_AGE:
        raise NotAllowed(f"{title.name} is not for children.")
    if billing.active_subscription(profile.member) is None:
        raise PaymentRequired("Watching needs a subscription.")
    members.claim_stream(profile.member, device)
    viewing = unfinished(profile, title) or Viewing(profile=profile, title=title)
    viewing.device = device
    viewing.stopped_at = None
    return viewing.save()


def unfinished(profile: Profile, title: Title) -> Viewing | None:
    query = select(Viewing).filter_by(profile_id=profile.id, title_id=title.id, finished=False)
    return db.session.scalars(query.order_by(Viewing.id.desc()).limit(1)).first()


def progress(viewing: Viewing, position_s: int) -> Viewing:
    if viewing.stopped_at is not None:
        raise DomainError("This viewing has ended.")
    viewing.position_s = min(position_s, viewing.title.runtime_s)
    viewing.finished = viewing.position_s >= viewing.title.runtime_s * FINISHED_AT
    return viewing.save()


def stop(viewing: Viewing) -> int:
    """End a viewing; returns on how many devices the member is still watching."""
    viewing.stopped_at = utcnow()
    viewing.save()
    return members.release_stream(viewing.profile.member, viewing.device)


def history(profile: Profile):
    return select(Viewing).filter_by(profile_id=profile.id).order_by(Viewing.id.desc())


def watchlist(profile: Profile) -> list[WatchlistItem]:
    query = select(WatchlistItem).filter_by(profile_id=profile.id).order_by(WatchlistItem.id)
    return list(db.session.scalars(query))


def remember(profile: Profile, title: Title) -> bool:
    if forgettable(profile, title) is not None:
        return False
    WatchlistItem(profile=profile, title=title).save()
    return True


def forget(profile: Profile, title: Title) -> bool:
    item = forgettable(profile, title)
    if item is None:
        return False
    item.delete()
    return True


def forgettable(profile: Profile, title: Title) -> WatchlistItem | None:
    query = select(WatchlistItem).filter_by(profile_id=profile.id, title_id=title.id)
    return db.session.scalar(query)
