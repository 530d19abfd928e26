"""A plan as a partition of the code that its services will hold, and what requests pay for it.

The units are top-level classes and functions. What several services keep is copied, and so a unit
of each of them: a call of a copy stays inside. What crosses are the calls that are cut. So the
measures are those of the system that is generated, and not of a partition that nobody runs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.model.graph import EdgeKind, Graph
from migrator.model.plan import Plan
from migrator.model.program import Program
from migrator.plan.crossings import LOOP_FACTOR, Cut
from migrator.plan.metrics import Measures, measure_partition
from migrator.plan.outline import Consequences
from migrator.plan.reach import Reach, handlers

CALL_MS = 4.0
"""What a call that is waited for adds: 3 to 5 ms measured, against 0.8 in process."""

CATCH_UP_MS = 0.3
"""What a request pays to learn that the replicas which it reads are fresh."""

CodeUnit = tuple[str, str]
"""A service and a top-level definition that it holds."""


@dataclass(frozen=True)
class Dependence:
    """What answering takes, by entry point."""

    on: Mapping[str, frozenset[str]]
    """The services without which an entry point fails: its own, and those that it waits for."""
    added_ms: Mapping[str, float]
    """What crossings add to it: calls that are waited for, and catching up with replicas."""


def measures_of(plan: Plan, graph: Graph, consequences: Consequences) -> Measures:
    """SM, ICP, BCP, IFN, NED and database purity of the services that a plan makes.

    Volumes are calls that were observed, or places in the code that call. Use cases are entry
    points. A use of a table is a function that reads or writes it, in whatever service it runs.
    """
    code = _Code(graph, consequences)
    entries = _use_cases(plan, consequences)
    groups = [sorted(code.units[name]) for name in sorted(code.units)]
    return measure_partition(
        groups,
        code.calls,
        use_cases={unit: entries[unit[0]] for group in groups for unit in group},
        accesses=code.accesses,
    )


def copied_share(program: Program, consequences: Consequences) -> float:
    """The share of all lines in functions that more than one service keeps."""
    lines = lines_of(program)
    holders: Counter[str] = Counter()
    for kept in kept_functions(program, consequences).values():
        holders.update(kept)
    total = sum(lines.values())
    return sum(lines[f] for f, n in holders.items() if n > 1 and f in lines) / (total or 1)


def lines_of(program: Program) -> dict[str, int]:
    """The lines of each function; module bodies are none."""
    return {
        name: function.end_line - function.line + 1
        for name, function in program.functions.items()
        if name not in program.modules
    }


def kept_functions(program: Program, consequences: Consequences) -> dict[str, frozenset[str]]:
    """Service to the names of the functions that run in it."""
    variants = program.variants
    return {
        service: frozenset(variants[k].name if k in variants else k for k in walk.kept)
        for service, walk in consequences.walks.items()
    }


def dependence(plan: Plan, program: Program, consequences: Consequences) -> Dependence:
    """What each entry point of a plan needs to answer; replicas are no dependency.

    A function that is called at its owner may wait for others in its turn: they count as well.
    """
    reach = consequences.reach or Reach(program)
    waits = {service: _Waits(reach, walk.cuts) for service, walk in consequences.walks.items()}
    on: dict[str, frozenset[str]] = {}
    added: dict[str, float] = {}
    for service, planned in plan.services.items():
        for name in planned.entry_points:
            entry = program.entry_points.get(name)
            if entry is None:
                continue
            needed, ms = {service}, 0.0
            queue = deque((service, key) for key in handlers(reach, entry))
            seen = set(queue)
            while queue:
                at, key = queue.popleft()
                for cut in waits[at].below(key) if at in waits else ():
                    needed.add(cut.owner)
                    ms += CALL_MS * (LOOP_FACTOR if cut.looped else 1)
                    if (cut.owner, cut.key) not in seen and not cut.rows:
                        seen.add((cut.owner, cut.key))
                        queue.append((cut.owner, cut.key))
            if any(access.table in planned.replicas for access in entry.reads):
                ms += CATCH_UP_MS
            on[name], added[name] = frozenset(needed), ms
    return Dependence(on, added)


def requests(program: Program) -> dict[str, int]:
    """How often each route was seen running, by the access that was seen most; 0: never."""
    return {
        name: max((access.count for access in (*entry.reads, *entry.writes)), default=0)
        for name, entry in program.entry_points.items()
        if entry.kind == "route"
    }


def replica_traffic(plan: Plan, program: Program) -> tuple[int, int]:
    """What feeds all replicas: places that write the tables, and writes that were observed.

    Both count once for each copy: a table with three replicas sends each change three times.
    """
    places: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for function in program.functions.values():
        places.update({e.target for e in function.events if e.kind == "write"})
    for entry in program.entry_points.values():
        for access in entry.writes:
            seen[access.table] += access.count
    copies = [table for service in plan.services.values() for table in service.replicas]
    return sum(places[table] for table in copies), sum(seen[table] for table in copies)


class _Waits:
    """The cuts of one service that a request waits for, by the function above them."""

    def __init__(self, reach: Reach, cuts: tuple[Cut, ...]) -> None:
        self._reach = reach
        self._at: dict[str, list[Cut]] = {}
        for cut in cuts:
            if cut.remedy != "defer":
                self._at.setdefault(cut.caller, []).append(cut)
        self._gone = {(c.caller, c.function) for cuts in self._at.values() for c in cuts}
        self._known: dict[str, tuple[Cut, ...]] = {}

    def below(self, start: str) -> tuple[Cut, ...]:
        """The cuts that a function comes to, not beyond any of them; each place once."""
        if not self._at:
            return ()
        if start not in self._known:
            found: dict[Cut, None] = {}
            queue, seen = deque([start]), {start}
            while queue:
                key = queue.popleft()
                name = self._reach.name(key)
                found |= dict.fromkeys(self._at.get(name, ()))
                for site in self._reach.sites(key):
                    cut = (name, self._reach.name(site.callee)) in self._gone
                    if site.callee not in seen and not cut:
                        seen.add(site.callee)
                        queue.append(site.callee)
            self._known[start] = tuple(found)
        return self._known[start]


@dataclass
class _Code:
    """The units of all services with their calls and accesses."""

    graph: Graph
    consequences: Consequences
    units: dict[str, set[CodeUnit]] = field(default_factory=dict)
    calls: dict[tuple[CodeUnit, CodeUnit], float] = field(default_factory=dict)
    accesses: dict[str, dict[CodeUnit, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program = self.graph.program
        seen = _observed_calls(self.graph)
        kept = kept_functions(program, self.consequences)
        for service, names in kept.items():
            cut = {
                (c.caller, c.function): c
                for c in self.consequences.walks[service].cuts
                if not c.rows
            }
            self.units[service] = {(service, _top(program, name)) for name in names}
            for name in sorted(names):
                unit = (service, _top(program, name))
                called: Counter[str] = Counter()
                for event in program.functions[name].events if name in program.functions else ():
                    if event.kind in ("read", "write") and event.target in program.tables:
                        users = self.accesses.setdefault(event.target, {})
                        users[unit] = users.get(unit, 0.0) + 1
                    elif event.kind == "call" and event.target in program.functions:
                        called[event.target] += 1
                for callee, places in called.items():
                    across = cut.get((name, callee))
                    holder = across.owner if across is not None else service
                    if callee in kept.get(holder, ()):
                        pair = (unit, (holder, _top(program, callee)))
                        volume = seen.get((name, callee), 0) or places
                        self.calls[pair] = self.calls.get(pair, 0.0) + volume


def _top(program: Program, function: str) -> str:
    """The top-level definition that a function stands in: its class, itself, or its module."""
    module = function
    while module and module not in program.modules:
        module = module.rpartition(".")[0]
    rest = function[len(module) :].lstrip(".")
    return f"{module}.{rest.partition('.')[0]}".strip(".") if rest else function


def _observed_calls(graph: Graph) -> dict[tuple[str, str], int]:
    if graph.program.observed is None:
        return {}
    found: Counter[tuple[str, str]] = Counter()
    for edge in graph.edges(EdgeKind.CALLS):
        if edge.observed:
            found[edge.source.name, edge.target.name] += edge.observed
    return found


def _use_cases(plan: Plan, consequences: Consequences) -> dict[str, set[str]]:
    """Service to its entry points; the functions that it serves to siblings are use cases too."""
    return {
        name: {*service.entry_points, *consequences.served.get(name, ())} or {name}
        for name, service in plan.services.items()
    }
