"""Named proposals, what they cost, and what it takes to make one of another."""

from __future__ import annotations

from pathlib import Path

import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.plan.check import check
from migrator.plan.comparison import compare
from migrator.plan.partition.constraints import Constraints
from migrator.plan.proposals import Proposals, propose_all
from migrator.plan.propose import propose
from migrator.plan.store import find, load, save, save_proposals

TANGLE = """
table apples fruit/models.py
table pears fruit/models.py
table plums fruit/models.py
    def fruit.views.first()
      insert apples
      insert pears
      commit
    def fruit.views.second()
      update pears
      insert plums
      commit
route POST /first fruit.first fruit.views.first
route POST /second fruit.second fruit.views.second
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return sketch(SHOP)


@pytest.fixture(scope="module")
def proposals(graph: Graph) -> Proposals:
    return propose_all(graph)


def test_there_are_several_with_different_trade_offs(proposals: Proposals) -> None:
    names = [each.name for each in proposals.listed]
    assert names == ["whole-transactions", "fewest", "independent", "one-service"]
    assert "by-team" in proposals.left_out
    cost = {each.name: each.score for each in proposals.listed}
    assert cost["independent"].calls == 0 < cost["whole-transactions"].calls
    assert len(cost["fewest"].services) <= len(cost["whole-transactions"].services)
    assert len(cost["one-service"].services) == 1
    assert all(score.split_transactions == 0 for score in cost.values())


def test_the_default_is_what_is_proposed_alone(graph: Graph, proposals: Proposals) -> None:
    alone = propose(graph)
    assert compare(alone, proposals["whole-transactions"].plan).none
    assert alone.findings == proposals["whole-transactions"].plan.findings


def test_the_same_input_gives_the_same_proposals(proposals: Proposals) -> None:
    again = propose_all(sketch(SHOP))
    assert [each.plan for each in again.listed] == [each.plan for each in proposals.listed]


def test_demands_hold_for_all(graph: Graph) -> None:
    wanted = Constraints(apart=(("payments", "orders"),), services=(2, 4), largest=4)
    for each in propose_all(graph, wanted).listed:
        services = each.plan.services.values()
        assert 2 <= len(services) <= 4
        assert not any({"payments", "orders"} <= set(s.tables) for s in services)
        assert max(len(s.tables) for s in services) <= 4
    first = propose_all(graph, Constraints(first="payments"))
    assert set(first["whole-transactions"].plan.services) == {"payments", "remainder"}


def test_nothing_beats_one_service_where_transactions_bind_all() -> None:
    found = propose_all(sketch(TANGLE))
    assert not found.worth_splitting
    assert found.verdict == [
        "whole-transactions: transactions, demands or close ties keep all tables in one service"
    ]
    assert propose_all(sketch(SHOP)).verdict == []


def test_one_service_has_the_name_of_the_package_that_answers() -> None:
    found = propose_all(sketch(TANGLE.replace("fruit/models.py", "storage/rows.py")))
    assert list(found["one-service"].plan.services) == ["fruit"]


def test_a_proposal_that_is_not_there_is_named(proposals: Proposals) -> None:
    with pytest.raises(ConfigurationError, match="by-team: "):
        proposals["by-team"]


@pytest.mark.parametrize("name", ["whole-transactions", "fewest", "independent", "one-service"])
def test_a_plan_that_was_read_scores_as_it_was_proposed(
    graph: Graph, proposals: Proposals, name: str, tmp_path: Path
) -> None:
    save(proposals[name].plan, tmp_path / "plan.yaml", graph)
    result = check(graph, load(tmp_path / "plan.yaml"), proposals[name].plan)
    assert result.score == proposals[name].score
    assert result.changes == []


@pytest.mark.parametrize("name", ["independent", "one-service"])
def test_what_if_by_editing_scores_as_a_fresh_proposal_of_the_same_cut(
    graph: Graph, proposals: Proposals, name: str
) -> None:
    wanted = proposals[name].plan
    plan = propose_all(graph)["whole-transactions"].plan
    for kind in ("tables", "entry_points"):
        for service in plan.services.values():
            setattr(service, kind, [])
    for service, each in wanted.services.items():
        edited = plan.services.setdefault(service, type(each)())
        edited.tables, edited.entry_points = list(each.tables), list(each.entry_points)
    for service in set(plan.services) - set(wanted.services):
        del plan.services[service]
    result = check(graph, plan, proposals["whole-transactions"].plan)
    assert result.score == proposals[name].score
    assert result.changes[0].label == "services"


def test_what_tells_two_plans_apart(proposals: Proposals) -> None:
    before, after = proposals["whole-transactions"].plan, proposals["independent"].plan
    difference = compare(before, after)
    assert difference.removed == sorted(before.services)
    assert difference.added == sorted(after.services), "one of all is none of the four"
    assert {each.after for each in difference.tables} <= set(after.services)
    assert any(each.name.startswith("route:") for each in difference.entry_points)
    assert difference.crossings_removed
    back = compare(after, before)
    assert (back.added, back.removed) == (difference.removed, difference.added)
    assert len(back.crossings_added) == len(difference.crossings_removed)
    assert len(back.replicas_added) == len(difference.replicas_removed)
    assert compare(before, before).none


def test_a_renamed_service_is_the_same(proposals: Proposals, graph: Graph) -> None:
    plan = propose_all(graph)["whole-transactions"].plan
    plan.services["money"] = plan.services.pop("payments")
    difference = compare(proposals["whole-transactions"].plan, plan)
    assert difference.renamed == {"payments": "money"}
    assert not difference.tables and not difference.entry_points


def test_proposals_are_kept_and_found_by_name(
    proposals: Proposals, graph: Graph, tmp_path: Path
) -> None:
    save_proposals({each.name: each.plan for each in proposals.listed}, tmp_path, graph)
    assert find(tmp_path, "fewest").proposal == "fewest"
    assert compare(find(tmp_path, "fewest"), proposals["fewest"].plan).none
    with pytest.raises(ConfigurationError, match="no proposal and no plan file"):
        find(tmp_path, "smallest")


def test_the_roadmap_leads_from_the_monolith_to_the_last_service(proposals: Proposals) -> None:
    plan = proposals["whole-transactions"].plan
    steps = plan.roadmap
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    assert [s.service for s in steps if s.service] == sorted(
        plan.services, key=lambda name: plan.services[name].order
    )
    assert all(step.check.startswith("migrator ") and step.back and step.runs for step in steps)
    assert "a valid place to stop" in steps[1].title
    assert steps[-1].runs.endswith("nothing remains")
    assert len(proposals["one-service"].plan.roadmap) == 2


def test_the_cheapest_for_its_worth_goes_first(proposals: Proposals) -> None:
    plan = proposals["whole-transactions"].plan
    first = next(name for name, service in plan.services.items() if service.order == 1)
    last = max(plan.services, key=lambda name: plan.services[name].order)
    crossing = {
        name: sum(
            name in (owner, call.owner) for owner, s in plan.services.items() for call in s.calls
        )
        for name in plan.services
    }
    assert crossing[first] / len(plan.services[first].entry_points) < (
        crossing[last] / len(plan.services[last].entry_points)
    )
