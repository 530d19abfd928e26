"""What follows from a plan that people edited, and what cannot follow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.errors import PlanError
from migrator.model.plan import Crossing, Plan, Service
from migrator.plan.proposals import propose_all
from migrator.plan.propose import propose
from migrator.plan.resolve import Resolver, resolve, resolve_with_consequences
from migrator.plan.score import score
from migrator.plan.store import load, save


def edited(change: Callable[[dict[str, Service]], object], text: str = SHOP) -> Plan:
    plan = propose(sketch(text))
    change(plan.services)
    return plan


def crossing(plan: Plan, service: str, end: str) -> Crossing:
    return next(c for c in plan.services[service].calls if c.function.endswith(end))


def test_a_proposal_resolves_to_itself() -> None:
    plan = propose(sketch(SHOP))
    assert resolve(sketch(SHOP), plan) == plan


def test_a_moved_table_makes_its_writers_cross() -> None:
    def move(services: dict[str, Service]) -> None:
        services["payments"].tables.remove("refunds")
        services["payments"].tables.remove("payments")
        services["orders"].tables += ["refunds", "payments"]

    plan = resolve(sketch(SHOP), edited(move))
    assert crossing(plan, "payments", "services.refund").owner == "orders"
    assert crossing(plan, "payments", "services.pay").remedy == "call"
    assert "payments" in plan.services["payments"].replicas
    assert not any(c.function.endswith("refund") for c in plan.services["orders"].calls)


def test_two_services_become_one() -> None:
    def merge(services: dict[str, Service]) -> None:
        other = services.pop("payments")
        services["orders"].tables += other.tables
        services["orders"].entry_points += other.entry_points

    plan = resolve(sketch(SHOP), edited(merge))
    assert sorted(plan.services) == ["mail", "members", "orders"]
    assert not any(c.function.endswith("refund") for c in plan.services["orders"].calls)
    assert sorted(s.order for s in plan.services.values()) == [1, 2, 3]


def test_a_service_is_renamed() -> None:
    def rename(services: dict[str, Service]) -> None:
        services["accounts"] = services.pop("members")

    plan = resolve(sketch(SHOP), edited(rename))
    assert crossing(plan, "orders", "touch").owner == "accounts"
    assert plan.services["orders"].replicas["members"].owner == "accounts"


def test_one_domain_and_the_remainder() -> None:
    def first(services: dict[str, Service]) -> None:
        for name in ("orders", "mail", "members"):
            del services[name]
        services["monolith"] = Service(remainder=True)

    plan = resolve(sketch(SHOP), edited(first))
    assert plan.owner_of("members") == "monolith"
    assert plan.service_of("route:orders.show") == "monolith"
    assert crossing(plan, "monolith", "services.refund").owner == "payments"


def test_what_a_person_set_is_kept() -> None:
    def decide(services: dict[str, Service]) -> None:
        orders = services["orders"]
        orders.replicas["members"].freshness = "eventual"
        orders.purpose = "Sells things."
        orders.order, services["payments"].order = 1, 4
        services["mail"].order, services["members"].order = 3, 2
        next(c for c in orders.calls if c.function.endswith("refund")).transport = "thrift"
        next(c for c in orders.calls if c.function.endswith("touch")).remedy = "call"

    plan = resolve(sketch(SHOP), edited(decide))
    orders = plan.services["orders"]
    assert orders.replicas["members"].freshness == "eventual"
    assert orders.purpose == "Sells things."
    assert [n for n, _ in sorted(plan.services.items(), key=lambda s: s[1].order)] == [
        "orders",
        "members",
        "mail",
        "payments",
    ]
    assert crossing(plan, "orders", "refund").transport == "thrift"
    assert crossing(plan, "orders", "touch").remedy == "call"


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    graph = sketch(SHOP)
    path = tmp_path / "migrator.plan.yaml"
    save(propose(graph), path, graph)
    text = path.read_text()
    for old, new in (
        ("\n      - refunds\n", "\n      - refnds\n"),
        ("      - lines\n", "      - lines\n      - letters\n"),
        ("      - addresses\n", ""),
        ("      - route:mail.inbox  # GET /letters\n", "      - route:mail.outbox\n"),
        ("      - route:orders.show", "      - route:payments.pay\n      - route:orders.show"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    with pytest.raises(PlanError) as error:
        resolve(graph, load(path))
    lines = ["", *text.splitlines()]
    told = {p.message: lines[p.place.line].strip() for p in error.value.problems}
    assert told == {
        "the code has no table refnds": "- refnds",
        "the table letters stands twice: in mail and orders": "- letters",
        "no service owns the table addresses": "services:",
        "no service owns the table refunds": "services:",
        "the code has no entry point route:mail.outbox": "- route:mail.outbox",
        "the entry point route:payments.pay stands twice: in orders and payments": "- route:paym"
        "ents.pay  # POST /payments",
    }
    assert all(p.hint for p in error.value.problems)


def test_an_entry_point_that_is_nowhere_is_asked_for_with_a_suggestion() -> None:
    plan = edited(lambda s: s["payments"].entry_points.remove("route:payments.show"))
    with pytest.raises(PlanError, match="no service has the entry point") as error:
        resolve(sketch(SHOP), plan)
    assert "entry points of payments" in error.value.problems[0].hint


def test_an_entry_point_that_was_left_out_can_be_taken_in() -> None:
    plan = edited(lambda s: s["members"].entry_points.append("command:seed"))
    with pytest.raises(PlanError, match=r"shop\.cli\.seed"):
        resolve(sketch(SHOP), plan)


def test_a_tool_that_was_never_placed_is_left_out_when_it_would_be_split() -> None:
    tool = """
    def shop.cli.archive()
      delete letters
      delete lines
      commit
command archive shop.cli.archive
"""
    resolved = resolve(sketch(SHOP + tool), propose(sketch(SHOP)))
    assert "command:archive" in {f.subject for f in resolved.findings if f.kind == "left-out"}


def tear(services: dict[str, Service]) -> None:
    services["members"].tables.remove("addresses")
    services["orders"].tables.append("addresses")


def test_a_transaction_is_not_split_silently() -> None:
    with pytest.raises(PlanError) as error:
        resolve(sketch(SHOP), edited(tear))
    (problem,) = error.value.problems
    assert "shop.members.services.register" in problem.message
    assert "addresses and members are committed together (shop/members/services.py:" in (
        problem.message
    )
    assert "row-write" in problem.hint


@pytest.mark.parametrize("remedy", ["row-write", "saga", "merge"])
def test_a_split_transaction_that_somebody_decided_on(remedy: str) -> None:
    plan = edited(tear)
    plan.services["members"].calls.append(
        Crossing(function="shop.members.services.register", owner="orders", remedy=remedy)
    )
    resolved = resolve(sketch(SHOP), plan)
    assert crossing(resolved, "members", "register").remedy == remedy
    assert {"split-transaction", "decision"} <= {f.kind for f in resolved.findings}


def test_no_service_two_remainders_and_bad_names() -> None:
    with pytest.raises(PlanError, match="no service"):
        resolve(sketch(SHOP), Plan())
    plan = edited(lambda s: s.update({"A b": s.pop("mail"), "x": Service(remainder=True)}))
    plan.services["y"] = Service(remainder=True)
    with pytest.raises(PlanError) as error:
        resolve(sketch(SHOP), plan)
    assert [p.message for p in error.value.problems] == [
        "x is the remainder already, and there is only one",
        "A b cannot be the name of a service",
    ]


TOUCH = "shop.members.services.touch"


def test_a_function_is_decided_once_for_all_who_run_it(tmp_path: Path) -> None:
    graph = sketch(SHOP)
    plan = resolve(graph, propose(graph))
    crossing_it = [name for name in plan.services if name != "members"]
    assert {crossing(plan, name, "touch").remedy for name in crossing_it} == {"defer"}
    plan.remedies[TOUCH] = "call"
    path = tmp_path / "migrator.plan.yaml"
    save(resolve(graph, plan), path, graph)
    assert f"remedies:\n  {TOUCH}: call\n" in path.read_text()
    decided = resolve(graph, load(path))
    assert len(crossing_it) == 3
    assert {crossing(decided, name, "touch").remedy for name in crossing_it} == {"call"}


def test_a_decision_of_a_function_pays_for_a_transaction_that_is_split() -> None:
    plan = edited(tear)
    plan.remedies["shop.members.services.register"] = "row-write"
    decided = crossing(resolve(sketch(SHOP), plan), "members", "register")
    assert (decided.remedy, decided.unit) == ("row-write", "rows")


@pytest.mark.parametrize(
    ("function", "remedy", "message", "hint"),
    [
        ("shop.members.services.tuch", "call", "the code has no function", f"did you mean {TOUCH}"),
        ("shop.members.services.register", "defer", "members cannot write", "row-write and saga"),
        (TOUCH, "copy", "cannot write members of members by copy", "call, defer"),
    ],
)
def test_a_decision_that_cannot_be_followed_is_refused_on_its_line(
    tmp_path: Path, function: str, remedy: str, message: str, hint: str
) -> None:
    graph, path = sketch(SHOP), tmp_path / "migrator.plan.yaml"
    plan = edited(tear)
    plan.remedies = {"shop.members.services.register": "saga", function: remedy}
    save(plan, path)
    with pytest.raises(PlanError) as error:
        resolve(graph, load(path))
    problem = error.value.problems[0]
    assert message in problem.message and hint in problem.hint
    assert path.read_text().splitlines()[problem.place.line - 1] == f"  {function}: {remedy}"


def test_several_plans_of_a_graph_resolve_as_each_alone() -> None:
    graph = sketch(SHOP)
    named = {each.name: each.plan for each in propose_all(graph).listed}
    resolver = Resolver(graph)
    for plan in (*named.values(), *named.values()):
        resolved, consequences, numbers = resolver.scored(plan)
        alone, walks = resolve_with_consequences(sketch(SHOP), plan)
        assert resolved == alone and resolved.proposal == plan.proposal
        assert consequences.walks == walks.walks
        assert numbers == score(alone, graph, walks)
