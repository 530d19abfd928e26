import hashlib
import hmac
import json
from datetime import date, timedelta

import pytest
from conftest import eventually, flashed

SECRET = "development-only-webhook-secret"


def subscribe(client, plan: str = "standard", card: str = "tok_visa") -> dict:
    body = {"plan": plan, "card_token": card}
    response = client.post("/api/billing/subscription", json=body)
    assert response.status_code == 201, response.text
    return response.json()


def pay(client, invoice_id: int, card: str):
    address = f"/api/billing/invoices/{invoice_id}/payments"
    return client.post(address, json={"card_token": card})


def invoice(client, invoice_id: int) -> dict:
    return client.get(f"/api/billing/invoices/{invoice_id}").json()


def test_plans(visitor):
    plans = visitor.get("/api/billing/plans").json()["items"]
    assert [(plan["code"], plan["max_streams"]) for plan in plans] == [
        ("basic", 1),
        ("standard", 2),
        ("family", 4),
    ]


def test_subscription_makes_an_invoice_that_is_paid(register):
    client = register("anna")
    assert client.get("/api/billing/subscription").status_code == 404
    created = subscribe(client)
    assert client.get("/api/billing/subscription").json()["plan"]["name"] == "Standard"
    made = invoice(client, created["invoice_id"])
    assert (made["amount_cents"], made["status"]) == (999, "open")
    assert made["description"] == "Standard, one month for Anna <anna@new.example>"
    response = pay(client, made["id"], "tok_visa")
    assert response.status_code == 201
    assert response.json()["charge_id"] == f"ch_{made['number']}-1"
    assert invoice(client, made["id"])["status"] == "paid"


def test_receipt_is_mailed_once_though_the_provider_repeats_itself(register):
    client = register("bert")
    made = subscribe(client, "basic")
    assert pay(client, made["invoice_id"], "tok_visa").status_code == 201
    number = invoice(client, made["invoice_id"])["number"]

    def subjects() -> list[str]:
        return [mail["subject"] for mail in client.get("/api/mails").json()["items"]]

    eventually(subjects, lambda found: f"Receipt {number}" in found)
    later = eventually(subjects, lambda found: len(found) == 2)
    assert sorted(later) == sorted(["Welcome", f"Receipt {number}"])


def test_paid_invoice_is_not_paid_again(register):
    client = register("cleo")
    made = subscribe(client)
    assert pay(client, made["invoice_id"], "tok_visa").status_code == 201
    assert pay(client, made["invoice_id"], "tok_visa").status_code == 409


def test_declined_card(register):
    client = register("dora")
    made = subscribe(client)
    response = pay(client, made["invoice_id"], "tok_declined")
    assert (response.status_code, response.json()["status"]) == (402, "declined")
    assert invoice(client, made["invoice_id"])["status"] == "open"
    response = pay(client, made["invoice_id"], "tok_visa")
    assert response.status_code == 201
    payments = invoice(client, made["invoice_id"])["payments"]
    assert [payment["status"] for payment in payments] == ["declined", "succeeded"]


def test_slow_provider_tells_later(register):
    client = register("emil")
    made = subscribe(client)
    response = pay(client, made["invoice_id"], "tok_slow")
    assert (response.status_code, response.json()["status"]) == (202, "pending")
    settled = eventually(
        lambda: invoice(client, made["invoice_id"]), lambda found: found["status"] == "paid"
    )
    assert [payment["status"] for payment in settled["payments"]] == ["succeeded"]


def test_second_subscription(register):
    client = register("flora")
    subscribe(client)
    body = {"plan": "family", "card_token": "tok_visa"}
    assert client.post("/api/billing/subscription", json=body).status_code == 409


def test_unknown_plan(register):
    body = {"plan": "gold", "card_token": "tok_visa"}
    response = register("gustav").post("/api/billing/subscription", json=body)
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "There is no plan gold."


def test_cancelling_voids_what_is_not_paid(register):
    client = register("hanna")
    made = subscribe(client)
    assert client.delete("/api/billing/subscription").status_code == 204
    assert client.delete("/api/billing/subscription").status_code == 404
    assert invoice(client, made["invoice_id"])["status"] == "void"
    assert pay(client, made["invoice_id"], "tok_visa").status_code == 409


def test_staff_issues_invoices(register, staff):
    client = register("igor")
    body = {"member_id": client.member["id"], "description": "Gift card", "amount_cents": 2500}
    response = staff.post("/api/billing/invoices", json=body)
    assert response.status_code == 201
    made = response.json()
    due = date.fromisoformat(made["issued_on"]) + timedelta(days=14)
    assert made["due_on"] == due.isoformat()
    listed = client.get("/api/billing/invoices").json()["items"]
    assert [item["number"] for item in listed] == [made["number"]]
    assert client.post("/api/billing/invoices", json=body).status_code == 403


@pytest.mark.parametrize(
    "wrong", [{"amount_cents": 0}, {"amount_cents": "5"}, {"due_on": "tomorrow"}]
)
def test_invoices_are_checked(staff, wrong):
    body = {"member_id": 2, "description": "Gift card", "amount_cents": 2500} | wrong
    assert staff.post("/api/billing/invoices", json=body).status_code == 400


def test_unpaid_invoice_becomes_overdue(register, staff):
    client = register("jana")
    body = {"member_id": client.member["id"], "description": "Late", "amount_cents": 100}
    made = staff.post("/api/billing/invoices", json=body | {"due_on": "2024-01-01"}).json()
    eventually(lambda: invoice(client, made["id"])["status"], lambda status: status == "overdue")
    assert pay(client, made["id"], "tok_visa").status_code == 201
    assert invoice(client, made["id"])["status"] == "paid"


def test_invoices_of_others(register, sign_in, staff):
    client = register("kurt")
    made = subscribe(client)
    address = f"/api/billing/invoices/{made['invoice_id']}"
    assert sign_in("grace").get(address).status_code == 404
    assert staff.get(address).json()["member"] == "kurt@new.example"


def webhook(client, event: dict, secret: str = SECRET):
    body = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    return client.post("/billing/webhooks/payments", data=body, headers=headers)


def test_webhook_counts_once(visitor):
    event = {
        "id": "evt_test",
        "kind": "charge.succeeded",
        "key": "unknown",
        "charge": "ch_unknown",
        "status": "succeeded",
    }
    assert webhook(visitor, event).json() == {"received": True, "new": True}
    assert webhook(visitor, event).json() == {"received": True, "new": False}


def test_webhook_needs_a_signature(visitor):
    response = webhook(visitor, {"id": "evt_forged"}, secret="guessed")
    assert response.status_code == 403
    assert response.json()["error"]["message"] == "The signature is wrong."


def test_subscribing_by_form(register):
    client = register("linus")
    assert "Family" in client.page("/billing")
    response = client.submit("/billing", "/billing/subscribe", plan="family", card_token="tok_visa")
    page = client.follow(response)
    assert flashed(page) == ["Thank you, the payment went through."]
    assert "14.99 EUR, paid" in page.text
    assert "To Linus, linus@new.example" in page.text
    assert "Family since" in client.page("/billing")
    response = client.submit("/billing", "/billing/cancel")
    assert flashed(client.follow(response)) == ["Your subscription is cancelled."]


def test_paying_by_form_after_the_card_was_declined(register):
    client = register("maria")
    fields = {"plan": "basic", "card_token": "tok_declined"}
    response = client.submit("/billing", "/billing/subscribe", **fields)
    address = response.headers["Location"]
    assert flashed(client.follow(response)) == ["Your card was declined."]
    response = client.submit(address, f"{address}/pay", card_token="tok_visa")
    assert flashed(client.follow(response)) == ["Thank you, the payment went through."]
    response = client.submit("/billing", f"{address}/pay", card_token="tok_visa")
    assert "is paid." in flashed(client.follow(response))[0]
