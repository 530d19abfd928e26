"""The plan after each step: who owns, who answers, and what remains."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from migrator.facts.settings import load_settings
from migrator.graph.build import build_graph
from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.plan import Folder, Plan, Service
from migrator.model.progress import Silent
from migrator.plan.resolve import resolve
from migrator.plan.steps import plan_at_step, taken_in_order

LENDING = Path(__file__).parents[1] / "assets" / "lending"
TABLES = {"people": ["borrower", "journal"], "bench": ["repair", "tool"], "loans": ["fee", "loan"]}
ROUTES = {
    "people": ["bar", "borrower", "enrol", "journal", "leave", "show_card", "static"],
    "bench": ["bench.fault", "bench.kinds", "bench.mended", "bench.tool", "bench.tools"],
    "loans": ["back", "caretakers_round", "counter", "my_loans", "pay"],
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    root = tmp_path_factory.mktemp("steps") / "app"
    shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    return build_graph(root, load_settings(root), Silent())


@pytest.fixture(scope="module")
def plan(graph: Graph) -> Plan:
    services = {
        name: Service(
            order=number,
            tables=TABLES[name],
            entry_points=[f"route:{route}" for route in ROUTES[name]],
        )
        for number, name in enumerate(TABLES, start=1)
    }
    return resolve(graph, Plan(services=services))


def test_each_step_takes_one_service_more(graph: Graph, plan: Plan) -> None:
    assert taken_in_order(plan) == ["people", "bench", "loans"]
    alone = plan_at_step(graph, plan, 0)
    assert list(alone.services) == ["remainder"]
    assert alone.services["remainder"].calls == []
    for step in (1, 2):
        taken = taken_in_order(plan)[:step]
        now = plan_at_step(graph, plan, step)
        assert set(now.services) == {*taken, "remainder"}
        for name in taken:
            assert now.services[name].tables == plan.services[name].tables
        rest = sorted(t for name in TABLES if name not in taken for t in TABLES[name])
        assert now.services["remainder"].tables == rest
    assert plan_at_step(graph, plan, 3) == plan
    with pytest.raises(ConfigurationError, match="no step 4"):
        plan_at_step(graph, plan, 4)


def test_the_remainder_answers_reads_of_the_service_taken_out_last(
    graph: Graph, plan: Plan
) -> None:
    now = plan_at_step(graph, plan, 1)
    remainder = now.services["remainder"]
    assert set(remainder.also_answers) == {
        *("route:borrower", "route:journal", "route:show_card", "route:static")
    }
    assert set(remainder.replicas) == {"borrower", "journal"}
    assert now.in_transition()["route:journal"] == "remainder"
    # It owns none of it, and the writes stay where the tables are.
    assert not set(remainder.also_answers) & set(remainder.entry_points)
    later = plan_at_step(graph, plan, 2).services["remainder"]
    assert set(later.also_answers) <= {f"route:{route}" for route in ROUTES["bench"]}
    # What is kept in the process is answered by one side only.
    assert "route:bench.kinds" not in later.also_answers


def test_a_folder_of_a_service_that_was_not_taken_out_yet_is_the_remainder_s(
    graph: Graph, plan: Plan
) -> None:
    shared = copy.deepcopy(plan)
    for name in ("people", "loans"):
        shared.services[name].folders["cards"] = Folder(owner="loans", writes=name == "loans")
    now = plan_at_step(graph, shared, 1)
    assert now.services["people"].folders["cards"].owner == "remainder"
    assert plan_at_step(graph, shared, 3).services["people"].folders["cards"].owner == "loans"


def test_decisions_stay(graph: Graph, plan: Plan) -> None:
    decided = resolve(graph, plan)
    for call in decided.services["loans"].calls:
        if call.function.endswith("shelf.take"):
            call.transport = "thrift"
    now = plan_at_step(graph, decided, 2)
    calls = {call.function: call for call in now.services["remainder"].calls}
    assert calls["workshop.shelf.take"].transport == "thrift"
    assert calls["workshop.shelf.take"].owner == "bench"
