import hashlib
from datetime import datetime, timezone

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String

from toolshed.storage import Base, Session


class Refusal(Exception):
    """Something the desk says no to; `status` is what the browser gets."""

    def __init__(self, reason, status=409):
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Borrower(Base):
    __tablename__ = "borrower"
    id = Column(Integer, primary_key=True)
    card = Column(String(20), unique=True, nullable=False)
    name = Column(String(80), nullable=False)
    pin_hash = Column(String(64), nullable=False)
    barred = Column(Boolean, nullable=False, default=False)
    last_seen = Column(String(32))


class Journal(Base):
    __tablename__ = "journal"
    id = Column(Integer, primary_key=True)
    borrower_id = Column(ForeignKey("borrower.id"), nullable=False)
    what = Column(String(40), nullable=False)
    subject = Column(String(80), nullable=False, default="")


def now():
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _digest(card, pin):
    return hashlib.sha256(f"{card}:{pin}".encode()).hexdigest()


def enrol(card, name, pin):
    if Borrower.query.filter_by(card=card).first():
        raise Refusal(f"card {card} is taken")
    borrower = Borrower(card=card, name=name, pin_hash=_digest(card, pin))
    Session.add(borrower)
    Session.commit()
    return borrower


def recognise(card, pin):
    borrower = Borrower.query.filter_by(card=card).first()
    if borrower is None or borrower.pin_hash != _digest(card, pin):
        raise Refusal("card and PIN do not go together", status=401)
    return borrower


def seen(borrower_id):
    """Remember when somebody was last here."""
    Session.query(Borrower).filter(Borrower.id == borrower_id).update({"last_seen": now()})
    Session.commit()


def note(borrower_id, what, subject=""):
    """The journal is for the yearly audit; nobody waits for it."""
    Session.add(Journal(borrower_id=borrower_id, what=what, subject=subject))
    Session.commit()


def bar(card):
    borrower = Borrower.query.filter_by(card=card).first()
    if borrower is None:
        raise Refusal(f"no card {card}", status=404)
    borrower.barred = True
    Session.commit()
    return borrower
