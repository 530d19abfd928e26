"""What a plan costs, in numbers that can be compared."""

from __future__ import annotations

from collections import Counter

import msgspec

from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Plan
from migrator.model.program import Program
from migrator.plan.consequences.dependence import Dependence, dependence
from migrator.plan.consequences.measures import (
    copied_share,
    kept_functions,
    lines_of,
    measures_of,
    replica_traffic,
    requests,
)
from migrator.plan.consequences.obstacles import beside_crossings, of_crossings
from migrator.plan.consequences.outline import Consequences
from migrator.plan.findings.kinds import SPLIT
from migrator.plan.partition.metrics import Measures

OUTBOX = "outbox"
"""The transport of what is deferred, whatever the plan says of calls."""


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
    blast_radius: float = 0.0
    """The share of all routes that fail while this service is down, of whichever service."""


class Latency(msgspec.Struct, kw_only=True, frozen=True):
    """A forecast of what crossings add to requests, in milliseconds.

    The formula stands in `migrator.plan.consequences.dependence`. The gateway's part is not in it.
    """

    mean_ms: float
    """Over routes; weighed by how often each was seen running if any was."""
    worst_ms: float
    worst: str = ""
    """The route that pays most; empty: none pays."""
    slowed: int = 0
    """Routes that wait for a call."""
    weighed: bool = False
    """Whether observed counts weigh the mean."""


class Whole(msgspec.Struct, kw_only=True, frozen=True):
    """What can be said only of a plan whose consequences are known."""

    measures: Measures
    copied: float
    """The share of all lines in functions that more than one service keeps."""
    latency: Latency


class Score(msgspec.Struct, kw_only=True, frozen=True):
    """A plan in numbers; `calls` are functions that are cut and waited for, rows included."""

    services: list[ServiceScore]
    calls: int
    deferred: int
    replicas: int
    split_transactions: int
    undecided: int
    """Crossings, indexes and messages for which no code can be made as the plan is."""
    transports: dict[str, int] = {}
    """Crossings by what carries them: `rest`, `thrift`, `kafka`, or `outbox` for the deferred."""
    automation: float = 1.0
    """The share of crossings that `generate` handles by itself; 1 if nothing crosses."""
    replica_feeds: int = 0
    """Functions that write a replicated table, once for each copy of it."""
    replica_writes: int = 0
    """The writes of replicated tables that were observed, once for each copy; 0: none was."""
    whole: Whole | None = None


def score(plan: Plan, graph: Graph, consequences: Consequences | None = None) -> Score:
    """Count what a plan costs.

    `plan` is proposed or resolved, `consequences` are what `propose_with_consequences` or
    `resolve_with_consequences` gave with it. Without them the plan counts as it is written, which
    may be of other code: shares and blast radius are 0 and `whole` is None. The same cut gives the
    same score, whether it was proposed or edited.
    """
    program = graph.program
    needs = dependence(plan, graph, consequences) if consequences is not None else None
    share = _shares(program, consequences) if consequences is not None else {}
    services = [
        ServiceScore(
            name=name,
            tables=len(service.tables),
            routes=sum(entry.startswith("route:") for entry in service.entry_points),
            entry_points=len(service.entry_points),
            replicas=len(service.replicas),
            calls=sum(call.remedy not in ("defer", "copy") for call in service.calls),
            deferred=sum(call.remedy == "defer" for call in service.calls),
            share=share.get(name, 0.0),
            blast_radius=_blast_radius(needs, name) if needs is not None else 0.0,
        )
        for name, service in sorted(plan.services.items())
    ]
    crossings = [call for service in plan.services.values() for call in service.calls]
    refused = len(of_crossings(program, plan))
    feeds, writes = replica_traffic(plan, program)
    return Score(
        services=services,
        calls=sum(each.calls for each in services),
        deferred=sum(each.deferred for each in services),
        replicas=sum(each.replicas for each in services),
        split_transactions=sum(finding.kind == SPLIT for finding in plan.findings),
        undecided=refused + len(beside_crossings(program, plan)),
        transports=_transports(crossings),
        automation=1 - refused / len(crossings) if crossings else 1.0,
        replica_feeds=feeds,
        replica_writes=writes,
        whole=None
        if consequences is None or needs is None
        else Whole(
            measures=measures_of(plan, graph, consequences),
            copied=copied_share(program, consequences),
            latency=_latency(needs, program),
        ),
    )


def _transports(crossings: list[Crossing]) -> dict[str, int]:
    used = Counter(
        OUTBOX if call.remedy == "defer" else call.transport
        for call in crossings
        if call.remedy != "copy"
    )
    return dict(sorted(used.items()))


def _shares(program: Program, consequences: Consequences) -> dict[str, float]:
    lines = lines_of(program)
    total = sum(lines.values()) or 1
    return {
        service: sum(lines[name] for name in kept if name in lines) / total
        for service, kept in kept_functions(program, consequences).items()
    }


def _blast_radius(needs: Dependence, service: str) -> float:
    routes = [on for name, on in needs.on.items() if name.startswith("route:")]
    return sum(service in on for on in routes) / len(routes) if routes else 0.0


def _latency(needs: Dependence, program: Program) -> Latency:
    added = {name: ms for name, ms in needs.added_ms.items() if name.startswith("route:")}
    seen = requests(program)
    weighed = any(seen.get(name) for name in added)
    weights = {name: seen.get(name, 0) if weighed else 1 for name in added}
    worst = min(added, key=lambda name: (-added[name], name), default="")
    return Latency(
        mean_ms=round(
            sum(ms * weights[name] for name, ms in added.items()) / (sum(weights.values()) or 1), 3
        ),
        worst_ms=round(added.get(worst, 0.0), 3),
        worst=worst if added.get(worst) else "",
        slowed=sum(len(needs.on[name]) > 1 for name in added),
        weighed=weighed,
    )
