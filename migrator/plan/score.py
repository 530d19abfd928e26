"""What a plan costs, in numbers that can be compared."""

from __future__ import annotations

import msgspec

from migrator.model.plan import Plan
from migrator.model.program import Program
from migrator.plan.findings import SPLIT
from migrator.plan.outline import Consequences


class ServiceScore(msgspec.Struct, kw_only=True, frozen=True):
    """One service in numbers. `share`: of all lines in functions, those that it keeps."""

    name: str
    tables: int
    routes: int
    entry_points: int
    replicas: int
    calls: int
    deferred: int
    share: float = 0.0


class Score(msgspec.Struct, kw_only=True, frozen=True):
    """A plan in numbers; `calls` are functions that are cut and waited for, rows included."""

    services: list[ServiceScore]
    calls: int
    deferred: int
    replicas: int
    split_transactions: int
    undecided: int
    """Crossings with remedy `merge` or `saga`: nothing can be generated for them yet."""


def score(plan: Plan, program: Program, consequences: Consequences | None = None) -> Score:
    """Count what crosses in a plan; with its consequences also the share of the code."""
    services = [
        ServiceScore(
            name=name,
            tables=len(service.tables),
            routes=sum(entry.startswith("route:") for entry in service.entry_points),
            entry_points=len(service.entry_points),
            replicas=len(service.replicas),
            calls=sum(call.remedy not in ("defer", "copy") for call in service.calls),
            deferred=sum(call.remedy == "defer" for call in service.calls),
            share=_share(program, consequences, name),
        )
        for name, service in sorted(plan.services.items())
    ]
    remedies = [call.remedy for service in plan.services.values() for call in service.calls]
    return Score(
        services=services,
        calls=sum(each.calls for each in services),
        deferred=sum(each.deferred for each in services),
        replicas=sum(each.replicas for each in services),
        split_transactions=sum(finding.kind == SPLIT for finding in plan.findings),
        undecided=sum(remedy in ("merge", "saga") for remedy in remedies),
    )


def _share(program: Program, consequences: Consequences | None, service: str) -> float:
    if consequences is None or service not in consequences.walks:
        return 0.0
    variants = program.variants
    walked = consequences.walks[service].kept
    kept = {variants[key].name if key in variants else key for key in walked}
    lines = {
        name: function.end_line - function.line + 1
        for name, function in program.functions.items()
        if name not in program.modules
    }
    total = sum(lines.values())
    return sum(lines[name] for name in kept if name in lines) / total if total else 0.0


def difference(before: Score, after: Score) -> list[str]:
    """What a plan costs more or less than another, in words; empty: the same."""
    said = []
    for label, old, new in (
        ("services", len(before.services), len(after.services)),
        ("calls that cross", before.calls, after.calls),
        ("deferred commands", before.deferred, after.deferred),
        ("replicas", before.replicas, after.replicas),
        ("split transactions", before.split_transactions, after.split_transactions),
        ("crossings that need a decision", before.undecided, after.undecided),
    ):
        if old != new:
            said.append(f"{label}: {old} -> {new} ({new - old:+d})")
    return said
