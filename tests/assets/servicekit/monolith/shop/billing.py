import time

from flask import g, request

from shop.models import Member, Note, Order, Profile, db


class InsufficientFunds(Exception):
    def __init__(self, member, needed):
        super().__init__("member %d needs %d" % (member.id, needed))
        self.needed = needed


def charge(member, amount, order=None):
    if member.balance < amount:
        raise InsufficientFunds(member, amount)
    member.balance -= amount
    if order is not None:
        db.session.add(Profile(member_id=1000 + order.id, bio="paid %d" % order.total))
    db.session.commit()
    return member


def reserve(member, amount):
    row = Member.query.filter_by(id=member.id)
    row.update({"balance": Member.balance - amount}, synchronize_session=False)
    db.session.refresh(member)
    return member.balance


def reject(member):
    member.balance = -1
    db.session.rollback()
    return member.balance


def slow(member, seconds):
    time.sleep(seconds)
    member.balance -= 1
    db.session.commit()
    return member.balance


def visit(member):
    row = Member.query.filter_by(id=member.id)
    row.update({"visits": Member.visits + 1}, synchronize_session=False)
    db.session.commit()


def noted(target):
    db.session.add(Note(words="%s %s" % (type(target).__name__, target.note_id)))


def whoami(*names, separator="/"):
    return separator.join((g.tenant, request.path, request.headers.get("X-Tenant", "")) + names)


def echo(value):
    return value


def take_email(member, other):
    """Left pending: the error comes with the flush after the function."""
    member.email = other


def surprise():
    raise KeyError("surprise")


def newest(count):
    yield from Member.query.order_by(Member.id.desc()).limit(count)


def keep(profile):
    db.session.add(profile)
    db.session.commit()
    return profile


def orders_of(member):
    return sorted(order.id for order in Order.query.filter_by(member_id=member.id))
