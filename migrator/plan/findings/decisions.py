"""Crossings that somebody has to decide on: one finding a function, whichever services run it."""

from __future__ import annotations

from migrator.model.plan import Crossing, Finding, Plan
from migrator.model.program import Program
from migrator.plan.consequences.obstacles import Obstacle, beside_crossings, obstacle
from migrator.plan.findings.kinds import DECISION
from migrator.plan.wording import enumerated

_MEANING = {
    "row-write": "its rows are sent to the owner and may conflict under load",
    "saga": "a saga has to be written before this can be generated",
    "merge": "put the tables into one service, or choose row-write or saga",
}


def decisions(program: Program, plan: Plan) -> list[Finding]:
    """What is left to decide, and what no code can be made for as it was decided."""
    found = []
    due: dict[tuple[str, str], list[tuple[str, Crossing]]] = {}
    for name, service in sorted(plan.services.items()):
        for crossing in service.calls:
            unmade = obstacle(program, name, crossing)
            if unmade is not None and crossing.remedy not in ("saga", "merge"):
                found.append(_unmade(crossing.function, unmade))
            elif crossing.remedy in _MEANING:
                due.setdefault((crossing.function, crossing.remedy), []).append((name, crossing))
    found += [_unmade(each.subject, each) for each in beside_crossings(program, plan)]
    return [*found, *(_due(function, remedy, of) for (function, remedy), of in due.items())]


def _unmade(subject: str, unmade: Obstacle) -> Finding:
    return Finding(
        kind=DECISION,
        subject=subject,
        message=f"no code can be made for it: {unmade.message}",
        hint=unmade.hint,
        at=unmade.at,
    )


def _due(function: str, remedy: str, crossings: list[tuple[str, Crossing]]) -> Finding:
    services = sorted({name for name, _ in crossings})
    tables: dict[str, set[str]] = {}
    for _, crossing in crossings:
        tables.setdefault(crossing.owner, set()).update(crossing.tables)
    written = [f"{enumerated(sorted(of))} of {owner}" for owner, of in sorted(tables.items())]
    verb = "writes" if len(services) == 1 else "write"
    return Finding(
        kind=DECISION,
        subject=function,
        message=f"{enumerated(services)} {verb} {enumerated(written)}: {_MEANING[remedy]}",
        at=next((at for _, crossing in crossings for at in crossing.at), ""),
    )
