from datetime import date, datetime

from sqlalchemy import select

from streaming.billing.models import Invoice, Payment, Plan, Subscription
from streaming.database import db
from streaming.members.models import Member

PLANS = (
    ("basic", "Basic", 599, 1),
    ("standard", "Standard", 999, 2),
    ("family", "Family", 1499, 4),
)
SUBSCRIBERS = (
    ("alice@stream.example", "standard"),
    ("bob@stream.example", "basic"),
    ("carol@stream.example", "family"),
    ("dave@stream.example", "basic"),
)


def seed_billing() -> None:
    plans = {}
    for code, name, cents, streams in PLANS:
        plans[code] = Plan(code=code, name=name, price_cents=cents, max_streams=streams)
        db.session.add(plans[code])
        db.session.flush()
    for number, (email, code) in enumerate(SUBSCRIBERS, start=1):
        member = db.session.scalars(select(Member).filter_by(email=email)).one()
        subscription = Subscription(member=member, plan=plans[code], card_token="tok_visa")
        subscription.started_on = date(2024, 2, 1)
        invoice = Invoice(
            number=f"INV-{number:05d}",
            member=member,
            description=f"{plans[code].name}, one month for {member.name} <{email}>",
            amount_cents=plans[code].price_cents,
            status="paid",
            issued_on=date(2024, 2, 1),
            due_on=date(2024, 2, 15),
            paid_at=datetime(2024, 2, 2, 9),
        )
        subscription.invoices.append(invoice)
        key = f"INV-{number:05d}-1"
        invoice.payments.append(
            Payment(
                key=key,
                card_token="tok_visa",
                amount_cents=invoice.amount_cents,
                status="succeeded",
                charge_id=f"ch_{key}",
                created_at=datetime(2024, 2, 2, 9),
            )
        )
        db.session.add(subscription)
        db.session.flush()
    db.session.commit()
