import os

from flask import Blueprint, jsonify, request, url_for
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from shop import billing, counters
from shop.models import Member, Note, Order, Profile, Sticker, db, order_tags

blueprint = Blueprint("orders", __name__)


@blueprint.route("/orders/members/<int:number>")
def member_email(number):
    member = Member.query.get(number)
    return jsonify(email=member and member.email, last_seen=str(member and member.last_seen))


@blueprint.route("/orders", methods=["POST"])
def create():
    body = request.get_json()
    order = Order(member_id=body["member"], total=body["total"], weight=0.1, label=b"\x00\xff'")
    db.session.add(order)
    db.session.flush()
    db.session.execute(order_tags.insert().values(order_id=order.id, tag="new"))
    db.session.commit()
    return jsonify(id=order.id, member=url_for("accounts.show", number=body["member"])), 201


@blueprint.route("/orders/<int:number>")
def show(number):
    order = Order.query.get(number)
    return jsonify(id=order.id, total=order.total, email=order.member.email)


@blueprint.route("/counter", methods=["POST"])
def counter():
    counters.hits["all"] = counters.hits.get("all", 0) + 1
    counters.seen["request"] = counters.seen.get("request", 0) + 1
    counters.names.add(os.getpid())
    counters.queue.append(len(counters.queue))
    return jsonify(seen=counters.seen["request"], pid=os.getpid())


@blueprint.route("/counters")
def show_counters():
    return jsonify(
        hits=counters.hits["all"],
        limit=counters.hits["limit"],
        pids=sorted(counters.names),
        queue=list(counters.queue),
    )


@blueprint.route("/cases/<name>", methods=["POST"])
def case(name):
    body = request.get_json()
    return jsonify(globals()["case_" + name](**body))


def case_pay(member, amount):
    paid = billing.charge(Member.query.get(member), amount)
    return {"same": paid is Member.query.get(member), "balance": paid.balance}


def case_pay_for_new_order(member, total):
    order = Order(member_id=member, total=total)
    db.session.add(order)
    billing.charge(Member.query.get(member), total, order=order)
    db.session.rollback()
    return {"id": order.id, "kept": Order.query.filter_by(id=order.id).count()}


def case_pay_too_much(member):
    try:
        billing.charge(Member.query.get(member), 10**6)
    except billing.InsufficientFunds as error:
        return {"args": list(error.args), "needed": error.needed}
    return {}


def case_reserve(member, commit):
    left = billing.reserve(Member.query.get(member), 7)
    db.session.commit() if commit else db.session.rollback()
    return {"left": left, "balance": Member.query.get(member).balance}


def case_reserve_in_open_transaction(member):
    order = Order(member_id=member, total=1)
    db.session.add(order)
    db.session.flush()
    found = Member.query.get(member)
    billing.reserve(found, 7)
    left = found.balance
    db.session.commit()
    return {"left": left, "balance": found.balance}


def case_tables():
    from sqlalchemy import MetaData, Table, inspect

    inspector = inspect(db.engine)
    seen = Table("members", MetaData(), autoload_with=db.engine)
    db.create_all()
    return {"names": inspector.get_table_names(), "columns": [c.name for c in seen.columns]}


def case_reserve_and_fail(member):
    billing.reserve(Member.query.get(member), 7)
    raise ValueError("after the call")


def case_reserve_in_savepoint(member):
    nested = db.session.begin_nested()
    billing.reserve(Member.query.get(member), 7)
    nested.rollback()
    db.session.commit()
    return {"balance": Member.query.get(member).balance}


def case_reject(member):
    order = Order(member_id=member, total=1)
    db.session.add(order)
    db.session.flush()
    billing.reject(Member.query.get(member))
    db.session.commit()
    return {"orders": Order.query.filter_by(member_id=member).count()}


def case_rename(member, email):
    return {"email": Member.query.get(member).rename(email).email}


def case_register(email):
    member = Member.register(email, balance=5)
    order = Order(member=member, total=3)
    db.session.add(order)
    db.session.commit()
    return {"id": member.id, "balance": member.balance, "email": order.member.email}


def case_register_twice(email):
    Member.register(email)
    try:
        Member.register(email)
    except Exception as error:
        db.session.rollback()
        return {"error": type(error).__name__}
    return {}


def case_slow(member, seconds):
    return {"balance": billing.slow(Member.query.get(member), seconds)}


def case_visit(member):
    billing.visit(Member.query.get(member))
    return {}


def case_noted():
    def noted(session, context, instances):
        for each in [*session.new, *session.dirty]:
            if isinstance(each, Sticker):
                billing.noted(each)

    event.listen(db.session, "before_flush", noted)
    try:
        sticker = Sticker(note_id=41)
        db.session.add(sticker)
        db.session.commit()
        sticker.note_id = 42
        db.session.commit()
    finally:
        event.remove(db.session, "before_flush", noted)
    return {}


def case_whoami():
    return {"answer": billing.whoami("a", "b", separator=":")}


def case_echo():
    import datetime
    import decimal

    values = [
        {"a": (1, 2.5, None, True), 3: {b"\x00", b"x"}},
        decimal.Decimal("1.10"),
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6),
        datetime.timedelta(days=1, microseconds=3),
        frozenset([1]),
        Member,
        "ü\u2028",
        float("inf"),
    ]
    return {"equal": billing.echo(values) == values}


def case_cannot_cross():
    billing.echo(object())


def case_take_email(member, other):
    try:
        billing.take_email(Member.query.get(member), other)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return {"error": "IntegrityError", "email": Member.query.get(member).email}


def case_surprise():
    try:
        billing.surprise()
    except KeyError:
        return {"error": "KeyError"}


def case_newest(count):
    return {"emails": [member.email for member in billing.newest(count)]}


def case_keep(member, bio):
    profile = billing.keep(Profile(member_id=member, bio=bio))
    return {"bio": profile.bio, "kept": Profile.query.get(member).bio}


def case_orders_of(member):
    order = Order(member_id=member, total=1)
    db.session.add(order)
    db.session.commit()
    return {"seen": order.id in billing.orders_of(Member.query.get(member))}


def case_edit_profile(member, bio, commit=True):
    profile = Profile.query.get(member)
    profile.bio = bio
    profile.edits += 1
    db.session.flush()
    db.session.commit() if commit else db.session.rollback()
    return {"bio": Profile.query.get(member).bio}


def case_new_profile(member, bio):
    profile = Profile(member_id=50_000 + member, bio=bio, edits=0)
    db.session.add(profile)
    db.session.commit()
    profile.bio += "!"
    db.session.commit()
    return {"bio": profile.bio, "persistent": db.inspect(profile).persistent}


def case_annotate(member, words):
    """Objects that refer to each other, saved at once: two notes on an order, a sticker on each."""
    order = Order(member_id=member, total=1)
    db.session.add(order)
    db.session.commit()
    notes = [Note(words=each, order=order, stickers=[Sticker()]) for each in words]
    db.session.add_all(notes)
    db.session.commit()
    return {"order": order.id, "notes": [each.id for each in order.notes]}


def case_drop_order(number):
    db.session.delete(Order.query.get(number))
    db.session.commit()
    return {"left": Note.query.filter_by(order_id=number).count()}


def case_nameless(number):
    try:
        Note.query.get(number).words = None
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        return {"error": str(error.orig), "words": Note.query.get(number).words}


def case_drop_note(number):
    db.session.delete(Note.query.get(number))
    db.session.commit()
    return {"left": Sticker.query.filter_by(note_id=number).count()}


def case_take_notes_off(number):
    Order.query.get(number).notes = []
    db.session.commit()
    return {"left": Note.query.filter_by(order_id=number).count()}


def case_annotate_new(member, words):
    order = Order(member_id=member, total=1)
    db.session.add(Note(words=words, order=order))
    db.session.commit()


def case_write_replica(member, how):
    try:
        if how == "orm":
            Member.query.get(member).email = "stolen"
            db.session.commit()
        elif how == "bulk":
            Member.query.filter_by(id=member).update({"email": "stolen"})
        elif how == "ignore":
            sql = "INSERT OR IGNORE INTO members(email, balance, visits) VALUES ('x', 1, 1)"
            db.session.execute(text(sql))
        elif how == "drop":
            db.session.execute(text("DROP TABLE members"))
        else:
            db.session.execute(text("DELETE FROM members"))
    except Exception:
        return {"error": "swallowed"}
    return {}
