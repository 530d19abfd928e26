"""The roadmap's steps as plans: after step K, the first K services and what remains.

The remainder of a step goes on answering the reads of the service that was taken out last, from
replicas that its new owner feeds: as long as both sides can answer them, traffic is moved from one
to the other and back by the gateway alone. Writes go to the owner and nowhere else.
"""

from __future__ import annotations

import msgspec

from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.plan import Plan, Service
from migrator.model.program import EntryPoint
from migrator.plan.consequences.crossings import Walker
from migrator.plan.evidence.evidence import Evidence, gather
from migrator.plan.resolve import resolve

REMAINDER = "remainder"


def taken_in_order(plan: Plan) -> list[str]:
    """The services that are taken out, first to last."""
    taken = [name for name, service in plan.services.items() if not service.remainder]
    return sorted(taken, key=lambda name: (plan.services[name].order or len(taken), name))


def plan_at_step(graph: Graph, plan: Plan, step: int) -> Plan:
    """The plan after `step` services have been taken out in its order; 0: only the remainder.

    Takes a resolved plan, gives one. Decisions that people made stay. Raises ConfigurationError
    for a step that the plan does not have, PlanError when the step contradicts the code.
    """
    order = taken_in_order(plan)
    if not 0 <= step <= len(order):
        raise ConfigurationError(
            f"there is no step {step}: the plan takes out {len(order)} services",
            hint="in order: " + ", ".join(order),
        )
    rest = [name for name in plan.services if name not in order[:step]]
    if not rest:
        return plan
    remainder = next((n for n, s in plan.services.items() if s.remainder), "")
    remainder = remainder or _unused(REMAINDER, plan)
    services = {
        name: _asking(service, rest, remainder)
        for name, service in plan.services.items()
        if name not in rest
    }
    services[remainder] = _merged([plan.services[name] for name in rest], rest, remainder)
    derived = msgspec.structs.replace(plan, services=services)
    if step:
        services[remainder].also_answers = _answered_by_both(
            graph, derived, order[step - 1], remainder
        )
    return resolve(graph, derived)


def _unused(name: str, plan: Plan) -> str:
    while name in plan.services:
        name = f"{name}-{REMAINDER}"
    return name


def _asking(service: Service, rest: list[str], remainder: str) -> Service:
    """A service that asks the remainder for what it would ask those of `rest` for."""

    def owner(name: str) -> str:
        return remainder if name in rest else name

    replace = msgspec.structs.replace
    return replace(
        service,
        calls=[replace(call, owner=owner(call.owner)) for call in service.calls],
        replicas={t: replace(r, owner=owner(r.owner)) for t, r in service.replicas.items()},
        folders={p: replace(f, owner=owner(f.owner)) for p, f in service.folders.items()},
    )


def _merged(parts: list[Service], rest: list[str], remainder: str) -> Service:
    """What the services that are not taken out yet are together."""
    return Service(
        remainder=True,
        tables=sorted(table for part in parts for table in part.tables),
        entry_points=sorted(entry for part in parts for entry in part.entry_points),
        calls=[call for part in parts for call in part.calls if call.owner not in rest],
        replicas={
            table: replica
            for part in parts
            for table, replica in part.replicas.items()
            if replica.owner not in rest
        },
        state=[each for part in parts for each in part.state],
    )


def _answered_by_both(graph: Graph, plan: Plan, service: str, remainder: str) -> list[str]:
    """The routes of `service` whose reads the remainder can answer as well.

    Not those that keep something in the process or on its disk, since each side would have its
    own; nor those whose code would change rows here that a call cannot change there.
    """
    evidence = _evidence(graph, plan)
    owner = plan.owners()
    walker = Walker(evidence.reach, evidence.deferral, owner)
    kept_apart = {
        function
        for finding in graph.program.state
        if finding.writers
        for function in (*finding.writers, *finding.readers)
    }
    return [
        name
        for name in plan.services[service].entry_points
        if (entry := evidence.entries.get(name)) is not None
        and _is_read(entry)
        and kept_apart.isdisjoint(entry.functions)
        and all(cut.remedy in ("call", "defer") for cut in walker.walk(remainder, [entry]).cuts)
    ]


def _evidence(graph: Graph, plan: Plan) -> Evidence:
    taken = {entry for service in plan.services.values() for entry in service.entry_points}
    return gather(graph.program, taken=taken)


def _is_read(entry: EntryPoint) -> bool:
    return entry.kind == "route" and any("GET" in route.methods for route in entry.routes)


def changes_something(entry: EntryPoint) -> bool:
    """Whether an entry point writes a table on its own account, hooks around requests left out."""
    return any(not access.in_hook for access in entry.writes)
