from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from streaming.billing import services as billing
from streaming.billing.models import Invoice
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import login_required, staff_required
from streaming.support import services
from streaming.support.models import Ticket

blueprint = Blueprint("support", __name__, url_prefix="/support")


def visible_ticket(ticket_id: int) -> Ticket:
    ticket = db.get_or_404(Ticket, ticket_id)
    if ticket.member_id != g.member.id and not g.member.is_staff:
        abort(404)
    return ticket


@blueprint.get("")
@login_required
def tickets():
    return render_template(
        "support/tickets.html",
        tickets=db.session.scalars(services.tickets_for(g.member).limit(50)).all(),
        invoices=db.session.scalars(billing.invoices_of(g.member)).all(),
    )


@blueprint.post("/tickets")
@login_required
def open_ticket():
    subject = request.form.get("subject", "").strip()
    body = request.form.get("body", "").strip()
    if not subject or not body:
        flash("Please tell us what it is about.", "error")
        return redirect(url_for("support.tickets"))
    invoice_id = request.form.get("invoice_id", 0, int)
    invoice = db.session.get(Invoice, invoice_id) if invoice_id else None
    ticket = services.open_ticket(g.member, subject, body, invoice)
    flash(f"Ticket {ticket.id} is open. We will answer soon.", "success")
    return redirect(url_for("support.ticket", ticket_id=ticket.id))


@blueprint.get("/tickets/<int:ticket_id>")
@login_required
def ticket(ticket_id: int):
    return render_template("support/ticket.html", ticket=visible_ticket(ticket_id))


@blueprint.post("/tickets/<int:ticket_id>/messages")
@login_required
def reply(ticket_id: int):
    ticket = visible_ticket(ticket_id)
    try:
        services.reply(ticket, g.member, request.form.get("body", ""))
        flash("Sent.", "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("support.ticket", ticket_id=ticket.id))


@blueprint.post("/tickets/<int:ticket_id>/refund")
@staff_required
def refund(ticket_id: int):
    ticket = visible_ticket(ticket_id)
    cents = request.form.get("cents", 0, int)
    try:
        services.refund(ticket, g.member, cents, request.form.get("reason", ""))
        flash(f"Refunded: {ticket.refund.reference}.", "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("support.ticket", ticket_id=ticket.id))
