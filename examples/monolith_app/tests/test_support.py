import pytest
from conftest import eventually, flashed


@pytest.fixture
def customer(register):
    """A new member who has paid 5.99 EUR."""

    def customer(name: str):
        client = register(name)
        body = {"plan": "basic", "card_token": "tok_visa"}
        made = client.post("/api/billing/subscription", json=body).json()
        client.invoice = made["invoice_id"]
        address = f"/api/billing/invoices/{client.invoice}/payments"
        assert client.post(address, json={"card_token": "tok_visa"}).status_code == 201
        return client

    return customer


def ask(client, subject: str = "Help", **more) -> dict:
    body = {"subject": subject, "body": "It does not work.", **more}
    response = client.post("/api/tickets", json=body)
    assert response.status_code == 201, response.text
    return response.json()


def refund(staff, ticket: dict, cents: int):
    body = {"cents": cents, "reason": "Sorry"}
    return staff.post(f"/api/tickets/{ticket['id']}/refund", json=body)


def test_ticket(sign_in):
    client = sign_in("dave")
    ticket = ask(client, "No picture")
    assert (ticket["status"], ticket["invoice"], ticket["refund"]) == ("open", None, None)
    messages = [{"author": "Dave Dietz", "staff": False, "body": "It does not work."}]
    assert ticket["messages"] == messages
    assert client.get(f"/api/tickets/{ticket['id']}").json() == ticket


def test_ticket_needs_a_subject(sign_in):
    assert sign_in("dave").post("/api/tickets", json={"body": "x"}).status_code == 400


def test_tickets_of_others(sign_in, staff):
    ticket = ask(sign_in("dave"))
    address = f"/api/tickets/{ticket['id']}"
    assert sign_in("grace").get(address).status_code == 404
    assert staff.get(address).json()["member"] == "dave@stream.example"
    assert sign_in("grace").get("/api/tickets").json()["total"] == 0
    assert staff.get("/api/tickets").json()["items"][0]["id"] == ticket["id"]


def test_answer_is_notified(register, staff):
    client = register("nils")
    ticket = ask(client, "Where is my film?")
    address = f"/api/tickets/{ticket['id']}/messages"
    answered = staff.post(address, json={"body": "Under F."}).json()
    assert answered["status"] == "answered"
    notifications = eventually(lambda: client.get("/api/notifications").json()["items"], bool)
    assert [item["text"] for item in notifications] == [
        "We answered your question: Where is my film?"
    ]
    assert client.post(address, json={"body": "Thanks."}).json()["status"] == "open"


def test_closed_ticket_takes_no_answer(sign_in):
    client = sign_in("dave")
    ticket = ask(client)
    address = f"/api/tickets/{ticket['id']}"
    assert client.post(f"{address}/close").json()["status"] == "closed"
    assert client.post(f"{address}/messages", json={"body": "Hello?"}).status_code == 409


def test_refund_is_shown_in_the_ticket_and_on_the_invoice(customer, staff):
    client = customer("olga")
    ticket = ask(client, "Charged twice", invoice_id=client.invoice)
    response = refund(staff, ticket, 300)
    assert response.status_code == 201
    number = ticket["invoice"]
    made = response.json()["refund"]
    assert (made["invoice"], made["cents"], made["reason"]) == (number, 300, "Sorry")
    assert made["reference"] == f"re_{number}-refund-1"
    last = response.json()["messages"][-1]
    assert last["body"] == f"We refunded 3.00 EUR of {number} (re_{number}-refund-1)."
    assert client.get(f"/api/tickets/{ticket['id']}").json() == response.json()
    invoice = client.get(f"/api/billing/invoices/{client.invoice}").json()
    assert (invoice["refunded_cents"], invoice["refunds"]) == (300, [made])


def test_refund_is_limited_to_what_was_paid(customer, staff):
    client = customer("pia")
    ticket = ask(client, invoice_id=client.invoice)
    response = refund(staff, ticket, 600)
    assert response.status_code == 409
    error = response.json()["error"]
    assert error["refundable_cents"] == 599
    assert error["message"] == f"Of {ticket['invoice']} at most 599 cents can be refunded."
    assert staff.get(f"/api/tickets/{ticket['id']}").json() == ticket
    assert refund(staff, ticket, 599).status_code == 201
    second = ask(client, invoice_id=client.invoice)
    assert refund(staff, second, 1).json()["error"]["refundable_cents"] == 0


def test_ticket_is_refunded_once(customer, staff):
    client = customer("ralf")
    ticket = ask(client, invoice_id=client.invoice)
    assert refund(staff, ticket, 100).status_code == 201
    assert refund(staff, ticket, 100).status_code == 409
    assert refund(staff, ask(client), 100).status_code == 409


def test_refunds_are_made_by_staff(customer):
    client = customer("sara")
    assert refund(client, ask(client, invoice_id=client.invoice), 100).status_code == 403


def test_invoice_of_another_member(customer, sign_in):
    body = {"subject": "Mine?", "body": "No.", "invoice_id": customer("toni").invoice}
    assert sign_in("dave").post("/api/tickets", json=body).status_code == 409


def test_ticket_by_form(customer, staff):
    client = customer("ulla")
    assert f'<option value="{client.invoice}">' in client.page("/support")
    fields = {"subject": "Too dear", "body": "Really.", "invoice_id": str(client.invoice)}
    response = client.submit("/support", "/support/tickets", **fields)
    address = response.headers["Location"]
    ticket_id = address.rsplit("/", 1)[1]
    page = client.follow(response)
    assert flashed(page) == [f"Ticket {ticket_id} is open. We will answer soon."]
    assert "<blockquote><b>Ulla</b> Really.</blockquote>" in page.text

    response = staff.submit(address, f"{address}/messages", body="True.")
    assert flashed(staff.follow(response)) == ["Sent."]
    eventually(lambda: client.get("/api/notifications").json()["unread"], lambda count: count == 1)
    response = staff.submit(address, f"{address}/refund", cents="9999", reason="Fair")
    assert "at most 599 cents" in flashed(staff.follow(response))[0]
    response = staff.submit(address, f"{address}/refund", cents="99", reason="Fair")
    page = staff.follow(response)
    assert flashed(page)[0].startswith("Refunded: re_INV-")
    assert ": 0.99 EUR</p>" in page.text


def test_empty_form(sign_in):
    client = sign_in("dave")
    response = client.submit("/support", "/support/tickets", subject="", body="")
    assert flashed(client.follow(response)) == ["Please tell us what it is about."]
