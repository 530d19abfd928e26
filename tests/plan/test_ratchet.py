"""The list of known crossings may only shrink."""

from __future__ import annotations

from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.graph import Graph
from migrator.plan.check import check
from migrator.plan.propose import propose

CANCEL = "      used call shop.payments.services.refund\n    def shop.orders.views.remind_all"


def grown(old: str, new: str) -> Graph:
    assert old in SHOP
    graph = sketch(SHOP.replace(old, new, 1))
    graph.program.digest = "later"
    return graph


def test_code_as_it_was_crosses_nothing_new() -> None:
    result = check(sketch(SHOP), propose(sketch(SHOP)))
    assert (result.new_crossings, result.gone_crossings, result.edited) == ([], [], False)


def test_a_new_call_is_found_at_its_line() -> None:
    plan = propose(sketch(SHOP))
    listed = {call.function for call in plan.services["orders"].calls}
    assert "shop.members.services.register" not in listed
    graph = grown(
        "      call shop.mail.services.post\n    def shop.orders.views.show",
        "      call shop.mail.services.post\n      used call shop.members.services.register\n"
        "    def shop.orders.views.show",
    )
    result = check(graph, plan)
    (new,) = [f for f in result.new_crossings if f.subject == "shop.members.services.register"]
    calls = graph.program.functions["shop.orders.views.place"].events
    line = next(e.line for e in calls if e.target == "shop.members.services.register")
    assert new.at == f"shop/orders/views.py:{line}"
    assert not result.clean


def test_one_more_place_of_a_known_crossing_is_new() -> None:
    again = CANCEL.replace("\n", "\n      used call shop.payments.services.refund\n", 1)
    result = check(grown(CANCEL, again), propose(sketch(SHOP)))
    (new,) = result.new_crossings
    assert new.subject == "shop.payments.services.refund"
    assert new.message.endswith("at one more place")


def test_a_table_that_is_newly_read_is_a_crossing() -> None:
    read = "    def shop.mail.views.inbox()\n      read letters\n"
    result = check(grown(read, read + "      read payments\n"), propose(sketch(SHOP)))
    (new,) = result.new_crossings
    assert (new.subject, new.message) == ("payments", "mail reads payments of payments")
    assert new.at.startswith("shop/mail/views.py:")


def test_a_crossing_that_is_gone_can_be_taken_off() -> None:
    rest = "    def shop.orders.views.remind_all"
    result = check(grown(CANCEL, rest), propose(sketch(SHOP)))
    assert result.new_crossings == []
    assert "orders -> payments: shop.payments.services.refund" in result.gone_crossings


def test_lines_that_moved_are_no_crossings() -> None:
    place = "    def shop.orders.views.place"
    result = check(grown(place, "\n\n\n" + place), propose(sketch(SHOP)))
    assert result.new_crossings == []


def test_what_follows_from_an_edit_is_no_fault_of_the_code() -> None:
    graph = sketch(SHOP)
    plan = propose(graph)
    plan.services["orders"].entry_points.append("route:payments.pay")
    plan.services["payments"].entry_points.remove("route:payments.pay")
    result = check(graph, plan)
    assert result.edited
    assert result.new_crossings == []
    assert any(c.function.endswith("services.pay") for c in result.plan.services["orders"].calls)
