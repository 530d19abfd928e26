import hmac

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)

from streaming.billing import services
from streaming.billing.models import Invoice
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import login_required, signature

blueprint = Blueprint("billing", __name__, url_prefix="/billing")


def own_invoice(invoice_id: int) -> Invoice:
    invoice = db.get_or_404(Invoice, invoice_id)
    if invoice.member_id != g.member.id and not g.member.is_staff:
        abort(404)
    return invoice


@blueprint.get("")
@login_required
def overview():
    return render_template(
        "billing/overview.html",
        subscription=services.active_subscription(g.member),
        plans=services.plans(),
        invoices=db.session.scalars(services.invoices_of(g.member)).all(),
    )


@blueprint.post("/subscribe")
@login_required
def subscribe():
    card_token = request.form.get("card_token", "").strip()
    try:
        subscription = services.subscribe(g.member, request.form.get("plan", ""), card_token)
    except DomainError as error:
        flash(str(error), "error")
        return redirect(url_for("billing.overview"))
    invoice = subscription.invoices[0]
    report(services.pay(invoice, card_token))
    return redirect(url_for("billing.invoice", invoice_id=invoice.id))


@blueprint.post("/cancel")
@login_required
def cancel():
    subscription = services.active_subscription(g.member)
    if subscription is None:
        flash("You have no subscription.", "error")
    else:
        services.cancel(subscription)
        flash("Your subscription is cancelled.", "success")
    return redirect(url_for("billing.overview"))


@blueprint.get("/invoices/<int:invoice_id>")
@login_required
def invoice(invoice_id: int):
    return render_template("billing/invoice.html", invoice=own_invoice(invoice_id))


@blueprint.post("/invoices/<int:invoice_id>/pay")
@login_required
def pay(invoice_id: int):
    invoice = own_invoice(invoice_id)
    try:
        report(services.pay(invoice, request.form.get("card_token", "")))
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for("billing.invoice", invoice_id=invoice.id))


def report(payment) -> None:
    if payment.status == "succeeded":
        flash("Thank you, the payment went through.", "success")
    elif payment.status == "pending":
        flash("Your bank is slow today. We will tell you when it is done.", "warning")
    else:
        flash("Your card was declined.", "error")


@blueprint.post("/webhooks/payments")
def webhook():
    expected = signature(current_app.config["WEBHOOK_SECRET"], request.get_data())
    if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
        abort(403, "The signature is wrong.")
    return {"received": True, "new": services.receive_event(request.get_json())}
