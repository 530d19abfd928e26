"""Reads that a commit causes: an instance whose row is expired is loaded again when it is used.

After a commit every instance of the session has lost its attributes (SQLAlchemy's
`expire_on_commit`); the next attribute that is read selects its row. For a row that was loaded this
adds nothing; for one that was only inserted it is the first read of its table.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec

from migrator.graph.analysis import Analysis
from migrator.graph.components import components
from migrator.graph.effects.closure import Closure
from migrator.model.program import Event, Function

_AT_THE_END = 1 << 30

Use = tuple[int, int, str]
"""Line, column and table."""

REFRESH = "refresh after commit"
"""How such a read is known; it may stand where the function ends."""


def add_refreshes(analysis: Analysis) -> None:
    """Put a read event where an instance may be used after the commit that inserted it."""
    if not analysis.uses:
        return
    program = analysis.program
    uses = _by_function(analysis)
    closure = Closure(program)
    reached = _reached(uses, closure)
    for functions in (program.functions, program.variants):
        for key, function in functions.items():
            if not (closure.commits(key) and closure.writes(key)):
                continue
            found = _Walk(uses.get(key, set()), closure, reached, function).run()
            if found:
                events = sorted((*function.events, *found), key=lambda e: (e.line, e.column))
                functions[key] = msgspec.structs.replace(function, events=tuple(events))


def _by_function(analysis: Analysis) -> dict[str, set[Use]]:
    """The uses by function and by variant, as far as the program tells variants apart."""
    found: dict[str, set[Use]] = defaultdict(set)
    for key, uses in analysis.uses.items():
        name = key.partition("[")[0]
        for each in {*analysis.variants_at.get(key, ()), name}:
            found[each] |= uses
    return found


def _reached(uses: dict[str, set[Use]], closure: Closure) -> dict[str, frozenset[str]]:
    """By function and variant the tables whose instances it or what it calls uses."""
    program = closure.program
    keys = (*program.functions, *program.variants)
    found: dict[str, frozenset[str]] = {}
    for component in components(keys, closure.direct_callees):
        tables: set[str] = set()
        for key in component:
            tables.update(table for _, _, table in uses.get(key, ()))
            for called in closure.direct_callees(key):
                if called in found:
                    tables |= found[called]
        if tables:
            found.update(dict.fromkeys(component, frozenset(tables)))
    return found


@dataclass
class _Walk:
    """One walk through a function's body in source order."""

    uses: set[Use]
    closure: Closure
    reached: dict[str, frozenset[str]]
    function: Function
    inserted: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)

    def run(self) -> list[Event]:
        """The reads to add."""
        places: dict[tuple[int, int], list[Event | str]] = defaultdict(list)
        for event in self.function.events:
            places[event.end_line or event.line, event.end_column].append(event)
        for line, column, table in self.uses:
            places[line or _AT_THE_END, column].append(table)
        found: dict[str, Event] = {}
        for place in sorted(places):
            for each in places[place]:
                used, line = self._step(each, place[0])
                for table in sorted((used & self.expired) - set(found)):
                    found[table] = Event(kind="read", target=table, line=line, via=REFRESH)
                self._take(each)
        return list(found.values())

    def _step(self, each: Event | str, line: int) -> tuple[frozenset[str], int]:
        """The tables whose instances are used here."""
        if isinstance(each, str):
            return frozenset({each}), min(line, self.function.end_line)
        target = self.closure.target(each) if each.kind == "call" else ""
        return self.reached.get(target, frozenset()), each.line

    def _take(self, each: Event | str) -> None:
        """What is inserted, and then expired, once this has run."""
        if isinstance(each, str):
            return
        if each.kind == "write" and each.operation == "insert":
            self.inserted.add(each.target)
        target = self.closure.target(each) if each.kind == "call" else ""
        if target:
            self.inserted |= self.closure.writes(target)
        if each.kind == "commit" or (target and self.closure.commits(target)):
            self.expired |= self.inserted
