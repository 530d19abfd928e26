from sqlalchemy import select
from werkzeug.security import check_password_hash

from streaming.billing import services as billing
from streaming.database import db
from streaming.errors import DomainError, NotAllowed
from streaming.helpers import hash_password, utcnow
from streaming.members.models import Member, Profile, ProfilePreferences, StreamSlot
from streaming.playback.models import Viewing, WatchlistItem
from streaming.signals import member_registered

MAX_FAILED_SIGN_INS = 5
MAX_PROFILES = 5


class EmailTaken(DomainError):
    pass


class ProfileInUse(DomainError):
    pass


class TooManyStreams(DomainError):
    """The plan of the member does not allow another stream."""

    def __init__(self, limit: int, active: int) -> None:
        super().__init__(limit, active)
        self.limit = limit
        self.active = active

    def __str__(self) -> str:
        return f"Your plan allows {self.limit} streams at a time, and {self.active} are active."


def by_email(email: str) -> Member | None:
    return db.session.scalar(select(Member).where(Member.email == email.strip().lower()))


def display_name(member: Member) -> str:
    return f"{member.name} <{member.email}>"


def register(email: str, name: str, password: str) -> Member:
    if by_email(email) is not None:
        raise EmailTaken("There is an account with this address already.")
    member = Member(
        email=email.strip().lower(), name=name.strip(), password_hash=hash_password(password)
    )
    member.profiles.append(Profile(name=member.name, preferences=ProfilePreferences()))
    db.session.add(member)
    db.session.commit()
    member_registered.send(member)
    return member


def sign_in(email: str, password: str) -> Member:
    member = by_email(email)
    if member is None or member.closed_at is not None:
        raise NotAllowed("Wrong address or password.")
    if member.failed_sign_ins >= MAX_FAILED_SIGN_INS:
        raise NotAllowed("This account is locked. Please ask our support.")
    if not check_password_hash(member.password_hash, password):
        member.failed_sign_ins += 1
        db.session.commit()
        raise NotAllowed("Wrong address or password.")
    if member.failed_sign_ins:
        member.failed_sign_ins = 0
        db.session.commit()
    return member


def unlock(member: Member) -> None:
    member.failed_sign_ins = 0
    db.session.commit()


def record_last_seen(member: Member) -> None:
    member.last_seen_at = utcnow()
    db.session.commit()


def rename(member: Member, name: str) -> None:
    member.name = name.strip()
    db.session.commit()


def close_account(member: Member) -> None:
    if billing.active_subscription(member) is not None:
        raise DomainError("Please cancel your subscription first.")
    member.closed_at = utcnow()
    member.stream_slots.clear()
    db.session.commit()


def add_profile(member: Member, name: str, is_child: bool = False) -> Profile:
    if len(member.profiles) >= MAX_PROFILES:
        raise DomainError(f"An account has at most {MAX_PROFILES} profiles.")
    if any(profile.name == name for profile in member.profiles):
        raise DomainError(f"There is a profile {name} already.")
    profile = Profile(name=name, is_child=is_child, preferences=ProfilePreferences())
    profile.member = member
    return profile.save()


def remove_profile(profile: Profile) -> None:
    """Delete a profile with its preferences, unless somebody has used it."""
    if len(profile.member.profiles) == 1:
        raise ProfileInUse("The last profile of an account cannot be deleted.")
    for model in (Viewing, WatchlistItem):
        if db.session.scalar(select(model.id).where(model.profile_id == profile.id).limit(1)):
            raise ProfileInUse(f"{profile.name} has a history.")
    profile.delete()


def set_preferences(profile: Profile, **changes) -> ProfilePreferences:
    for name, value in changes.items():
        setattr(profile.preferences, name, value)
    db.session.commit()
    return profile.preferences


def claim_stream(member: Member, device: str) -> StreamSlot:
    """Reserve one of the streams that the member's plan allows."""
    for slot in member.stream_slots:
        if slot.device == device:
            return slot
    limit = billing.stream_limit(member)
    active = len(member.stream_slots)
    if active >= limit:
        raise TooManyStreams(limit, active)
    return StreamSlot(member=member, device=device).save()


def release_stream(member: Member, device: str) -> int:
    """Give a stream back; returns how many are still active."""
    for slot in list(member.stream_slots):
        if slot.device == device:
            member.stream_slots.remove(slot)
    db.session.commit()
    return len(member.stream_slots)
