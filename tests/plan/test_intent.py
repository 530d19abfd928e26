"""What entry points are there to write, where one place commits whatever a request did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from monolith_sketch import sketch

from migrator.model.graph import Graph
from migrator.plan.findings.kinds import CROSS_CUTTING
from migrator.plan.partition.constraints import Constraints
from migrator.plan.proposals import propose_all
from migrator.plan.propose import evidence_for

DOMAINS = ("cook", "press", "till", "ward")


def clinic(domains: tuple[str, ...] = DOMAINS) -> Graph:
    """Every change notes itself in a log and a counter, and is committed with them."""
    lines = [
        "table core_log core/models.py",
        "table core_counter core/models.py",
        "    def core.log.note(text)",
        "      insert core_log",
        "      update core_counter",
    ]
    routes = []
    for name in domains:
        lines += [f"table {name}{n} {name}/models.py" for n in range(4)]
        for n in range(1, 4):
            lines += [
                f"    def {name}.views.change{n}()",
                f"      update {name}0",
                f"      insert {name}{n}",
                "      used call core.log.note",
                "      commit",
            ]
            routes.append(f"route POST /{name}/{n} {name}.change{n} {name}.views.change{n}")
    return sketch("\n".join([*lines, *routes]))


def test_what_is_written_from_everywhere_is_by_the_way() -> None:
    evidence = evidence_for(clinic(), Constraints())
    assert evidence.bound["route:ward.change1"] == {"ward0", "ward1", "core_log", "core_counter"}
    assert evidence.own["route:ward.change1"] == {"ward0", "ward1"}
    (found,) = evidence.intent.everywhere
    assert (found.function, found.tables) == ("core.log.note", ("core_counter", "core_log"))
    assert (len(found.entry_points), found.packages) == (12, 4)


def test_what_few_packages_write_is_their_own() -> None:
    evidence = evidence_for(clinic(("cook", "ward")), Constraints())
    assert evidence.own == evidence.bound
    assert evidence.intent.everywhere == ()


def test_domains_are_found_though_one_place_commits_for_all() -> None:
    found = propose_all(clinic())
    assert found.default == "one-service"
    domains = found["domains"]
    cuts = {frozenset(s.tables) for s in domains.plan.services.values()}
    for name in DOMAINS:
        assert any(cut >= {f"{name}{n}" for n in range(4)} for cut in cuts), name
    assert len(cuts) >= 4
    placed = {s.tables[-1][:-1]: s.entry_points for s in domains.plan.services.values()}
    assert [each for each in placed["ward"] if not each.startswith("route:ward.")] == []
    assert domains.against[0] == (
        f"{domains.score.split_transactions} transactions would be split,"
        f" {domains.score.split_transactions} of them only by what is written by the way"
    )


def test_what_to_remake_is_named_with_what_it_splits() -> None:
    domains = propose_all(clinic())["domains"]
    (found,) = domains.remake
    assert found.subject == "core.log.note"
    assert "for 12 entry points in 4 packages" in found.message
    assert "outbox" in found.hint
    assert [f for f in domains.plan.findings if f.kind == CROSS_CUTTING] == [found]


def writes(lines: str) -> Iterator[str]:
    text = f"table a0 a/models.py\ntable a1 a/models.py -> a0\n    def a.views.act()\n{lines}"
    graph = sketch(text + "      commit\nroute POST /a a.act a.views.act")
    yield from evidence_for(graph, Constraints()).own["route:a.act"]


@pytest.mark.parametrize(("how", "own"), [("", {"a0", "a1"}), (" cascade", {"a0"})])
def test_rows_that_a_deletion_takes_along_are_by_the_way(how: str, own: set[str]) -> None:
    assert set(writes(f"      delete a0\n      delete a1{how}\n")) == own


def test_a_place_that_may_write_many_tables_says_nothing_of_any() -> None:
    tables = [f"table {name} a/models.py" for name in ("a0", "a1", "a2", "a3", "a4")]
    body = ["    def a.views.act()", "      insert a0", "      update a1"]
    body += [f"      or update a{n}" for n in (2, 3, 4)]
    text = "\n".join([*tables, *body, "      commit", "route POST /a a.act a.views.act"])
    assert evidence_for(sketch(text), Constraints()).own["route:a.act"] == {"a0"}
