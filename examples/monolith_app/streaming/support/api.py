from flask import Blueprint, g

from streaming.billing.models import Invoice
from streaming.billing.services import RefundRefused
from streaming.database import db
from streaming.helpers import (
    json_body,
    json_error,
    login_required,
    paginate,
    staff_required,
    whole_number,
)
from streaming.support import services
from streaming.support.models import Ticket
from streaming.support.views import visible_ticket

blueprint = Blueprint("support_api", __name__, url_prefix="/api/tickets")


@blueprint.get("")
@login_required
def tickets():
    return paginate(services.tickets_for(g.member), Ticket.as_dict)


@blueprint.post("")
@login_required
def open_ticket():
    body = json_body("subject", "body")
    invoice = db.get_or_404(Invoice, body["invoice_id"]) if body.get("invoice_id") else None
    ticket = services.open_ticket(g.member, str(body["subject"]), str(body["body"]), invoice)
    return ticket.as_dict(), 201


@blueprint.get("/<int:ticket_id>")
@login_required
def ticket(ticket_id: int):
    return visible_ticket(ticket_id).as_dict()


@blueprint.post("/<int:ticket_id>/messages")
@login_required
def reply(ticket_id: int):
    ticket = visible_ticket(ticket_id)
    return services.reply(ticket, g.member, json_body("body")["body"]).as_dict(), 201


@blueprint.post("/<int:ticket_id>/refund")
@staff_required
def refund(ticket_id: int):
    body = json_body("cents", "reason")
    cents = whole_number(body["cents"], "cents", 1)
    ticket = visible_ticket(ticket_id)
    try:
        ticket = services.refund(ticket, g.member, cents, body["reason"])
    except RefundRefused as error:
        return json_error(409, str(error), refundable_cents=error.refundable_cents)
    return ticket.as_dict(), 201


@blueprint.post("/<int:ticket_id>/close")
@login_required
def close(ticket_id: int):
    return services.close(visible_ticket(ticket_id)).as_dict()
