"""What an edit is said to cost is what a fresh proposal of the same cut costs, on the example."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.graph import Graph
from migrator.model.plan import Plan, Service
from migrator.model.progress import Silent
from migrator.plan.check import check
from migrator.plan.partition.constraints import Constraints
from migrator.plan.proposals import Proposals, propose_all
from migrator.plan.store import load, save

EXAMPLE = Path(__file__).parents[2] / "examples" / "monolith_app"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    root = tmp_path_factory.mktemp("example") / "monolith_app"
    ignored = shutil.ignore_patterns(".migrator", "__pycache__", "migrator.plan.yaml", "instance")
    shutil.copytree(EXAMPLE, root, ignore=ignored)
    return current_graph(root, load_settings(root), Silent())


def proposed(graph: Graph, constraints: Constraints | None = None) -> Proposals:
    return propose_all(graph, constraints or Constraints(application="monolith_app"))


def edited_into(plan: Plan, wanted: Plan) -> None:
    """Give services the tables and entry points of another plan, and leave all else to follow."""
    for name in set(plan.services) - set(wanted.services):
        del plan.services[name]
    for name, service in wanted.services.items():
        mine = plan.services.setdefault(name, Service())
        mine.tables, mine.entry_points = list(service.tables), list(service.entry_points)
        mine.remainder = service.remainder


def test_editing_one_proposal_into_another_gives_its_scores(graph: Graph, tmp_path: Path) -> None:
    proposals = proposed(graph)
    file = tmp_path / "plan.yaml"
    names = [each.name for each in proposals.listed]
    assert {"whole-transactions", "fewest", "independent", "by-team", "one-service"} == {*names}
    for name in names[1:]:
        save(proposals["whole-transactions"].plan, file, graph)
        plan = load(file)
        edited_into(plan, proposals[name].plan)
        save(plan, file, graph)
        assert check(graph, load(file)).score == proposals[name].score, name


def test_a_cut_of_ones_own_scores_as_when_it_is_demanded(graph: Graph, tmp_path: Path) -> None:
    default = proposed(graph)["whole-transactions"].plan
    demanded = {t: n for n, s in default.services.items() for t in s.tables}
    demanded |= {"notifications": "catalogue", "viewings": "media", "watchlist_items": "media"}
    wanted = Constraints(owners=demanded, application="monolith_app")
    fresh = proposed(graph, wanted)["whole-transactions"]
    assert fresh.plan.owner_of("notifications") == "catalogue"
    assert fresh.score != proposed(graph)["whole-transactions"].score
    edited_into(default, fresh.plan)
    save(default, tmp_path / "plan.yaml", graph)
    assert check(graph, load(tmp_path / "plan.yaml")).score == fresh.score
