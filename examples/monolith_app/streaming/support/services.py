from sqlalchemy import select

from streaming.billing import services as billing
from streaming.billing.models import Invoice
from streaming.errors import DomainError
from streaming.helpers import money
from streaming.members.models import Member
from streaming.notifications import services as notifications
from streaming.support.models import Ticket, TicketMessage


def tickets_for(member: Member):
    query = select(Ticket).order_by(Ticket.id.desc())
    return query if member.is_staff else query.filter_by(member_id=member.id)


def open_ticket(member: Member, subject: str, body: str, invoice: Invoice | None = None) -> Ticket:
    if invoice is not None and invoice.member_id != member.id:
        raise DomainError("That is not your invoice.")
    ticket = Ticket(member=member, subject=subject, invoice=invoice)
    ticket.messages.append(TicketMessage(author=member, body=body))
    return ticket.save()


def reply(ticket: Ticket, author: Member, body: str) -> Ticket:
    if ticket.status == "closed":
        raise DomainError("This ticket is closed.")
    ticket.messages.append(TicketMessage(author=author, body=body))
    ticket.status = "answered" if author.is_staff else "open"
    ticket.save()
    if author.is_staff:
        notifications.notify(ticket.member, f"We answered your question: {ticket.subject}")
    return ticket


def refund(ticket: Ticket, agent: Member, cents: int, reason: str) -> Ticket:
    """Give money back for the invoice that the ticket is about, and say so in the ticket."""
    if ticket.invoice is None:
        raise DomainError("This ticket is about no invoice.")
    if ticket.refund is not None:
        raise DomainError("This ticket has its refund.")
    refund = billing.refund(ticket.invoice, cents, reason)
    ticket.refund = refund
    text = f"We refunded {money(refund.cents)} of {refund.invoice.number} ({refund.reference})."
    ticket.messages.append(TicketMessage(author=agent, body=text))
    ticket.status = "answered"
    return ticket.save()


def close(ticket: Ticket) -> Ticket:
    ticket.status = "closed"
    return ticket.save()
