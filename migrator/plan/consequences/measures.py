"""A plan as a partition of the code that its services will hold.

The units are top-level classes and functions. What several services keep is copied, and so a unit
of each of them: a call of a copy stays inside. What crosses are the calls that are cut. So the
measures are those of the system that is generated, and not of a partition that nobody runs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.model.program import Program
from migrator.plan.consequences.dependence import observed_calls
from migrator.plan.consequences.outline import Consequences
from migrator.plan.partition.metrics import Measures, measure_partition

CodeUnit = tuple[str, str]
"""A service and a top-level definition that it holds."""


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
        seen = observed_calls(self.graph)
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


def _use_cases(plan: Plan, consequences: Consequences) -> dict[str, set[str]]:
    """Service to its entry points; the functions that it serves to siblings are use cases too."""
    return {
        name: {*service.entry_points, *consequences.served.get(name, ())} or {name}
        for name, service in plan.services.items()
    }
