"""What a request is expected to wait for: what it passes, and not all that can be reached."""

from __future__ import annotations

import pytest
from monolith_sketch import sketch

from migrator.model.graph import Confidence, EdgeKind, Graph, NodeKind
from migrator.model.plan import Plan, Replica, Service
from migrator.model.program import Observed
from migrator.plan.consequences.dependence import CALL_MS, CATCH_UP_MS, dependence
from migrator.plan.resolve import resolve_with_consequences

SKETCH = """
table notes desk/models.py
table items stock/models.py
table sums bank/models.py

    def desk.views.start()
      insert notes
      commit
    def stock.services.take() -> items
      insert items
      commit
    def bank.services.pay() -> sums
      insert sums
      commit
    def stock.services.sell() -> items
      insert items
      commit
      used call bank.services.pay
    def desk.services.nothing()
      read notes
    def desk.services.take_twice()
      insert notes
      commit
      used call stock.services.take
      used call stock.services.take
    def desk.services.again()
      used call stock.services.take
      used maybe call desk.services.again

    def desk.views.once()
      used call stock.services.take
    def desk.views.twice()
      used call desk.services.take_twice
    def desk.views.perhaps()
      used maybe call stock.services.take
    def desk.views.perhaps_below()
      used maybe call desk.services.take_twice
    def desk.views.each()
      used loop call stock.services.take
    def desk.views.each_below()
      used loop call desk.services.take_twice
    def desk.views.either()
      used call stock.services.take
      or used call desk.services.nothing
    def desk.views.over_and_over()
      used call desk.services.again
    def desk.views.through()
      used call stock.services.sell
    def desk.views.show()
      read items
    def desk.services.by_hand() generator
      insert items
      commit
    def desk.views.rows()
      insert items
      commit
      update sums
      commit
      used loop call desk.services.by_hand
    def desk.views.rows_perhaps()
      used maybe call desk.services.by_hand
"""
ROUTES = (
    "once", "twice", "perhaps", "perhaps_below", "each", "each_below", "either", "over_and_over",
    "through", "show", "start", "rows", "rows_perhaps",
)  # fmt: skip


def plan_of(graph: Graph) -> Plan:
    return Plan(
        services={
            "desk": Service(tables=["notes"], entry_points=[f"route:desk.{r}" for r in ROUTES]),
            "stock": Service(tables=["items"]),
            "bank": Service(tables=["sums"]),
        }
    )


def added(graph: Graph) -> dict[str, float]:
    plan, consequences = resolve_with_consequences(graph, plan_of(graph))
    found = dependence(plan, graph, consequences)
    return {name.removeprefix("route:desk."): ms for name, ms in found.added_ms.items()}


def graph_of() -> Graph:
    routes = "\n".join(f"route POST /{r} desk.{r} desk.views.{r}" for r in ROUTES)
    return sketch(SKETCH + routes)


@pytest.mark.parametrize(
    ("route", "calls"),
    [
        ("start", 0),
        ("once", 1),
        ("twice", 2),
        ("perhaps", 0.5),
        ("perhaps_below", 1),
        ("each", 3),
        ("each_below", 6),
        ("either", 0.5),
        ("over_and_over", 1),
        # The owner of items waits for the bank in its turn.
        ("through", 2),
        # Rows of two owners, each sent once.
        ("rows", 2),
        ("rows_perhaps", 0.5),
    ],
)
def test_calls_are_counted_as_often_as_a_request_is_expected_to_pass_them(
    route: str, calls: float
) -> None:
    assert added(graph_of())[route] == pytest.approx(calls * CALL_MS)


def test_a_route_that_reads_copies_catches_up_with_them_once() -> None:
    assert added(graph_of())["show"] == CATCH_UP_MS


def test_a_copy_that_may_be_stale_is_not_caught_up_with() -> None:
    graph = graph_of()
    plan, consequences = resolve_with_consequences(graph, plan_of(graph))
    plan.services["desk"].replicas["items"] = Replica(owner="stock", freshness="eventual")
    assert dependence(plan, graph, consequences).added_ms["route:desk.show"] == 0


def test_services_that_may_be_asked_are_needed() -> None:
    graph = graph_of()
    plan, consequences = resolve_with_consequences(graph, plan_of(graph))
    on = dependence(plan, graph, consequences).on
    assert on["route:desk.through"] == {"desk", "stock", "bank"}
    assert on["route:desk.perhaps"] == {"desk", "stock"}
    assert on["route:desk.show"] == {"desk"}


def test_what_was_observed_counts_instead_of_what_is_assumed() -> None:
    graph = graph_of()

    def saw(caller: str, callee: str, count: int) -> None:
        source = graph.find(NodeKind.FUNCTION, caller) or graph.add_node(NodeKind.FUNCTION, caller)
        target = graph.find(NodeKind.FUNCTION, callee) or graph.add_node(NodeKind.FUNCTION, callee)
        graph.add_edge(EdgeKind.CALLS, source, target, "", 1, Confidence.OBSERVED, count)

    graph.program.observed = Observed(digest="records")
    # Ten runs of the function made five calls, and not the twenty that its text promises.
    saw("desk.views.twice", "desk.services.take_twice", 10)
    saw("desk.services.take_twice", "stock.services.take", 5)
    assert added(graph)["twice"] == pytest.approx(0.5 * CALL_MS)
