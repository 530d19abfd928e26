from datetime import date

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from streaming.billing.models import Invoice, Payment, Plan, Refund, Subscription, WebhookEvent
from streaming.billing.provider import ProviderUnreachable, payment_provider
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import today, utcnow
from streaming.members import services as members
from streaming.members.models import Member
from streaming.signals import payment_failed, payment_settled

STREAMS_WITHOUT_PLAN = 1


class RefundRefused(DomainError):
    """More was to be refunded than was paid."""

    def __init__(self, number: str, refundable_cents: int) -> None:
        super().__init__(number, refundable_cents)
        self.number = number
        self.refundable_cents = refundable_cents

    def __str__(self) -> str:
        return f"Of {self.number} at most {self.refundable_cents} cents can be refunded."


def plans() -> list[Plan]:
    return list(db.session.scalars(select(Plan).order_by(Plan.price_cents)))


def active_subscription(member: Member) -> Subscription | None:
    query = select(Subscription).filter_by(member_id=member.id, status="active")
    return db.session.scalars(query.limit(1)).first()


def stream_limit(member: Member) -> int:
    subscription = active_subscription(member)
    return subscription.plan.max_streams if subscription else STREAMS_WITHOUT_PLAN


def subscribe(member: Member, code: str, card_token: str) -> Subscription:
    if active_subscription(member) is not None:
        raise DomainError("You have a subscription already.")
    plan = db.session.scalar(select(Plan).filter_by(code=code))
    if plan is None:
        raise DomainError(f"There is no plan {code}.")
    subscription = Subscription(member=member, plan=plan, card_token=card_token)
    db.session.add(subscription)
    subscription.invoices.append(new_invoice(member, f"{plan.name}, one month", plan.price_cents))
    db.session.commit()
    return subscription


def cancel(subscription: Subscription) -> None:
    subscription.status = "cancelled"
    subscription.cancelled_at = utcnow()
    for invoice in subscription.invoices:
        if invoice.status in ("open", "overdue"):
            invoice.status = "void"
    db.session.commit()


def new_invoice(member: Member, description: str, cents: int) -> Invoice:
    """An invoice with the next number; the caller commits."""
    invoice = Invoice(
        member=member,
        description=f"{description} for {members.display_name(member)}",
        amount_cents=cents,
    )
    db.session.add(invoice)
    db.session.flush()
    invoice.number = f"INV-{invoice.id:05d}"
    return invoice


def issue_invoice(member: Member, description: str, cents: int, due_on: date | None) -> dict:
    """The invoice as it was issued: once it is saved, it may become overdue at any moment."""
    invoice = new_invoice(member, description, cents)
    if due_on is not None:
        invoice.due_on = due_on
    db.session.flush()
    issued = invoice.as_dict()
    db.session.commit()
    return issued


def invoices_of(member: Member):
    return select(Invoice).filter_by(member_id=member.id).order_by(Invoice.id.desc())


def mark_overdue() -> int:
    """Mark the invoices that should have been paid by now."""
    marked = db.session.execute(
        update(Invoice)
        .where(Invoice.status == "open", Invoice.due_on < today())
        .values(status="overdue")
    )
    db.session.commit()
    return marked.rowcount


def pay(invoice: Invoice, card_token: str) -> Payment:
    """Charge a card; the payment is pending if the provider does not answer in time."""
    if invoice.status not in ("open", "overdue"):
        raise DomainError(f"{invoice.number} is {invoice.status}.")
    payment = next((p for p in invoice.payments if p.status == "pending"), None)
    if payment is None:
        payment = Payment(
            key=f"{invoice.number}-{len(invoice.payments) + 1}",
            card_token=card_token,
            amount_cents=invoice.amount_cents,
        )
        invoice.payments.append(payment)
        db.session.commit()
    try:
        charge = payment_provider().charge(payment.key, payment.card_token, payment.amount_cents)
    except ProviderUnreachable:
        return payment
    settled = settle(payment, charge.id, charge.status)
    db.session.commit()
    if settled:
        announce(payment)
    return payment


def settle(payment: Payment, charge_id: str, outcome: str) -> bool:
    """Note how a payment ended. Only the first to say so is believed."""
    first = db.session.execute(
        update(Payment)
        .where(Payment.id == payment.id, Payment.status == "pending")
        .values(status=outcome, charge_id=charge_id)
    )
    if first.rowcount == 0:
        return False
    if outcome == "succeeded":
        payment.invoice.status = "paid"
        payment.invoice.paid_at = utcnow()
    return True


def announce(payment: Payment) -> None:
    if payment.status == "succeeded":
        payment_settled.send(payment)
    else:
        payment_failed.send(payment)


def receive_event(event: dict) -> bool:
    """Take what the provider tells; False if it was told before."""
    if db.session.get(WebhookEvent, event["id"]) is not None:
        return False
    db.session.add(WebhookEvent(id=event["id"], kind=event["kind"], payment_key=event["key"]))
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        return False
    payment = db.session.scalar(select(Payment).filter_by(key=event["key"]))
    settled = payment is not None and settle(payment, event["charge"], event["status"])
    db.session.commit()
    if settled:
        announce(payment)
    return True


def refund(invoice: Invoice, cents: int, reason: str) -> Refund:
    """Give money back, through the charge with which it came."""
    paid = next((p for p in invoice.payments if p.status == "succeeded"), None)
    refundable = invoice.amount_cents - invoice.refunded_cents if paid else 0
    if not 0 < cents <= refundable:
        raise RefundRefused(invoice.number, refundable)
    key = f"{invoice.number}-refund-{len(invoice.refunds) + 1}"
    reference = payment_provider().refund(key, paid.charge_id, cents)
    refund = Refund(invoice=invoice, cents=cents, reason=reason, reference=reference)
    invoice.refunded_cents += cents
    return refund.save()
