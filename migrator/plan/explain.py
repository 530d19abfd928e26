"""Says why something is where it is, and what ties two things, with file and line."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.plan import Datastore, Plan
from migrator.plan.affinity import Affinity, measure
from migrator.plan.evidence import Evidence, gather
from migrator.plan.reach import Site, handlers
from migrator.plan.resolve import resolve_with_consequences
from migrator.plan.ties import Ties
from migrator.plan.wording import counted, enumerated, short

_MOST_TIES = 6
_MOST_PATHS = 20


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One statement with its evidence; `depth` is how far it is set in."""

    text: str
    at: str = ""
    depth: int = 0


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a name means: its kind, and the tables and functions that stand for it."""

    kind: str
    name: str
    tables: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()


_DONE = {"": "written", "insert": "inserted", "update": "updated", "delete": "deleted"}


class Explainer:
    """Answers about one graph and its plan."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self._program = graph.program
        self._plan, self._consequences = resolve_with_consequences(graph, plan)
        self._evidence: Evidence = gather(graph.program)
        self._affinity: Affinity = measure(self._evidence, self._plan.demands.weights)
        self._keys = [*graph.program.functions, *graph.program.variants]

    def subject(self, name: str) -> Subject:
        """What a name means. Raises ConfigurationError when it means nothing or too much."""
        program = self._program
        if name in self._plan.services:
            service = self._plan.services[name]
            starts = {h for e in service.entry_points for h in self._roots(e)}
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
            roots = frozenset(self._roots(entries[0]))
            return Subject(kind="entry point", name=entries[0], functions=roots)
        if name in program.functions and name not in program.modules:
            return Subject(kind="function", name=name, functions=frozenset({name}))
        if name in program.modules:
            own = frozenset(f for f in program.functions if f.startswith(name + "."))
            return Subject(kind="module", name=name, functions=own)
        alike = [*entries, *(f for f in program.functions if f.endswith("." + name))]
        if len(alike) == 1:
            return self.subject(alike[0])
        if alike:
            raise ConfigurationError(
                f"{name} means {len(alike)} things", hint="say which: " + enumerated(alike)
            )
        raise ConfigurationError(
            f"nothing is called {name}",
            hint="name a service, table, function, module or route (route:endpoint, or its rule);"
            " `migrator list` and `migrator list --tables` show what there is",
        )

    def _roots(self, entry: str) -> list[str]:
        return handlers(self._evidence.reach, self._program.entry_points[entry])

    def why(self, name: str) -> list[Line]:
        """Why something is in its service."""
        subject = self.subject(name)
        if subject.kind == "table":
            return self._why_table(subject.name)
        if subject.kind == "entry point":
            return self._why_entry_point(subject.name)
        if subject.kind == "service":
            return self._why_service(subject.name)
        return [line for f in sorted(subject.functions) for line in self._why_function(f)]

    def _why_table(self, table: str) -> list[Line]:
        owner = self._plan.owner_of(table) or ""
        declared = self._program.tables[table]
        place = f"{declared.file}:{declared.line}"
        lines = [Line(text=f"table {table} is owned by {owner}", at=place)]
        ties = sorted(
            (-self._affinity.between(table, other), other)
            for other in self._program.tables
            if other != table and self._affinity.between(table, other) > 0
        )
        lines += self._by_service(table)
        for weight, other in ties[:_MOST_TIES]:
            reasons = [f"{name} {w:.2f}" for name, w in self._affinity.reasons(table, other)]
            where = self._plan.owner_of(other)
            apart = "" if where == owner else f" (of {where})"
            lines.append(
                Line(text=f"tied to {other}{apart} by {-weight:.2f}: {', '.join(reasons)}", depth=1)
            )
        for binding in self._evidence.transactions:
            if table in binding.tables:
                others = enumerated(sorted(binding.tables - {table}))
                place = f"{binding.transaction.file}:{binding.transaction.line}"
                text = f"{binding.entry_point} commits it together with {others}"
                lines.append(Line(text=text, at=place, depth=1))
        for name, entry in sorted(self._program.entry_points.items()):
            for access in entry.writes:
                if access.table == table:
                    where = self._plan.service_of(name) or "no service"
                    how = "in a hook of " if access.in_hook else "by "
                    lines.append(
                        Line(
                            text=f"{_DONE[access.operation]} {how}{name} ({where}):"
                            f" {' -> '.join(access.path)}",
                            at=f"{access.file}:{access.line}",
                            depth=1,
                        )
                    )
        return lines

    def _by_service(self, table: str) -> list[Line]:
        """How strongly each service's tables draw a table, signal by signal."""
        drawn: dict[str, dict[str, float]] = {}
        for service, each in self._plan.services.items():
            for other in sorted(set(each.tables) - {table}):
                for signal, weight in self._affinity.reasons(table, other):
                    sums = drawn.setdefault(service, {})
                    sums[signal] = sums.get(signal, 0.0) + weight
        ranked = sorted(
            drawn, key=lambda service: (-round(sum(drawn[service].values()), 9), service)
        )
        lines = []
        for service in ranked[:_MOST_TIES]:
            sums = drawn[service]
            said = ", ".join(
                f"{signal} {weight:.2f}"
                for signal, weight in sorted(sums.items(), key=lambda each: (-each[1], each[0]))
            )
            lines.append(
                Line(text=f"drawn to {service} by {sum(sums.values()):.2f}: {said}", depth=1)
            )
        return lines

    def _why_entry_point(self, name: str) -> list[Line]:
        entry = self._program.entry_points[name]
        service = self._plan.service_of(name) or ""
        text = f"{name} is answered by {service}" if service else f"{name} is in no service"
        lines = [Line(text=text, at=f"{entry.file}:{entry.line}")]
        bound = self._evidence.bound.get(name, frozenset())
        for verb, accesses in (("writes", entry.writes), ("reads", entry.reads)):
            for access in accesses:
                owner = self._plan.owner_of(access.table)
                notes = [f"of {owner}"]
                if access.in_hook:
                    notes.append("in a hook, so it does not bind")
                elif verb == "writes" and access.table not in bound:
                    notes.append("can be deferred, so it does not bind")
                lines.append(
                    Line(
                        text=f"{verb} {access.table} ({', '.join(notes)}):"
                        f" {' -> '.join(access.path)}",
                        at=f"{access.file}:{access.line}",
                        depth=1,
                    )
                )
        if service:
            reached = set(entry.functions)
            for call in self._plan.services[service].calls:
                if call.function in reached:
                    text = f"crosses at {call.function} to {call.owner} ({call.remedy})"
                    at = call.at[0] if call.at else ""
                    lines.append(Line(text=f"{text}: {call.because}", at=at, depth=1))
        return lines

    def _why_service(self, name: str) -> list[Line]:
        service = self._plan.services[name]
        lines = [Line(text=f"{name}: {service.purpose}")]
        if service.maturity:
            lines.append(Line(text=service.maturity, depth=1))
        lines += _stores(service.datastore)
        for call in service.calls:
            at = call.at[0] if call.at else ""
            text = f"crosses at {call.function} to {call.owner} ({call.remedy}): {call.because}"
            lines.append(Line(text=text, at=at, depth=1))
        for table in service.tables:
            lines += [
                msgspec.structs.replace(line, depth=line.depth + 1)
                for line in self._why_table(table)
            ]
        return lines

    def _why_function(self, name: str) -> list[Line]:
        function = self._program.functions[name]
        lines = [Line(text=f"function {name}", at=f"{function.file}:{function.line}")]
        reach = self._evidence.reach
        for service, walk in sorted(self._consequences.walks.items()):
            if name in {reach.name(key) for key in walk.kept}:
                roots = [
                    (entry, path)
                    for entry in self._plan.services[service].entry_points
                    for root in self._roots(entry)
                    if (path := self._chain(reach.path(root, name))) or root == name
                ]
                how = f": {roots[0][0]}: {roots[0][1] or name}" if roots else ", for its siblings"
                lines.append(Line(text=f"its code runs in {service}{how}", depth=1))
            for cut in walk.cuts:
                if cut.function == name:
                    text = f"{service} does not run it: {cut.remedy} to {cut.owner}"
                    lines.append(Line(text=text, at=cut.place, depth=1))
        for verb, tables in (("writes", reach.writes(name)), ("reads", reach.reads(name))):
            if tables:
                lines.append(Line(text=f"{verb} {enumerated(sorted(tables), 8)}", depth=1))
        return lines

    def between(self, first: str, second: str) -> list[Line]:
        """What ties two things: every path of calls either way, the cheapest set of calls to cut,
        tables that both touch, references, signals."""
        a, b = self.subject(first), self.subject(second)
        lines = [Line(text=f"{a.kind} {a.name} and {b.kind} {b.name}")]
        if a.kind == b.kind == "service":
            lines += self._crossings(a.name, b.name) + self._crossings(b.name, a.name)
        lines += self._calls(a, b)
        lines += self._calls(b, a)
        lines += self._shared(a, b)
        if a.kind == b.kind == "table":
            lines += self._touching_both(a.name, b.name)
        pairs = [(table, other) for table in a.tables for other in b.tables - {table}]
        pairs = [pair for pair in sorted(pairs) if self._affinity.between(*pair) > 0]
        pairs.sort(key=lambda pair: -round(self._affinity.between(*pair), 9))
        for table, other in pairs[:_MOST_TIES]:
            reasons = self._affinity.reasons(table, other)
            said = ", ".join(f"{name} {weight:.2f}" for name, weight in reasons)
            lines.append(Line(text=f"tables {table} and {other}: {said}", depth=1))
        if len(pairs) > _MOST_TIES:
            text = f"and {len(pairs) - _MOST_TIES} more pairs of tables, tied less"
            lines.append(Line(text=text, depth=1))
        for table in sorted(a.tables):
            for other in sorted(b.tables - {table}):
                lines += self._references(table, other) + self._references(other, table)
        if len(lines) == 1:
            lines.append(Line(text="nothing ties them", depth=1))
        return lines

    def _calls(self, a: Subject, b: Subject) -> list[Line]:
        """Every path of calls from one to the other, call by call, and what severs them."""
        services = a.kind == b.kind == "service"
        by_tables = services or not b.functions
        targets = self._touching(b.tables, services) if by_tables else self._keyed(b.functions)
        sources = a.functions if a.kind in ("service", "entry point") else self._keyed(a.functions)
        if not sources or not targets:
            return []
        name = self._evidence.reach.name
        ties = Ties(self._evidence.reach, self._keys)
        paths = ties.paths(sources, targets)
        lines: list[Line] = []
        for path in paths[:_MOST_PATHS]:
            names = [path[0].caller, *(tie.callee for tie in path)]
            lines.append(Line(text=" -> ".join(map(name, names)), depth=1))
            lines += [
                Line(
                    text=f"{short(name(tie.caller))} calls {short(name(tie.callee))}",
                    at=at,
                    depth=2,
                )
                for tie in path
                for at in tie.places
            ]
        if len(paths) > _MOST_PATHS:
            lines.append(Line(text=f"and {len(paths) - _MOST_PATHS} more paths", depth=1))
        for key in sorted(sources & targets):
            function = self._evidence.reach.function(key)
            place = f"{function.file}:{function.line}"
            lines.append(Line(text=f"{name(key)} does it by itself", at=place, depth=1))
        cut = ties.cheapest_cut(sources, targets)
        if cut:
            places = sum(len(tie.places) for tie in cut)
            said = f"{counted(len(paths), 'path')} from {a.name} to {b.name}"
            text = f"{said}: the cheapest cut is {counted(places, 'call')}"
            lines.append(Line(text=text, depth=1))
            lines += [
                Line(text=f"cut {name(tie.caller)} -> {name(tie.callee)}", at=at, depth=2)
                for tie in cut
                for at in tie.places
            ]
        return lines

    def _crossings(self, service: str, owner: str) -> list[Line]:
        lines = [
            Line(
                text=f"{service} crosses at {c.function} ({c.remedy}): {c.because}", at=at, depth=1
            )
            for c in self._plan.services[service].calls
            if c.owner == owner
            for at in c.at or [""]
        ]
        copies = [t for t, r in self._plan.services[service].replicas.items() if r.owner == owner]
        if copies:
            lines.append(Line(text=f"{service} has copies of {enumerated(copies, 8)}", depth=1))
        return lines

    def _touching(self, tables: Iterable[str], written: bool = False) -> frozenset[str]:
        """The keys of functions whose own bodies touch tables, or only those that write them."""
        wanted = set(tables)
        kinds = ("write",) if written else ("read", "write")
        varied = {function.name for function in self._program.variants.values()}
        return frozenset(
            key
            for key in self._keys
            if key not in varied
            and any(
                e.kind in kinds and e.target in wanted
                for e in self._evidence.reach.function(key).events
            )
        )

    def _keyed(self, functions: Iterable[str]) -> frozenset[str]:
        """Functions by all keys under which they run."""
        named = set(functions)
        variants = {key for key, each in self._program.variants.items() if each.name in named}
        return frozenset(named | variants)

    def _shared(self, a: Subject, b: Subject) -> list[Line]:
        reach = self._evidence.reach
        reads = [frozenset().union(*(reach.reads(f) for f in s.functions)) for s in (a, b)]
        writes = [frozenset().union(*(reach.writes(f) for f in s.functions)) for s in (a, b)]
        lines = []
        for tables, verb in (
            (writes[0] & writes[1], "both write"),
            (writes[0] & reads[1] - writes[1], f"{a.name} writes what {b.name} reads:"),
            (writes[1] & reads[0] - writes[0], f"{b.name} writes what {a.name} reads:"),
        ):
            if tables:
                lines.append(Line(text=f"{verb} {enumerated(sorted(tables), 8)}", depth=1))
        return lines

    def _touching_both(self, table: str, other: str) -> list[Line]:
        """Transactions and entry points of which both tables are a part."""
        lines = [
            Line(
                text=f"{each.entry_point} commits both",
                at=f"{each.transaction.file}:{each.transaction.line}",
                depth=1,
            )
            for each in self._evidence.transactions
            if {table, other} <= each.tables
        ]
        for verb in ("writes", "reads"):
            for name, entry in sorted(self._program.entry_points.items()):
                places = {
                    access.table: f"{access.file}:{access.line}"
                    for access in (entry.writes if verb == "writes" else entry.reads)
                    if access.table in (table, other)
                }
                if len(places) == 2:
                    lines.append(Line(text=f"{name} {verb} both", at=places[other], depth=1))
        if len(lines) > _MOST_PATHS:
            more = len(lines) - _MOST_PATHS
            lines = [*lines[:_MOST_PATHS], Line(text=f"and {more} more that use both", depth=1)]
        return lines

    def _references(self, table: str, other: str) -> list[Line]:
        declared = self._program.tables[table]
        return [
            Line(
                text=f"{table}.{column.name} refers to {column.references}",
                at=f"{declared.file}:{declared.line}",
                depth=1,
            )
            for column in declared.columns
            if column.referred == other
        ]

    def _chain(self, path: list[Site]) -> str:
        if not path:
            return ""
        keys = [path[0].caller, *(site.callee for site in path)]
        return " -> ".join(self._evidence.reach.name(key) for key in keys)


def _stores(store: Datastore) -> list[Line]:
    """Where a service keeps its tables, and what would be better kept elsewhere."""
    lines = [
        Line(text=f"{store.kind} store, {store.engine}, {store.status}: {store.because}", depth=1)
    ]
    for each in store.advice:
        text = f"{each.kind} store, {each.engine}, {each.status}: {each.because}"
        lines.append(Line(text=text, at=each.at[0] if each.at else "", depth=1))
    return lines
