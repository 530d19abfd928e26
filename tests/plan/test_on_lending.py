"""The plan of a real, small monolith, from its source to the file and back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from migrator.facts.settings import load_settings
from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.model.progress import Silent
from migrator.plan.propose import propose
from migrator.plan.resolve import resolve
from migrator.plan.store import load, save

SOURCE = Path(__file__).parents[1] / "assets" / "lending"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    root = tmp_path_factory.mktemp("monolith") / "lending"
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    return build_graph(root, load_settings(root), Silent())


@pytest.fixture(scope="module")
def plan(graph: Graph) -> Plan:
    return propose(graph)


def test_its_domains(plan: Plan) -> None:
    owned = {frozenset(service.tables) for service in plan.services.values()}
    assert owned == {
        frozenset({"borrower", "journal"}),
        frozenset({"fee", "loan"}),
        frozenset({"repair", "tool"}),
    }


def test_its_crossings(plan: Plan) -> None:
    people, loans = plan.owner_of("borrower"), plan.owner_of("loan")
    remedies = {
        (name, call.function.rpartition(".")[2]): call.remedy
        for name, service in plan.services.items()
        for call in service.calls
    }
    assert remedies[(loans, "take")] == "call"
    assert remedies[(loans, "put_back")] == "call"
    assert remedies[(loans, "note")] == "defer"
    for name in set(plan.services) - {people}:
        assert remedies[(name, "seen")] == "defer"
    assert set(remedies.values()) == {"call", "defer"}
    assert not any(finding.kind == "split-transaction" for finding in plan.findings)


def test_its_file(graph: Graph, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "migrator.plan.yaml"
    save(plan, path, graph)
    before = path.read_text()
    save(resolve(graph, load(path)), path, graph)
    assert path.read_text() == before
