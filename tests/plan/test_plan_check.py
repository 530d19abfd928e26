"""Whether the code still fits a plan, and what an edit costs."""

from __future__ import annotations

import msgspec
import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.graph import Graph
from migrator.model.program import StateFinding
from migrator.plan.check import check
from migrator.plan.consequences.digests import changes, stamped
from migrator.plan.propose import propose


def changed(*changes_: tuple[str, str]) -> Graph:
    text = SHOP
    for old, new in changes_:
        assert old in text
        text = text.replace(old, new)
    graph = sketch(text)
    graph.program.digest = "later"
    return graph


def test_a_proposal_is_clean() -> None:
    graph = sketch(SHOP)
    result = check(graph, propose(graph), propose(graph))
    assert result.clean and not result.restamped
    assert result.cost == []
    assert sum(s.share for s in result.score.services) > 0


def test_what_an_edit_costs() -> None:
    graph = sketch(SHOP)
    plan = propose(graph)
    for section in ("tables", "entry_points"):
        getattr(plan.services["orders"], section).extend(
            getattr(plan.services["payments"], section)
        )
    del plan.services["payments"]
    result = check(graph, plan, propose(graph))
    assert result.clean
    assert result.cost[0] == "services: 4 -> 3 (-1)"
    assert any(line.startswith("calls that cross: ") for line in result.cost)


def test_code_that_moved_makes_no_plan_stale() -> None:
    result = check(
        changed(("    def shop.members.hooks.load", "\n\n    def shop.members.hooks.load")),
        propose(sketch(SHOP)),
    )
    assert result.stale == [] and result.restamped


def test_what_a_newer_analysis_sees_in_the_same_code_makes_no_plan_stale() -> None:
    plan = propose(sketch(SHOP))
    plan.made_from.program = "later"
    graph = changed(("update orders\n", "update orders\n      read letters\n"))
    assert check(graph, plan).stale == []
    graph.program.digest = "other code"
    assert check(graph, plan).stale


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "POST /payments payments",
            "PUT /payments payments",
            ["entry point route:payments.pay has changed"],
        ),
        (
            "table refunds shop/payments/models.py -> payments",
            "table refunds shop/payments/models.py",
            ["table refunds has changed"],
        ),
        (
            "-> letters\n      insert letters",
            "-> letters\n      read letters\n      insert letters",
            ["function shop.mail.services.post has changed"],
        ),
        (
            "signal registered",
            "route GET /new mail.new shop.mail.views.read\nsignal registered",
            ["entry point route:mail.new is new"],
        ),
    ],
)
def test_a_plan_is_stale_when_something_that_it_names_has_changed(
    old: str, new: str, told: list[str]
) -> None:
    assert set(told) <= set(changes(changed((old, new)), propose(sketch(SHOP))))


def test_a_plan_that_is_stamped_anew_is_fresh() -> None:
    graph = changed(("POST /payments payments", "PUT /payments payments"))
    plan = propose(sketch(SHOP))
    assert changes(graph, plan)
    assert not changes(graph, stamped(graph, plan))


UPLOADS = StateFinding(
    kind="local-file", name="UPLOADS", file="shop/mail/views.py", line=4, path="{data}/uploads"
)


def test_a_plan_is_stale_when_somebody_else_writes_a_folder() -> None:
    graph = sketch(SHOP)
    graph.program.state = [msgspec.structs.replace(UPLOADS, writers=("shop.mail.services.post",))]
    plan = propose(graph)
    later = changed(("    def shop.members.hooks.load", "\n    def shop.members.hooks.load"))
    later.program.state = [UPLOADS]
    assert changes(later, plan) == ["folder {data}/uploads has changed"]
    later.program.state = []
    assert changes(later, plan) == ["folder {data}/uploads is gone"]


def test_facts_of_another_version_of_migrator_are_not_compared_one_by_one() -> None:
    graph = changed(("POST /payments payments", "PUT /payments payments"))
    plan = propose(sketch(SHOP))
    plan.made_from.engine = "another"
    (told,) = changes(graph, plan)
    assert "another version of migrator made the plan" in told
    plan.made_from.program = graph.program.digest
    assert changes(graph, plan) == []
