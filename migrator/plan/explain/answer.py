"""Says why something is where it is, with file and line."""

from __future__ import annotations

from collections import Counter

import msgspec

from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Datastore, Plan
from migrator.model.program import Access
from migrator.plan.evidence.evidence import Binding
from migrator.plan.evidence.reach import Site
from migrator.plan.explain.subject import Line, Subjects
from migrator.plan.explain.tied import tied
from migrator.plan.wording import counted, enumerated

_MOST_TIES = 6

_DONE = {"": "written", "insert": "inserted", "update": "updated", "delete": "deleted"}


class Explainer:
    """Answers about one graph and its plan."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self._subjects = Subjects(graph, plan)
        self._program = self._subjects.program
        self._plan = self._subjects.plan
        self._evidence = self._subjects.evidence
        self._affinity = self._subjects.affinity

    def between(self, first: str, second: str) -> list[Line]:
        """What ties two things, by their names."""
        return tied(self._subjects, self._subjects.named(first), self._subjects.named(second))

    def why(self, name: str) -> list[Line]:
        """Why something is in its service."""
        subject = self._subjects.named(name)
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
        lines = [Line(text=f"table {table} is owned by {owner}", at=(place,))]
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
        return lines + self._committed(table) + self._written(table)

    def _committed(self, table: str) -> list[Line]:
        """The transactions that a table is a part of, those of one place together."""
        by_place: dict[str, list[Binding]] = {}
        for binding in self._evidence.transactions:
            if table in binding.tables:
                place = f"{binding.transaction.file}:{binding.transaction.line}"
                by_place.setdefault(place, []).append(binding)
        lines = []
        for place, bindings in by_place.items():
            who = enumerated(sorted({each.entry_point for each in bindings}))
            counts = Counter(t for each in bindings for t in each.tables if t != table)
            most = sorted(counts, key=lambda name: (-counts[name], name))
            if len(bindings) == 1:
                said = f"commits it together with {enumerated(most)}" if most else "commits it"
            else:
                often = [f"{each} ({counts[each]})" for each in most]
                said = f"commit it in {counted(len(bindings), 'transaction')}"
                said += f" together with {enumerated(often)}" if often else ""
            lines.append(Line(text=f"{who} {said}", at=(place,), depth=1))
        return lines

    def _written(self, table: str) -> list[Line]:
        """The places that write a table, each with the entry points that lead there."""
        by_place: dict[tuple[str, int, str, bool], dict[str, Access]] = {}
        for name, entry in sorted(self._program.entry_points.items()):
            for access in entry.writes:
                if access.table == table:
                    place = (access.file, access.line, access.operation, access.in_hook)
                    by_place.setdefault(place, {})[name] = access
        lines = []
        for (file, line, operation, in_hook), entries in by_place.items():
            who = [f"{name} ({self._plan.service_of(name) or 'no service'})" for name in entries]
            path = min((each.path for each in entries.values()), key=len)
            how = "in a hook of" if in_hook else "by"
            one = ":" if len(who) == 1 else ", as in"
            text = f"{_DONE[operation]} {how} {enumerated(who)}{one} {' -> '.join(path)}"
            lines.append(Line(text=text, at=(f"{file}:{line}",), depth=1))
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
        lines = [Line(text=text, at=(f"{entry.file}:{entry.line}",))]
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
                        at=(f"{access.file}:{access.line}",),
                        depth=1,
                    )
                )
        if service:
            reached = set(entry.functions)
            for call in self._plan.services[service].calls:
                if call.function in reached:
                    lines.append(self._crosses(call))
        return lines

    def _why_service(self, name: str) -> list[Line]:
        service = self._plan.services[name]
        lines = [Line(text=f"{name}: {service.purpose}")]
        if service.maturity:
            lines.append(Line(text=service.maturity, depth=1))
        lines += _stores(service.datastore)
        for call in service.calls:
            lines.append(self._crosses(call))
        for table in service.tables:
            lines += [
                msgspec.structs.replace(line, depth=line.depth + 1)
                for line in self._why_table(table)
            ]
        return lines

    def _crosses(self, call: Crossing) -> Line:
        text = f"crosses at {call.function} to {call.owner} ({self._plan.remedy_of(call)})"
        return Line(text=f"{text}: {call.because}", at=tuple(call.at), depth=1)

    def _why_function(self, name: str) -> list[Line]:
        function = self._program.functions[name]
        lines = [Line(text=f"function {name}", at=(f"{function.file}:{function.line}",))]
        decided = self._plan.remedies.get(name)
        if decided is not None:
            lines.append(Line(text=f"decided for all its crossings: {decided}", depth=1))
        reach = self._evidence.reach
        for service, walk in sorted(self._subjects.consequences.walks.items()):
            if name in {reach.name(key) for key in walk.kept}:
                roots = [
                    (entry, path)
                    for entry in self._plan.services[service].entry_points
                    for root in self._subjects.roots(entry)
                    if (path := self._chain(reach.path(root, name))) or root == name
                ]
                how = f": {roots[0][0]}: {roots[0][1] or name}" if roots else ", for its siblings"
                lines.append(Line(text=f"its code runs in {service}{how}", depth=1))
            for cut in walk.cuts:
                if cut.function == name:
                    remedy = decided or cut.remedy
                    text = f"{service} does not run it: {remedy} to {cut.owner}"
                    lines.append(Line(text=text, at=(cut.place,), depth=1))
        for verb, tables in (("writes", reach.writes(name)), ("reads", reach.reads(name))):
            if tables:
                lines.append(Line(text=f"{verb} {enumerated(sorted(tables), 8)}", depth=1))
        return lines

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
        lines.append(Line(text=text, at=tuple(each.at), depth=1))
    return lines
