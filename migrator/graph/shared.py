"""What entry points name again and again is stored once: functions that they reach, call paths.

Two routes of one application reach mostly the same functions; their names were two thirds of a
large graph on disk, and as much of what loading it takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from migrator.model.program import Access, EntryPoint, Program

Names = tuple[str, ...]


class Shared(msgspec.Struct, kw_only=True):
    """The names, lists of their ids, and by entry point which lists it has."""

    names: list[str] = []
    lists: list[list[int]] = []
    lists_of: dict[str, list[int]] = {}
    """The list of its functions, then those of the paths of what it reads and writes."""


def taken_out(program: Program) -> tuple[Program, Shared]:
    """A copy of a program whose entry points have no such names, and these."""
    shared = Shared()
    ids: dict[str, int] = {}
    known: dict[Names, int] = {}

    def listed(names: Names) -> int:
        found = known.get(names)
        if found is None:
            found = known[names] = len(known)
            shared.lists.append([ids.setdefault(name, len(ids)) for name in names])
        return found

    entry_points: dict[str, EntryPoint] = {}
    for name, entry in program.entry_points.items():
        accesses = (*entry.reads, *entry.writes)
        shared.lists_of[name] = [listed(each) for each in _lists(entry.functions, accesses)]
        entry_points[name] = msgspec.structs.replace(
            entry, functions=(), reads=_bare(entry.reads), writes=_bare(entry.writes)
        )
    shared.names = list(ids)
    return msgspec.structs.replace(program, entry_points=entry_points), shared


def _lists(functions: Names, accesses: Iterable[Access]) -> Iterable[Names]:
    yield functions
    for each in accesses:
        yield each.path


def _bare(accesses: tuple[Access, ...]) -> tuple[Access, ...]:
    return tuple([msgspec.structs.replace(each, path=()) for each in accesses])


def put_back(program: Program, shared: Shared) -> None:
    """Give the entry points of a program that has just been read the names that they had."""
    name_of, fill = shared.names.__getitem__, msgspec.structs.force_setattr
    lists = [tuple(map(name_of, each)) for each in shared.lists]
    for name, entry in program.entry_points.items():
        numbers = iter(shared.lists_of[name])
        fill(entry, "functions", lists[next(numbers)])
        for access, number in zip((*entry.reads, *entry.writes), numbers, strict=True):
            fill(access, "path", lists[number])
