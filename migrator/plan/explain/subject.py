"""What a name means in a program and its plan, and what is said of it."""

from __future__ import annotations

import msgspec

from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.plan.evidence.evidence import gather
from migrator.plan.evidence.reach import handlers
from migrator.plan.resolve import resolve_with_consequences
from migrator.plan.signals.affinity import measure
from migrator.plan.wording import enumerated


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One statement with the places that show it; `depth` is how far it is set in."""

    text: str
    at: tuple[str, ...] = ()
    depth: int = 0


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a name means: its kind, and the tables and functions that stand for it."""

    kind: str
    name: str
    tables: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()


class Subjects:
    """A program and its plan, with what both are made of."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.program = graph.program
        self.plan, self.consequences = resolve_with_consequences(graph, plan)
        self.evidence = gather(graph.program)
        self.affinity = measure(self.evidence, self.plan.demands.weights)

    def named(self, name: str) -> Subject:
        """What a name means. Raises ConfigurationError when it means nothing or too much."""
        program = self.program
        if name in self.plan.services:
            service = self.plan.services[name]
            starts = {h for e in service.entry_points for h in self.roots(e)}
            tables = frozenset(service.tables)
            return Subject(kind="service", name=name, tables=tables, functions=frozenset(starts))
        table = name.removeprefix("table:")
        if table in program.tables:
            return Subject(kind="table", name=table, tables=frozenset({table}))
        entries = [e for e in program.entry_points if e == name or e.partition(":")[2] == name]
        entries = entries or [
            e
            for e, entry in program.entry_points.items()
            if any(route.rule == name for route in entry.routes)
        ]
        if len(entries) == 1:
            roots = frozenset(self.roots(entries[0]))
            return Subject(kind="entry point", name=entries[0], functions=roots)
        if name in program.functions and name not in program.modules:
            return Subject(kind="function", name=name, functions=frozenset({name}))
        if name in program.modules:
            own = frozenset(f for f in program.functions if f.startswith(name + "."))
            return Subject(kind="module", name=name, functions=own)
        alike = [*entries, *(f for f in program.functions if f.endswith("." + name))]
        if len(alike) == 1:
            return self.named(alike[0])
        if alike:
            raise ConfigurationError(
                f"{name} means {len(alike)} things", hint="say which: " + enumerated(alike)
            )
        raise ConfigurationError(
            f"nothing is called {name}",
            hint="name a service, table, function, module or route (route:endpoint, or its rule);"
            " `migrator list` and `migrator list --tables` show what there is",
        )

    def roots(self, entry: str) -> list[str]:
        """The functions that handle an entry point."""
        return handlers(self.evidence.reach, self.program.entry_points[entry])
