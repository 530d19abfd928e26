"""Mail that is sent when something happens elsewhere."""

from streaming.billing.models import Payment
from streaming.helpers import money
from streaming.members.models import Member
from streaming.notifications.services import send_mail
from streaming.signals import member_registered, payment_failed, payment_settled


@member_registered.connect
def welcome(member: Member) -> None:
    send_mail(member.email, "Welcome", f"Hello {member.name}, good to have you.")


@payment_settled.connect
def receipt(payment: Payment) -> None:
    invoice = payment.invoice
    send_mail(
        invoice.member.email,
        f"Receipt {invoice.number}",
        f"We received {money(payment.amount_cents)} for {invoice.description}. Thank you.",
    )


@payment_failed.connect
def payment_problem(payment: Payment) -> None:
    invoice = payment.invoice
    send_mail(
        invoice.member.email,
        f"Your payment of {invoice.number} failed",
        f"Your bank declined {money(payment.amount_cents)}. Please try another card.",
    )
