"""What ties two things: the fewest calls that sever them, what crosses, what both touch, paths."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.plan.explain.subject import Line, Subject, Subjects
from migrator.plan.explain.ties import Tie, Ties
from migrator.plan.wording import counted, enumerated, short

_MOST_PAIRS = 6
_MOST_PATHS = 20


def tied(subjects: Subjects, a: Subject, b: Subject) -> list[Line]:
    """Both ways the cheapest cut, crossings, tables, signals, references; all paths at the end."""
    there, back = _Way(subjects, a, b), _Way(subjects, b, a)
    lines = [Line(text=f"{a.kind} {a.name} and {b.kind} {b.name}")]
    lines += there.cut() + back.cut()
    if a.kind == b.kind == "service":
        lines += _crossings(subjects, a.name, b.name) + _crossings(subjects, b.name, a.name)
    lines += _shared(subjects, a, b)
    if a.kind == b.kind == "table":
        lines += _touching_both(subjects, a.name, b.name)
    lines += _signals(subjects, a, b)
    for table in sorted(a.tables):
        for other in sorted(b.tables - {table}):
            lines += _references(subjects, table, other) + _references(subjects, other, table)
    lines += there.each() + back.each()
    return lines if len(lines) > 1 else [*lines, Line(text="nothing ties them", depth=1)]


class _Way:
    """The calls that lead from one thing to another."""

    def __init__(self, subjects: Subjects, a: Subject, b: Subject) -> None:
        self._a, self._b = a, b
        self._reach = subjects.evidence.reach
        self._subjects = subjects
        services = a.kind == b.kind == "service"
        by_tables = services or not b.functions
        self._keys = [*subjects.program.functions, *subjects.program.variants]
        self._ends = self._touching(b.tables, services) if by_tables else self._keyed(b.functions)
        handled = a.kind in ("service", "entry point")
        self._starts = a.functions if handled else self._keyed(a.functions)
        self._ties = Ties(self._reach, self._keys) if self._starts and self._ends else None
        self._paths = self._ties.paths(self._starts, self._ends) if self._ties else []

    def cut(self) -> list[Line]:
        """How many paths there are, and the cheapest set of calls that severs them all."""
        cut = self._ties.cheapest_cut(self._starts, self._ends) if self._ties else []
        if not cut:
            return []
        said = f"{counted(len(self._paths), 'path')} from {self._a.name} to {self._b.name}"
        places = sum(len(tie.places) for tie in cut)
        text = f"{said}: the cheapest cut is {counted(places, 'call')}"
        name = self._reach.name
        return [
            Line(text=text, depth=1),
            *(
                Line(text=f"cut {name(tie.caller)} -> {name(tie.callee)}", at=tie.places, depth=2)
                for tie in cut
            ),
        ]

    def each(self) -> list[Line]:
        """Every path, call by call."""
        lines = []
        for path in self._paths[:_MOST_PATHS]:
            lines += self._told(path)
        if len(self._paths) > _MOST_PATHS:
            text = f"and {len(self._paths) - _MOST_PATHS} more paths"
            lines.append(Line(text=f"{text} from {self._a.name} to {self._b.name}", depth=1))
        for key in sorted(self._starts & self._ends):
            function = self._reach.function(key)
            at = (f"{function.file}:{function.line}",)
            lines.append(Line(text=f"{self._reach.name(key)} does it by itself", at=at, depth=1))
        return lines

    def _told(self, path: list[Tie]) -> list[Line]:
        name = self._reach.name
        ends = f"{name(path[0].caller)} -> {name(path[-1].callee)}"
        calls = "" if len(path) == 1 else f" in {len(path)} calls"
        return [
            Line(text=f"{ends}{calls}", depth=1),
            *(
                Line(
                    text=f"{short(name(tie.caller))} calls {short(name(tie.callee))}",
                    at=tie.places,
                    depth=2,
                )
                for tie in path
            ),
        ]

    def _touching(self, tables: Iterable[str], written: bool) -> frozenset[str]:
        """The keys of functions whose own bodies touch tables, or only those that write them."""
        wanted = set(tables)
        kinds = ("write",) if written else ("read", "write")
        varied = {function.name for function in self._subjects.program.variants.values()}
        return frozenset(
            key
            for key in self._keys
            if key not in varied
            and any(
                e.kind in kinds and e.target in wanted for e in self._reach.function(key).events
            )
        )

    def _keyed(self, functions: Iterable[str]) -> frozenset[str]:
        """Functions by all keys under which they run."""
        named = set(functions)
        variants = self._subjects.program.variants
        return frozenset(named | {key for key, each in variants.items() if each.name in named})


def _crossings(subjects: Subjects, service: str, owner: str) -> list[Line]:
    known = subjects.plan.services[service]
    lines = [
        Line(
            text=f"{service} crosses at {c.function} ({subjects.plan.remedy_of(c)}): {c.because}",
            at=tuple(c.at),
            depth=1,
        )
        for c in known.calls
        if c.owner == owner
    ]
    copies = [t for t, r in known.replicas.items() if r.owner == owner]
    if copies:
        lines.append(Line(text=f"{service} has copies of {enumerated(copies, 8)}", depth=1))
    return lines


def _shared(subjects: Subjects, a: Subject, b: Subject) -> list[Line]:
    reach = subjects.evidence.reach
    reads = [frozenset().union(*(reach.reads(f) for f in s.functions)) for s in (a, b)]
    writes = [frozenset().union(*(reach.writes(f) for f in s.functions)) for s in (a, b)]
    return [
        Line(text=f"{verb} {enumerated(sorted(tables), 8)}", depth=1)
        for tables, verb in (
            (writes[0] & writes[1], "both write"),
            (writes[0] & reads[1] - writes[1], f"{a.name} writes what {b.name} reads:"),
            (writes[1] & reads[0] - writes[0], f"{b.name} writes what {a.name} reads:"),
        )
        if tables
    ]


def _touching_both(subjects: Subjects, table: str, other: str) -> list[Line]:
    """Transactions and entry points of which both tables are a part."""
    lines = [
        Line(
            text=f"{each.entry_point} commits both",
            at=(f"{each.transaction.file}:{each.transaction.line}",),
            depth=1,
        )
        for each in subjects.evidence.transactions
        if {table, other} <= each.tables
    ]
    for verb in ("writes", "reads"):
        for name, entry in sorted(subjects.program.entry_points.items()):
            places = {
                access.table: f"{access.file}:{access.line}"
                for access in (entry.writes if verb == "writes" else entry.reads)
                if access.table in (table, other)
            }
            if len(places) == 2:
                lines.append(Line(text=f"{name} {verb} both", at=(places[other],), depth=1))
    if len(lines) > _MOST_PATHS:
        more = len(lines) - _MOST_PATHS
        lines = [*lines[:_MOST_PATHS], Line(text=f"and {more} more that use both", depth=1)]
    return lines


def _signals(subjects: Subjects, a: Subject, b: Subject) -> list[Line]:
    """The pairs of tables that signals tie most."""
    affinity = subjects.affinity
    pairs = [(table, other) for table in a.tables for other in b.tables - {table}]
    pairs = [pair for pair in sorted(pairs) if affinity.between(*pair) > 0]
    pairs.sort(key=lambda pair: -round(affinity.between(*pair), 9))
    lines = []
    for table, other in pairs[:_MOST_PAIRS]:
        said = ", ".join(f"{name} {weight:.2f}" for name, weight in affinity.reasons(table, other))
        lines.append(Line(text=f"tables {table} and {other}: {said}", depth=1))
    if len(pairs) > _MOST_PAIRS:
        text = f"and {len(pairs) - _MOST_PAIRS} more pairs of tables, tied less"
        lines.append(Line(text=text, depth=1))
    return lines


def _references(subjects: Subjects, table: str, other: str) -> list[Line]:
    declared = subjects.program.tables[table]
    return [
        Line(
            text=f"{table}.{column.name} refers to {column.references}",
            at=(f"{declared.file}:{declared.line}",),
            depth=1,
        )
        for column in declared.columns
        if column.referred == other
    ]
