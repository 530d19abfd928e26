"""Gathers what there is to report: the graph's figures, the plan's consequences, the proof."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from migrator import __version__
from migrator.model.errors import MigratorError, PlanError
from migrator.model.graph import Confidence, EdgeKind, Graph
from migrator.model.plan import Plan
from migrator.model.program import EntryPoint, Observed, Program
from migrator.plan.comparison import compare
from migrator.plan.consequences.dependence import Dependence, dependence
from migrator.plan.consequences.digests import changes
from migrator.plan.consequences.measures import kept_functions
from migrator.plan.consequences.obstacles import obstacle
from migrator.plan.consequences.outline import Consequences
from migrator.plan.proposals import cut_of
from migrator.plan.resolve import Resolver
from migrator.plan.score import Score, score
from migrator.plan.strategies import STRATEGIES
from migrator.proof.result import Proof
from migrator.report.content import (
    Analysis,
    Content,
    CrossingView,
    EntryView,
    Link,
    LinkKind,
    Observation,
    ProposalView,
    ServiceView,
    StateView,
    TableView,
)
from migrator.report.modules import dependencies, modules


def gather(
    graph: Graph,
    plan: Plan | None,
    proof: Proof | None,
    application: str,
    proposals: Mapping[str, Plan] | None = None,
) -> Content:
    """The content of a report of whatever there is so far.

    Replicas, crossings and findings are worked out anew from the plan's decisions. A plan that
    contradicts the code is told of as it is written, with the contradictions in `stale`.
    """
    program = graph.program
    content = Content(
        application=(plan.application if plan else "") or application,
        program=f"migrator {__version__}",
        analysis=_analysis(graph),
        proof=proof,
    )
    consequences = None
    if plan is not None:
        resolver = Resolver(graph)
        plan, consequences, content.score, content.stale = _scored(graph, plan, resolver)
        _tell_of_plan(content, graph, plan, consequences, proof)
        content.proposals = sorted(
            (
                _proposal(graph, name, each, plan, resolver)
                for name, each in (proposals or {}).items()
            ),
            key=_place_of_proposal,
        )
    kept = kept_functions(program, consequences) if consequences else {}
    content.modules = modules(program, plan, kept)
    content.dependencies = dependencies(graph, content.modules)
    content.tables = _tables(program, plan)
    content.state = _state(program, plan)
    return content


def _proposal(
    graph: Graph, name: str, proposal: Plan, plan: Plan, resolver: Resolver
) -> ProposalView:
    resolved, consequences, numbers, against = _scored(graph, proposal, resolver)
    moved = compare(plan, resolved).tables
    known = STRATEGIES.get(name)
    return ProposalView(
        name=name,
        trade_off=known.tradeoff if known else "",
        chosen=cut_of(resolved) == cut_of(plan),
        score=numbers,
        against=against if consequences is None else [],
        differs=[f"{each.name}: {each.before} here, {each.after} there" for each in moved],
    )


def _place_of_proposal(proposal: ProposalView) -> tuple[bool, int, str]:
    """The plan first, then in the order in which they are proposed."""
    known = list(STRATEGIES)
    place = known.index(proposal.name) if proposal.name in known else len(known)
    return not proposal.chosen, place, proposal.name


def _scored(
    graph: Graph, plan: Plan, resolver: Resolver
) -> tuple[Plan, Consequences | None, Score, list[str]]:
    """A plan as it follows from the code, or as it is written with what contradicts it."""
    try:
        resolved, consequences, numbers = resolver.scored(plan)
    except PlanError as error:
        return plan, None, score(plan, graph), [_said(each) for each in error.problems]
    return resolved, consequences, numbers, changes(graph, plan)


def _said(error: MigratorError) -> str:
    return f"{error.place}: {error.message}" if error.place else error.message


def _tell_of_plan(
    content: Content,
    graph: Graph,
    plan: Plan,
    consequences: Consequences | None,
    proof: Proof | None,
) -> None:
    program = graph.program
    needs = dependence(plan, graph, consequences) if consequences else Dependence({}, {})
    assert content.score is not None
    content.services = _services(plan, content.score, proof)
    content.links = _links(plan)
    content.crossings = _crossings(program, plan)
    content.findings = plan.findings
    content.roadmap = plan.roadmap
    content.entry_points = [
        _entry(program.entry_points[each], service.name, needs)
        for service in content.services
        for each in plan.services[service.name].entry_points
        if each in program.entry_points
    ]


def _analysis(graph: Graph) -> Analysis:
    program = graph.program
    columns = graph.to_columns()
    return Analysis(
        modules=len(program.modules),
        lines=program.lines,
        functions=len(program.functions),
        tables=len(program.tables),
        entry_points=_counted(each.kind for each in program.entry_points.values()),
        edges=_counted(EdgeKind(each).name.lower() for each in columns.edge_kind),
        confidence=_counted(Confidence(each).name.lower() for each in columns.edge_confidence),
        skipped=[(each.file, each.reason) for each in program.skipped],
        unresolved=_counted(each.reason for each in program.unresolved),
        frameworks=program.frameworks,
        observed=_observation(program.observed) if program.observed else None,
    )


def _observation(observed: Observed) -> Observation:
    return Observation(
        sessions=observed.sessions,
        accesses=observed.accesses,
        predicted=observed.predicted,
        holes=[
            f"{hole.entry_point} {hole.kind}s {hole.table or f'files in {hole.folder}'}"
            + (f" at {hole.file}:{hole.line}" if hole.file else "")
            for hole in observed.holes
        ],
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    counts = Counter(names)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _services(plan: Plan, numbers: Score, proof: Proof | None) -> list[ServiceView]:
    counted = {each.name: each for each in numbers.services}
    callers: dict[str, set[str]] = defaultdict(set)
    for name, service in plan.services.items():
        for call in service.calls:
            if call.remedy not in ("defer", "copy"):
                callers[call.owner].add(name)
    views = [
        ServiceView(
            name=name,
            purpose=service.purpose,
            remainder=service.remainder,
            order=service.order,
            tables=service.tables,
            entry_points=len(service.entry_points),
            routes=counted[name].routes,
            replicas=[(t, r.owner, r.freshness) for t, r in service.replicas.items()],
            callers=sorted(callers[name]),
            datastore=service.datastore,
            maturity=service.maturity,
            lines=proof.services.get(name, 0) if proof else 0,
            share=counted[name].share,
            blast_radius=counted[name].blast_radius,
        )
        for name, service in plan.services.items()
    ]
    return sorted(views, key=lambda view: (view.remainder, view.order, view.name))


def _entry(entry: EntryPoint, service: str, needs: Dependence) -> EntryView:
    address = "; ".join(f"{' '.join(route.methods)} {route.rule}" for route in entry.routes)
    return EntryView(
        name=entry.name.partition(":")[2],
        kind=entry.kind,
        service=service,
        address=address or entry.trigger or entry.kind,
        reads=sorted({each.table for each in entry.reads}),
        writes=sorted({each.table for each in entry.writes if not each.in_hook}),
        waits_for=sorted(needs.on.get(entry.name, frozenset()) - {service}),
        added_ms=round(needs.added_ms.get(entry.name, 0.0), 1),
        place=f"{entry.file}:{entry.line}",
    )


def _tables(program: Program, plan: Plan | None) -> list[TableView]:
    writers: Counter[str] = Counter()
    readers: Counter[str] = Counter()
    for entry in program.entry_points.values():
        writers.update({access.table for access in entry.writes})
        readers.update({access.table for access in entry.reads})
    services = plan.services if plan else {}
    owner = plan.owners() if plan else {}
    return [
        TableView(
            name=name,
            owner=owner.get(name, ""),
            columns=len(table.columns),
            writers=writers[name],
            readers=readers[name],
            copies=sorted(other for other, each in services.items() if name in each.replicas),
            place=f"{table.file}:{table.line}",
        )
        for name, table in sorted(program.tables.items())
    ]


def _crossings(program: Program, plan: Plan) -> list[CrossingView]:
    """What a request waits for first."""
    reached: Mapping[str, frozenset[str]] = {
        name: frozenset(entry.functions) for name, entry in program.entry_points.items()
    }
    views = [
        CrossingView(
            source=name,
            target=call.owner,
            function=call.function,
            remedy=call.remedy,
            transport=call.transport,
            tables=call.tables,
            because=call.because,
            at=call.at,
            entry_points=[
                each for each in service.entry_points if call.function in reached.get(each, ())
            ],
            decided=obstacle(program, name, call) is None,
        )
        for name, service in sorted(plan.services.items())
        for call in service.calls
        if call.remedy != "copy"
    ]
    return sorted(views, key=lambda view: (view.remedy == "defer", view.source, view.target))


def _state(program: Program, plan: Plan | None) -> list[StateView]:
    """Each finding once; where no service has a remedy for it, none is named."""
    found: dict[tuple[str, str], StateView] = {}
    for name, service in sorted(plan.services.items()) if plan else ():
        for each in service.state:
            view = found.setdefault(
                (each.kind, each.name),
                StateView(
                    name=each.name,
                    kind=each.kind,
                    services=[],
                    remedy=each.remedy,
                    because=each.because,
                    at=each.at,
                ),
            )
            view.services.append(name)
    for state in program.state:
        found.setdefault(
            (state.kind, state.name),
            StateView(
                name=state.name,
                kind=state.kind,
                services=[],
                remedy="",
                because=state.detail,
                at=f"{state.file}:{state.line}",
            ),
        )
    return [found[key] for key in sorted(found)]


def _links(plan: Plan) -> list[Link]:
    tied: dict[tuple[str, str, LinkKind], set[str]] = defaultdict(set)
    for name, service in plan.services.items():
        for table, replica in service.replicas.items():
            tied[replica.owner, name, "replica"].add(table)
        for call in service.calls:
            if call.remedy != "copy":
                kind: LinkKind = "defer" if call.remedy == "defer" else "call"
                tied[name, call.owner, kind].add(call.function)
    return [
        Link(source=source, target=target, kind=kind, what=sorted(what))
        for (source, target, kind), what in sorted(tied.items())
    ]
