"""What an entry point is there to write, and what it writes only by the way.

Where everything that a request did is committed at its end, the transaction says nothing about what
belongs together: it holds whatever ran. What says something is what the entry point's own code
writes. By the way are

* what functions write that are called from everywhere (a log, settings, when a user was last
  seen): they say as little of a caller's domain as a hub says of its neighbours;
* rows that a deletion takes along (cascades, orphans): their owner deletes them when it hears of
  it;
* what a place writes that may write any of many tables (`setattr(row, name, value)` in a form).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from migrator.model.bits import members
from migrator.model.program import EntryPoint, Event, Function
from migrator.plan.evidence.deferral import Deferral
from migrator.plan.evidence.reach import Reach, handlers, place_of

_LEAST_PACKAGES = 3
_SHARE_OF_PACKAGES = 0.1
"""From so many packages of entry points on, and this share of them, a function is called from
everywhere."""

_MOST_ALTERNATIVES = 3
"""A place that may write more tables than this says little about any."""

_TAKEN_ALONG = ("cascade", "orphan")

Write = tuple[str, str]
"""A function, and a table that its body writes."""


class Everywhere(NamedTuple):
    """A function that writes on behalf of entry points all over the application."""

    function: str
    tables: tuple[str, ...]
    entry_points: frozenset[str]
    packages: int
    """In how many packages these are."""


@dataclass(frozen=True)
class Intent:
    """`own`: what each entry point is there to write, a part of what binds it."""

    own: Mapping[str, frozenset[str]]
    everywhere: tuple[Everywhere, ...]
    """Those that most entry points reach first."""


def intent(
    reach: Reach,
    deferral: Deferral,
    entries: Mapping[str, EntryPoint],
    bound: Mapping[str, frozenset[str]],
) -> Intent:
    """What entry points that are bound to these tables are there to write."""
    writes = _writes(reach, deferral, entries)
    users: dict[Write, set[str]] = {}
    for name, found in writes.items():
        for each in found:
            users.setdefault(each, set()).add(name)
    spread = {w: {package_of(entries[name]) for name in names} for w, names in users.items()}
    packages = {package_of(entries[name]) for name, found in writes.items() if found}
    least = max(_LEAST_PACKAGES, _SHARE_OF_PACKAGES * len(packages))
    shared = {each for each, where in spread.items() if len(where) >= least}
    own = {
        name: frozenset(table for _, table in writes[name] - shared) & tables
        for name, tables in bound.items()
    }
    everywhere: dict[str, list[Write]] = {}
    for each in sorted(shared):
        if each[1] in reach.program.tables:
            everywhere.setdefault(each[0], []).append(each)
    listed = [
        Everywhere(
            function,
            tuple(table for _, table in written),
            frozenset().union(*(users[each] for each in written)),
            len(set().union(*(spread[each] for each in written))),
        )
        for function, written in everywhere.items()
    ]
    return Intent(own, tuple(sorted(listed, key=lambda e: (-len(e.entry_points), e.function))))


def package_of(entry: EntryPoint) -> str:
    """The folder of the file that declares an entry point."""
    return entry.file.rpartition("/")[0]


def _writes(
    reach: Reach, deferral: Deferral, entries: Mapping[str, EntryPoint]
) -> dict[str, set[Write]]:
    """What each entry point makes which function write, hooks and what may be deferred left out."""
    bits: dict[Write, int] = {}
    listed: list[Write] = []

    def mask(function: Function) -> int:
        found = 0
        for table in _telling(function):
            write = (function.name, table)
            if write not in bits:
                bits[write] = 1 << len(listed)
                listed.append(write)
            found |= bits[write]
        return found

    closed = reach.closed(mask, lambda site: not deferral.may_defer(site))
    found: dict[str, set[Write]] = {}
    for name, entry in entries.items():
        together = 0
        for root in handlers(reach, entry):
            together |= closed.get(root, 0)
        found[name] = set(members(together, listed))
    return found


def _telling(function: Function) -> set[str]:
    """The tables that a function's own body writes on purpose."""
    at: dict[object, set[str]] = {}
    written = [e for e in function.events if e.kind == "write" and e.target and _meant(e)]
    for event in written:
        at.setdefault(place_of(event), set()).add(event.target)
    return {t for tables in at.values() if len(tables) <= _MOST_ALTERNATIVES for t in tables}


def _meant(event: Event) -> bool:
    return not event.via.startswith(_TAKEN_ALONG)
