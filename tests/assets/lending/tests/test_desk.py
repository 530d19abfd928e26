import itertools
import os

import pytest
import requests

BASE = os.environ["BASE_URL"].rstrip("/")
numbers = itertools.count(500)


class Visitor(requests.Session):
    def request(self, method, path, **options):
        return super().request(method, BASE + path, timeout=20, **options)


@pytest.fixture
def visitor():
    with Visitor() as session:
        yield session


@pytest.fixture
def member(visitor):
    visitor.card = f"T{next(numbers)}"
    made = visitor.post("/borrowers", json={"card": visitor.card, "name": "Ida Holm", "pin": "1"})
    assert made.status_code == 201
    shown = visitor.post("/card", data={"card": visitor.card, "pin": "1"})
    assert shown.status_code == 200
    assert "Hello Ida Holm" in shown.text
    return visitor


@pytest.fixture
def tool(visitor):
    form = {"name": "Tile cutter", "kind": "power", "deposit_cents": 2000}
    made = visitor.post("/tools", json=form)
    assert made.status_code == 201
    return made.json()["id"]


def test_seeded_tools_are_listed_by_kind(visitor):
    names = [each["name"] for each in visitor.get("/tools", params={"kind": "garden"}).json()]
    assert "Spade" in names
    assert "Hammer drill" not in names


def test_counter_shows_kinds(visitor):
    page = visitor.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "garden: " in page.text


def test_a_new_tool_is_counted_at_once(visitor, tool):
    before = visitor.get("/tools/kinds").json()["power"]
    visitor.post("/tools", json={"name": "Jigsaw", "kind": "power"})
    assert visitor.get("/tools/kinds").json()["power"] == before + 1


def test_wrong_pin(visitor):
    answer = visitor.post("/card", data={"card": "N100", "pin": "0"})
    assert answer.status_code == 401
    assert answer.json()["kind"] == "Refusal"


def test_same_card_twice(member):
    again = {"card": member.card, "name": "Other", "pin": "2"}
    assert member.post("/borrowers", json=again).status_code == 409


def test_signing_out(member):
    assert "Ida Holm" in member.get("/").text
    assert "Ida Holm" not in member.post("/leave").text


def test_coming_in_is_in_the_journal(member):
    assert member.get(f"/journal/{member.card}").json() == ["came in"]


def test_last_seen_is_set_by_any_page(member):
    member.get("/tools")
    assert member.get(f"/borrowers/{member.card}").json()["seen"] is True


def test_borrowing_needs_a_card(visitor, tool):
    assert visitor.post("/loans", json={"tool": tool}).status_code == 401


def test_borrow_and_bring_back(member, tool):
    loan = member.post("/loans", json={"tool": tool})
    assert loan.status_code == 201
    assert loan.json()["tool"] == "Tile cutter"
    assert member.get(f"/tools/{tool}").json()["on_shelf"] is False
    assert "Tile cutter is with you" in member.get("/").text
    back = member.post(f"/loans/{loan.json()['id']}/back").json()
    assert back["returned"] is True
    assert member.get(f"/tools/{tool}").json()["on_shelf"] is True


def test_a_tool_that_is_out(member, tool):
    member.post("/loans", json={"tool": tool})
    second = member.post("/loans", json={"tool": tool})
    assert second.status_code == 409
    assert second.json() == {"error": "Tile cutter is not on the shelf", "kind": "NotOnShelf"}
    assert len(member.get("/loans").json()) == 1


def test_no_such_tool(member):
    assert member.post("/loans", json={"tool": 999999}).status_code == 404


def test_broken_tools_cost_a_fee(member, tool):
    loan = member.post("/loans", json={"tool": tool}).json()["id"]
    fee = member.post(f"/loans/{loan}/back?broken=1").json()["fees"][0]
    assert fee["cents"] == 1000
    assert member.post(f"/fees/{fee['id']}/pay").json()["paid"] is True
    assert member.post(f"/fees/{fee['id']}/pay").status_code == 409


def test_barred_cards_get_nothing(member, tool):
    member.post(f"/borrowers/{member.card}/bar")
    assert member.post("/loans", json={"tool": tool}).status_code == 403


def test_faults_take_a_tool_off_the_shelf(visitor, tool):
    broken = visitor.post(f"/tools/{tool}/faults", json={"fault": "blade loose"}).json()
    assert broken["faults"] == ["blade loose"]
    assert broken["on_shelf"] is False
    mended = visitor.post(f"/tools/repairs/{broken['repair']}/done").json()
    assert mended["on_shelf"] is True


def test_a_fault_on_loan_keeps_it_off_the_shelf(member, tool):
    loan = member.post("/loans", json={"tool": tool}).json()["id"]
    member.post(f"/tools/{tool}/faults", json={"fault": "cord cut"})
    member.post(f"/loans/{loan}/back")
    assert member.get(f"/tools/{tool}").json()["on_shelf"] is False


def test_scrapping(visitor, tool):
    visitor.post(f"/tools/{tool}/faults", json={"fault": "rusted"})
    assert visitor.delete(f"/tools/{tool}").status_code == 409
    fresh = visitor.post("/tools", json={"name": "Rake", "kind": "garden"}).json()["id"]
    assert visitor.delete(f"/tools/{fresh}").status_code == 204
    assert visitor.get(f"/tools/{fresh}").status_code == 404


def test_the_round_joins_everything(member, tool):
    member.post("/loans", json={"tool": tool})
    assert {"who": "Ida Holm", "what": "Tile cutter", "cents": 0} in member.get("/round").json()
