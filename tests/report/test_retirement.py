"""What still needs the old code, told from what a system left behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from migrator.model.graph import Graph
from migrator.model.plan import Gate, Plan, Service
from migrator.model.program import EntryPoint, Program, Route
from migrator.proof.history import Compared, carry, days_of_equal_answers, read, remember
from migrator.report.retirement import retirement, written

ROUTES = {"shop": ["basket", "pay"], "rest": ["news"]}


def entry(name: str) -> EntryPoint:
    rule = f"/{name}/<int:id>"
    return EntryPoint(
        name=f"route:{name}",
        kind="route",
        handler=f"app.{name}",
        file="app.py",
        line=1,
        endpoint=name,
        framework="flask",
        routes=(Route(rule=rule, methods=("GET",)),),
    )


@pytest.fixture
def plan() -> Plan:
    return Plan(
        gate=Gate(days=2, coverage=0.5),
        services={
            name: Service(entry_points=[f"route:{route}" for route in routes])
            for name, routes in ROUTES.items()
        },
    )


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    entries = [entry(route) for routes in ROUTES.values() for route in routes]
    return Graph(Program(root=str(tmp_path), entry_points={each.name: each for each in entries}))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "services"
    system = {
        "services": ["rest", "shop"],
        "default_service": "rest",
        "plan_digest": "",
        "program_digest": "",
        "monolith": str(tmp_path),
        "remainder": "rest",
    }
    kept = {"rest": ["app.news", "app.both"], "shop": ["app.pay", "app.both"]}
    for name, routes in ROUTES.items():
        (folder / name).mkdir(parents=True)
        rules = {r: {"entry_point": f"route:{r}", "rules": []} for r in routes}
        manifest = {"name": name, "application": "app:app", "routes": rules}
        (folder / name / "service.json").write_text(json.dumps(manifest))
        origin = [{"name": k, "file": "app.py", "line": 7, "end_line": 9} for k in kept[name]]
        (folder / name / "origin.json").write_text(json.dumps(origin))
    (folder / "system.json").write_text(json.dumps(system))
    log = folder / ".migrator/gateway/access.log"
    log.parent.mkdir(parents=True)
    asked = [("/news/1?x=1", 200, "rest"), ("/news/2", 404, "rest"), ("/basket/1", 200, "rest")]
    asked += [("/pay/1", 200, "shop"), ("/basket/1", 500, "shop"), ("/none", 404, "rest")]
    lines = [{"method": "GET", "uri": u, "status": s, "service": by} for u, s, by in asked]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"method": "GE')
    return folder


def test_what_the_remainder_answers_and_what_a_gate_lacks(
    graph: Graph, plan: Plan, output: Path
) -> None:
    told = retirement(graph, plan, output)
    assert told.requests == 6
    assert {(hit.route, hit.requests, hit.owner) for hit in told.hits} == {
        ("news", 2, "rest"),
        ("basket", 1, "shop"),
        ("(no route)", 1, "rest"),
    }
    (gate,) = told.gates
    # What it answered with 500 it has not answered.
    assert (gate.service, gate.days, gate.coverage) == ("shop", 0, 0.5)
    assert gate.unmet == ["0 of 2 days of equal answers"]
    (deletion,) = told.deletions
    assert (deletion.name, deletion.services, deletion.allowed) == ("app.pay", ["shop"], False)
    text = written(told.deletions)
    assert text.index("Not yet") < text.index("app.py:7-9  app.pay  shop")


def test_days_count_since_both_sides_last_differed(graph: Graph, plan: Plan, output: Path) -> None:
    def compared(days: int, equal: int) -> Compared:
        at = datetime.now(UTC) - timedelta(days=days)
        return Compared(at=at, service="shop", compared=9, equal=equal)

    history = [compared(9, 9), compared(8, 8), compared(7, 9), compared(7, 9)]
    assert days_of_equal_answers(history, "shop") == 1
    assert days_of_equal_answers(history, "rest") == 0
    lines = b"".join(msgspec.json.encode(each) + b"\n" for each in history)
    (output / ".migrator/answers.jsonl").write_bytes(lines)
    remember(output, "shop", 0, 0)
    remember(output, "shop", 3, 3)
    assert len(read(output)) == 5
    told = retirement(graph, plan, output)
    assert told.gates[0].unmet == []
    assert [each.allowed for each in told.deletions] == [True]
    assert written(told.deletions).index("app.pay") < written(told.deletions).index("Not yet")


def test_what_was_compared_moves_along_once(output: Path, tmp_path: Path) -> None:
    later = tmp_path / "step-2"
    (later / ".migrator").mkdir(parents=True)
    remember(output, "shop", 3, 3)
    carry(output, later)
    remember(later, "rest", 2, 2)
    carry(later, output)
    carry(output, later)
    assert (
        [each.service for each in read(later)]
        == ["shop", "rest"]
        == [each.service for each in read(output)]
    )


def test_no_days_are_asked_of_what_remained_in_the_end(
    graph: Graph, plan: Plan, output: Path
) -> None:
    plan.services["shop"].order, plan.services["rest"].order = 1, 2
    system = json.loads((output / "system.json").read_text())
    (output / "system.json").write_text(json.dumps(system | {"remainder": ""}))
    unmet = {gate.service: gate.unmet for gate in retirement(graph, plan, output).gates}
    assert unmet == {"shop": ["0 of 2 days of equal answers"], "rest": []}
