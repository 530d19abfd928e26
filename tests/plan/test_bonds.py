"""Transactions that bind most tables: who they are, and the cut that there would be without."""

from __future__ import annotations

import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.errors import ConfigurationError
from migrator.plan.findings.bonds import loosened, told
from migrator.plan.findings.kinds import GIANT, SPLIT
from migrator.plan.partition.constraints import Constraints
from migrator.plan.proposals import propose_all
from migrator.plan.propose import boundaries, evidence_for
from migrator.plan.score import score


def domain(name: str, tables: int) -> str:
    """A package whose tables refer to the first, with routes that write and read two at a time."""
    lines = [
        f"table {name}{n} {name}/models.py" + (f" -> {name}0" if n else "") for n in range(tables)
    ]
    for n in range(1, tables):
        lines += [
            f"    def {name}.views.change{n}()",
            f"      update {name}0",
            f"      insert {name}{n}",
            "      commit",
            f"    def {name}.views.show{n}()",
            f"      read {name}0",
            f"      read {name}{n}",
        ]
    for n in range(1, tables):
        lines += [
            f"route POST /{name}/{n} {name}.change{n} {name}.views.change{n}",
            f"route GET /{name}/{n} {name}.show{n} {name}.views.show{n}",
        ]
    return "\n".join(lines) + "\n"


def reset(name: str, *tables: str) -> str:
    """A route that deletes from all tables in one transaction."""
    deletes = "\n".join(f"      delete {table}" for table in tables)
    return (
        f"    def tools.views.{name}()\n{deletes}\n      commit\n"
        f"route POST /{name} tools.{name} tools.views.{name}\n"
    )


WARDS = domain("ward", 4) + domain("cook", 4)
ALL = [f"{name}{n}" for name in ("ward", "cook") for n in range(4)]
HOSPITAL = WARDS + reset("reset", *ALL)


def test_the_transactions_that_bind_most_are_named() -> None:
    evidence = evidence_for(sketch(HOSPITAL), Constraints())
    found = loosened(evidence)
    assert found is not None
    assert (found.entry_points, found.largest) == (("route:tools.reset",), 4)
    (said,) = told(evidence, found.entry_points)
    assert said.startswith("route:tools.reset commits 8 tables together (tools/views.py:")


def test_many_that_commit_at_one_place_are_told_as_one() -> None:
    text = HOSPITAL
    for name in ("a", "b", "c"):
        text += f"    def tools.views.{name}()\n      call tools.views.reset\n"
        text += f"route POST /{name} tools.{name} tools.views.{name}\n"
    evidence = evidence_for(sketch(text), Constraints())
    found = loosened(evidence)
    assert found is not None and len(found.entry_points) == 4
    (said,) = told(evidence, found.entry_points)
    assert said.startswith("route:tools.a and 3 more commit 8 tables together")


def test_what_does_not_matter_is_not_named() -> None:
    both = HOSPITAL + reset("tidy", "ward1", "ward2", "cook0")
    evidence = evidence_for(sketch(both), Constraints())
    found = loosened(evidence)
    assert found is not None
    # Both bind the two domains to each other; wards alone are half, and no giant.
    assert set(found.entry_points) == {"route:tools.reset", "route:tools.tidy"}
    small = HOSPITAL + reset("tidy", "ward1", "ward2", "ward3")
    found = loosened(evidence_for(sketch(small), Constraints()))
    assert found is not None and found.entry_points == ("route:tools.reset",)


def test_where_nothing_binds_most_there_is_nothing_to_remake() -> None:
    assert loosened(evidence_for(sketch(WARDS), Constraints())) is None


def test_the_domains_are_proposed_with_the_split_transactions_as_findings() -> None:
    found = propose_all(sketch(HOSPITAL))
    tables = {frozenset(s.tables) for s in found["domains"].plan.services.values()}
    assert tables == {frozenset(ALL[:4]), frozenset(ALL[4:])}
    split = {f.subject for f in found["domains"].plan.findings if f.kind == SPLIT}
    assert split == {"route:tools.reset"}
    assert "1 transaction would be split" in found["domains"].against


def test_why_all_is_one_service_is_told_and_that_is_what_is_written() -> None:
    found = propose_all(sketch(HOSPITAL))
    assert found.default == "one-service" == found["whole-transactions"].same_as
    assert any("route:tools.reset commits 8 tables together" in why for why in found.verdict)


def test_domains_are_left_out_where_the_default_has_them() -> None:
    found = propose_all(sketch(SHOP))
    assert "no transactions bind" in found.left_out["domains"]
    with pytest.raises(ConfigurationError, match="domains: no transactions bind"):
        found["domains"]


def test_a_service_that_has_most_tables_is_a_giant_and_says_what_binds_it() -> None:
    lone = domain("garden", 3)
    plan = propose_all(sketch(HOSPITAL + lone))["whole-transactions"].plan
    assert len(plan.services) == 2
    (giant,) = [f for f in plan.findings if f.kind == GIANT]
    assert "it owns 8 of 11 tables and answers 13 of 17 routes" in giant.message
    assert "route:tools.reset commits 8 tables together" in giant.message
    assert "--proposal domains" in giant.hint


def test_without_a_giant_nobody_is_one() -> None:
    plan = propose_all(sketch(WARDS))["whole-transactions"].plan
    assert not [f for f in plan.findings if f.kind == GIANT]


ARCHIVE = """
table copies archive/models.py
table boxes archive/models.py -> copies
    def ward.views.keep()
      update ward0
      commit
      used call archive.services.store
    def archive.services.store()
      insert copies
      insert boxes
      commit
route POST /keep ward.keep ward.views.keep
"""


def test_a_service_without_an_entry_point_is_not_proposed() -> None:
    graph = sketch(WARDS + ARCHIVE)
    for proposal in propose_all(graph).listed:
        assert all(s.entry_points for s in proposal.plan.services.values()), proposal.name


def test_a_service_that_is_demanded_stays_without_an_entry_point() -> None:
    graph = sketch(WARDS + ARCHIVE)
    wanted = Constraints(owners={"copies": "archive", "boxes": "archive"})
    evidence = evidence_for(graph, wanted)
    assert {"copies", "boxes"} in [set(group) for group in boundaries(evidence, wanted)]


def meals(number: int) -> str:
    """Wards of which so many routes wait for the kitchen."""
    text = WARDS + "    def cook.services.order() -> cook1\n      insert cook1\n      commit\n"
    for n in range(number):
        text += (
            f"    def ward.views.meal{n}()\n      update ward{n % 4}\n      commit\n"
            "      used call cook.services.order\n"
        )
    return text + "".join(
        f"route POST /ward/meal{n} ward.meal{n} ward.views.meal{n}\n" for n in range(number)
    )


def test_where_nothing_beats_one_service_that_is_written_unless_a_split_is_demanded() -> None:
    graph = sketch(meals(14))
    found = propose_all(graph)
    assert "14 of 26 routes would wait for another service" in found.verdict[0]
    assert found.default == "one-service"
    assert propose_all(graph, Constraints(services=(2, 3))).default == "whole-transactions"
    few = propose_all(sketch(meals(4)))
    assert (few.verdict, few.default) == ([], "whole-transactions")


def test_scores_are_those_of_the_plan() -> None:
    graph = sketch(HOSPITAL)
    proposal = propose_all(graph)["domains"]
    assert proposal.score.split_transactions == 1
    assert score(proposal.plan, graph).split_transactions == 1


def test_a_table_that_nothing_declares_splits_no_transaction() -> None:
    graph = sketch(
        HOSPITAL.replace("      delete cook0\n", "      delete cook0\n      delete elsewhere\n")
    )
    (split,) = [f for f in propose_all(graph)["domains"].plan.findings if f.kind == SPLIT]
    assert "elsewhere" not in split.message
