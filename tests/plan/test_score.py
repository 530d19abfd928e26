"""What a plan costs: the same numbers however the cut came about."""

from __future__ import annotations

import msgspec
import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.plan import Plan, Service
from migrator.plan.propose import propose_with_consequences
from migrator.plan.resolve import resolve_with_consequences
from migrator.plan.score import Score, score

GRAPH = sketch(SHOP)


@pytest.fixture(scope="module")
def shop() -> Score:
    plan, consequences = propose_with_consequences(GRAPH)
    return score(plan, GRAPH, consequences)


def service(found: Score, name: str):
    return next(each for each in found.services if each.name == name)


def test_an_edit_scores_as_a_proposal_of_the_same_cut(shop: Score) -> None:
    plan, _ = propose_with_consequences(GRAPH)
    bare = Plan(
        services={
            name: Service(tables=s.tables, entry_points=s.entry_points)
            for name, s in plan.services.items()
        },
        findings=plan.findings,
    )
    edited, consequences = resolve_with_consequences(GRAPH, bare)
    assert score(edited, GRAPH, consequences) == shop


def test_a_service_takes_down_its_routes_and_those_that_wait_for_it(shop: Score) -> None:
    # Of 13 routes: three of its own, and reminding waits for letters; an order does not.
    assert service(shop, "mail").routes == 3
    assert service(shop, "mail").blast_radius == pytest.approx(4 / 13)
    # Nobody waits for an order.
    assert service(shop, "orders").blast_radius == pytest.approx(4 / 13)


def test_crossings_by_what_carries_them(shop: Score) -> None:
    assert shop.transports == {"outbox": shop.deferred, "rest": shop.calls}
    assert shop.automation == 1.0


def test_the_forecast_counts_the_calls_that_a_route_waits_for(shop: Score) -> None:
    assert shop.whole is not None
    latency = shop.whole.latency
    # A letter for each of many orders is thrice a call, and its replicas are caught up with once.
    assert latency.worst == "route:orders.remind_all"
    assert latency.worst_ms == 12.3
    assert not latency.weighed
    assert latency.slowed == 3


def test_one_service_costs_nothing() -> None:
    plan = Plan(
        services={
            "everything": Service(
                remainder=True,
                tables=sorted(GRAPH.program.tables),
            )
        }
    )
    resolved, consequences = resolve_with_consequences(GRAPH, plan)
    whole = score(resolved, GRAPH, consequences)
    assert whole.transports == {} and whole.replicas == 0
    assert whole.whole is not None
    assert (whole.whole.copied, whole.whole.latency.mean_ms) == (0, 0)
    assert (whole.whole.measures.icp, whole.whole.measures.ifn) == (0, 0)
    assert whole.whole.measures.database_purity == 1
    assert [each.blast_radius for each in whole.services] == [1.0]


def test_numbers_travel_as_json(shop: Score) -> None:
    assert msgspec.json.decode(msgspec.json.encode(shop), type=Score) == shop
