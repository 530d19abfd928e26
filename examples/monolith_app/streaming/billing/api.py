from datetime import date

from flask import Blueprint, abort, g

from streaming.billing import services
from streaming.billing.models import Invoice
from streaming.billing.views import own_invoice
from streaming.database import db
from streaming.helpers import (
    json_body,
    login_required,
    paginate,
    staff_required,
    whole_number,
)
from streaming.members.models import Member

blueprint = Blueprint("billing_api", __name__, url_prefix="/api/billing")

PAYMENT_STATUS = {"succeeded": 201, "pending": 202, "declined": 402}


@blueprint.get("/plans")
def plans():
    return {"items": [plan.as_dict() for plan in services.plans()]}


@blueprint.get("/subscription")
@login_required
def subscription():
    found = services.active_subscription(g.member)
    if found is None:
        abort(404, "There is no subscription.")
    return found.as_dict()


@blueprint.post("/subscription")
@login_required
def subscribe():
    body = json_body("plan", "card_token")
    created = services.subscribe(g.member, body["plan"], body["card_token"])
    return created.as_dict() | {"invoice_id": created.invoices[0].id}, 201


@blueprint.delete("/subscription")
@login_required
def cancel():
    found = services.active_subscription(g.member)
    if found is None:
        abort(404, "There is no subscription.")
    services.cancel(found)
    return "", 204


@blueprint.get("/invoices")
@login_required
def invoices():
    return paginate(services.invoices_of(g.member), Invoice.as_dict)


@blueprint.post("/invoices")
@staff_required
def issue():
    body = json_body("member_id", "description", "amount_cents")
    member = db.get_or_404(Member, body["member_id"])
    cents = whole_number(body["amount_cents"], "amount_cents", 1)
    try:
        due_on = date.fromisoformat(body["due_on"]) if "due_on" in body else None
    except (TypeError, ValueError):
        abort(400, "due_on must be a date.")
    return services.issue_invoice(member, body["description"], cents, due_on), 201


@blueprint.get("/invoices/<int:invoice_id>")
@login_required
def invoice(invoice_id: int):
    invoice = own_invoice(invoice_id)
    return invoice.as_dict() | {
        "payments": [payment.as_dict() for payment in invoice.payments],
        "refunds": [refund.as_dict() for refund in invoice.refunds],
    }


@blueprint.post("/invoices/<int:invoice_id>/payments")
@login_required
def pay(invoice_id: int):
    payment = services.pay(own_invoice(invoice_id), json_body("card_token")["card_token"])
    return payment.as_dict(), PAYMENT_STATUS[payment.status]
