"""Why something is where it is, and what ties two things."""

from __future__ import annotations

import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.errors import ConfigurationError
from migrator.plan.explain.answer import Explainer, Line
from migrator.plan.propose import propose


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(sketch(SHOP), propose(sketch(SHOP)))


def said(lines: list[Line], *words: str) -> list[Line]:
    return [line for line in lines if all(word in line.text for word in words)]


def test_a_table(explainer: Explainer) -> None:
    lines = explainer.why("refunds")
    assert lines[0].text == "table refunds is owned by payments"
    assert said(lines, "tied to payments", "transactions", "packages")
    committed = said(lines, "commit it in 2 transactions together with payments (2)")
    assert [each.at[0].rpartition(":")[0] for each in committed] == ["shop/payments/services.py"]
    assert said(lines, "route:orders.cancel and route:payments.refund commit it")
    assert said(lines, "drawn to payments by", "transactions")
    assert said(
        lines, "inserted by route:orders.cancel (orders) and route:payments.refund", "refund"
    )


def test_an_entry_point_by_endpoint_or_rule(explainer: Explainer) -> None:
    lines = explainer.why("orders.cancel")
    assert lines == explainer.why("/orders/<id>/cancel")
    assert lines[0].text == "route:orders.cancel is answered by orders"
    assert said(lines, "writes members", "in a hook, so it does not bind")
    assert said(lines, "crosses at shop.payments.services.refund to payments (call)")


def test_a_function(explainer: Explainer) -> None:
    lines = explainer.why("shop.payments.services.refund")
    assert lines[0].at[0].startswith("shop/payments/services.py:")
    assert said(lines, "its code runs in payments: route:payments.refund")
    assert said(lines, "orders does not run it: call to payments")[0].at


def test_a_service_and_a_module(explainer: Explainer) -> None:
    assert said(explainer.why("mail"), "Owns letters")
    assert said(explainer.why("payments"), "relational store, sqlite, generated: 1 commit of")
    assert said(explainer.why("shop.mail.services"), "function shop.mail.services.post")


def test_what_ties_two_services(explainer: Explainer) -> None:
    lines = explainer.between("orders", "payments")
    path = "shop.orders.views.cancel -> shop.payments.services.refund"
    crossing = said(lines, "orders crosses at shop.payments.services.refund (call)")
    assert [line.at for line in crossing] == [("shop/orders/views.py:56",)]
    assert said(lines, "payments has copies of orders")
    assert said(lines, "both write")
    tied = explainer.between("orders.cancel", "refunds")
    assert said(tied, path)
    assert said(tied, "cancel calls refund")[0].at == ("shop/orders/views.py:56",)
    assert said(tied, "1 path from route:orders.cancel to refunds: the cheapest cut is 1 call")
    assert said(tied, f"cut {path}")[0].at == ("shop/orders/views.py:56",)
    assert said(explainer.between("payments", "orders"), "payments.orders_id refers to orders.id")


def test_what_ties_two_tables(explainer: Explainer) -> None:
    lines = explainer.between("table:payments", "refunds")
    assert said(lines, "route:payments.refund commits both")[0].at[0].startswith("shop/payments/")
    assert said(lines, "route:orders.cancel writes both")
    assert said(lines, "route:payments.show reads both")[0].at[0].startswith("shop/payments/")
    assert said(lines, "refunds.payments_id refers to payments.id")


def test_things_that_nothing_ties(explainer: Explainer) -> None:
    assert said(explainer.between("mail.read", "refunds"), "nothing ties them")


def test_names_that_mean_nothing_or_too_much(explainer: Explainer) -> None:
    with pytest.raises(ConfigurationError, match="nothing is called"):
        explainer.why("nonsense")
    with pytest.raises(ConfigurationError, match="means 3 things"):
        explainer.why("show")


def test_what_is_decided_of_a_function_is_said_wherever_it_crosses() -> None:
    plan = propose(sketch(SHOP))
    plan.remedies["shop.members.services.touch"] = "call"
    explainer = Explainer(sketch(SHOP), plan)
    lines = explainer.why("shop.members.services.touch")
    assert said(lines, "decided for all its crossings: call")
    assert said(lines, "orders does not run it: call to members")
    assert said(explainer.why("orders"), "crosses at shop.members.services.touch", "(call)")
    assert said(explainer.between("orders", "members"), "services.touch (call)")
