"""What every report tells, whatever its format: analysis, plan and proof in one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Finding, Plan, StateRemedy
from migrator.model.program import EntryPoint, Program
from migrator.proof.result import Proof


class Analysis(msgspec.Struct, kw_only=True):
    """The program in numbers."""

    modules: int
    lines: int
    functions: int
    tables: int
    entry_points: dict[str, int]
    """By kind."""
    edges: dict[str, int]
    """By kind."""
    confidence: dict[str, int]
    skipped: list[tuple[str, str]]
    """File and why."""
    unresolved: dict[str, int]
    """By reason."""
    frameworks: list[str]


class EntryView(msgspec.Struct, kw_only=True):
    """An entry point with what it does to tables."""

    name: str
    service: str
    address: str
    """Methods and rules of a route, or what triggers it."""
    reads: list[str]
    writes: list[str]
    place: str


class ServiceView(msgspec.Struct, kw_only=True):
    """A service of the plan, with what a reader asks first."""

    name: str
    purpose: str
    remainder: bool
    order: int
    tables: list[str]
    entry_points: list[EntryView]
    replicas: list[tuple[str, str, str]]
    """Table, owner, freshness."""
    calls: list[Crossing]
    callers: list[str]
    """Services that call it synchronously."""
    state: list[StateRemedy]
    datastore: str
    maturity: str
    lines: int


class Link(msgspec.Struct, kw_only=True, frozen=True):
    """What ties two services: an arrow of the map."""

    source: str
    target: str
    kind: str
    """`replica`, `call` or `defer`."""
    what: list[str]


class Content(msgspec.Struct, kw_only=True):
    """All that a report tells; `plan` and `proof` parts are empty where there is none yet."""

    application: str
    analysis: Analysis
    services: list[ServiceView] = []
    links: list[Link] = []
    findings: list[Finding] = []
    proof: Proof | None = None
    version: int = 1


def gather(graph: Graph, plan: Plan | None, proof: Proof | None, application: str) -> Content:
    """The content of a report of whatever there is so far."""
    program = graph.program
    return Content(
        application=(plan.application if plan else "") or application,
        analysis=_analysis(graph),
        services=_services(program, plan, proof) if plan else [],
        links=_links(plan) if plan else [],
        findings=plan.findings if plan else [],
        proof=proof,
    )


def _analysis(graph: Graph) -> Analysis:
    program = graph.program
    edges = list(graph.edges())
    return Analysis(
        modules=len(program.modules),
        lines=program.lines,
        functions=len(program.functions),
        tables=len(program.tables),
        entry_points=_counted(each.kind for each in program.entry_points.values()),
        edges=_counted(each.kind.name.lower() for each in edges),
        confidence=_counted(each.confidence.name.lower() for each in edges),
        skipped=[(each.file, each.reason) for each in program.skipped],
        unresolved=_counted(each.reason for each in program.unresolved),
        frameworks=program.frameworks,
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    counts = Counter(names)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _services(program: Program, plan: Plan, proof: Proof | None) -> list[ServiceView]:
    views = []
    for name, service in plan.services.items():
        store = service.datastore
        because = f": {store.because}" if store.because else ""
        views.append(
            ServiceView(
                name=name,
                purpose=service.purpose,
                remainder=service.remainder,
                order=service.order,
                tables=service.tables,
                entry_points=[
                    _entry(program.entry_points[each], name)
                    for each in service.entry_points
                    if each in program.entry_points
                ],
                replicas=[(t, r.owner, r.freshness) for t, r in service.replicas.items()],
                calls=service.calls,
                callers=sorted(
                    other
                    for other, its in plan.services.items()
                    if any(c.owner == name and c.remedy == "call" for c in its.calls)
                ),
                state=service.state,
                datastore=f"{store.engine}, {store.kind} ({store.status}){because}",
                maturity=service.maturity,
                lines=proof.services.get(name, 0) if proof else 0,
            )
        )
    return sorted(views, key=lambda view: (view.remainder, view.order, view.name))


def _entry(entry: EntryPoint, service: str) -> EntryView:
    address = "; ".join(f"{' '.join(route.methods)} {route.rule}" for route in entry.routes)
    return EntryView(
        name=entry.name,
        service=service,
        address=address or entry.trigger or entry.kind,
        reads=sorted({each.table for each in entry.reads}),
        writes=sorted({each.table for each in entry.writes if not each.in_hook}),
        place=f"{entry.file}:{entry.line}",
    )


def _links(plan: Plan) -> list[Link]:
    tied: dict[tuple[str, str, str], list[str]] = {}
    for name, service in plan.services.items():
        for table, replica in service.replicas.items():
            tied.setdefault((replica.owner, name, "replica"), []).append(table)
        for call in service.calls:
            if call.remedy in ("call", "defer", "row-write"):
                kind = "defer" if call.remedy == "defer" else "call"
                tied.setdefault((name, call.owner, kind), []).append(call.function)
    return [
        Link(source=source, target=target, kind=kind, what=sorted(set(what)))
        for (source, target, kind), what in sorted(tied.items())
    ]
