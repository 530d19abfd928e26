"""Reads what the probe wrote, and adds up processes and sessions.

A file is a sequence of JSON arrays, one a line, in the terms of one process: files, functions,
statements and entry points have numbers that its own earlier lines define.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from migrator.facts.observation.session import observations_folder

_FORMAT = 1


class Code(NamedTuple):
    """A function of the project: its file, and its dotted name in it (empty: the module's own)."""

    file: str
    qualname: str
    line: int


class Execution(NamedTuple):
    """A way on which a statement was executed."""

    statement: str
    path: tuple[Code, ...]
    """The project's functions on the stack, from the outermost to that which executed it."""
    line: int
    """Where the innermost of them stood; 0 without any."""
    handled: bool
    """Below the entry point's handler, not only below a hook around it."""


class Touch(NamedTuple):
    """A way on which files in a folder of the project were read or written."""

    kind: str
    """`read` or `write`; what takes files away writes."""
    folder: str
    """Relative to the project's root; empty: the root itself."""
    path: tuple[Code, ...]
    line: int
    handled: bool


class Call(NamedTuple):
    """A function of the project called another, through libraries unless `direct`."""

    caller: Code
    callee: Code
    direct: bool


@dataclass
class EntryRecord:
    """What was seen below one entry point."""

    kind: str
    """`route`, `unrouted` (no rule matched), `task`, `command`, `process` (nothing of these)."""
    name: str
    function: str
    """`module:qualname` of what the framework runs, where it says so."""
    runs: int = 0
    executions: Counter[Execution] = field(default_factory=Counter)
    through: dict[Execution, tuple[str, ...]] = field(default_factory=dict)
    """The packages between a statement and the innermost function of the project."""
    touches: Counter[Touch] = field(default_factory=Counter)
    calls: Counter[Call] = field(default_factory=Counter)
    entered: set[Code] = field(default_factory=set)
    taken: set[tuple[Code, int]] = field(default_factory=set)
    """Arms of branches, by function and ordinal in it."""


@dataclass
class Observation:
    """All that was recorded of a project."""

    entries: dict[tuple[str, str], EntryRecord] = field(default_factory=dict)
    """By kind and name; a process is named by its main file, relative to the root."""
    arms: dict[Code, int] = field(default_factory=dict)
    """How many arms each function has that was entered."""
    digests: dict[str, str] = field(default_factory=dict)
    """The first half of the SHA-1 of each file as it ran."""
    sessions: int = 0
    processes: int = 0
    pythons: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)
    """What the probe could not do."""
    torn: int = 0
    """Lines that a killed process left unfinished."""


def read_observations(root: Path) -> Observation:
    """What all sessions in the project's `.migrator/observations` recorded; empty without any."""
    seen = Observation()
    folder = observations_folder(root)
    for session in sorted(folder.iterdir()) if folder.is_dir() else []:
        if session.is_dir():
            _read_session(session, root, seen)
    return seen


def read_session(session: Path, root: Path) -> Observation:
    """What one session recorded."""
    seen = Observation()
    _read_session(session, root, seen)
    return seen


def _read_session(session: Path, root: Path, seen: Observation) -> None:
    files = sorted(session.glob("*.jsonl"))
    seen.sessions += bool(files)
    for file in files:
        _Process(root.resolve(), seen).read(file)


class _Process:
    """Reads the file of one process into an observation."""

    def __init__(self, root: Path, seen: Observation) -> None:
        self._root = root
        self._seen = seen
        self._main = ""
        self._files: dict[int, str] = {}
        self._functions: dict[int, Code] = {}
        self._arms: dict[int, tuple[Code, int]] = {}
        self._texts: dict[int, str] = {}
        self._entries: dict[int, EntryRecord] = {}

    def read(self, file: Path) -> None:
        for line in self._lines(file):
            try:
                self._take(line)
            except (KeyError, IndexError, TypeError, ValueError):
                self._seen.torn += 1

    def _lines(self, file: Path) -> Iterator[list[Any]]:
        with file.open("rb") as lines:
            for text in lines:
                try:
                    line = json.loads(text)
                except ValueError:
                    self._seen.torn += 1
                    continue
                if not isinstance(line, list) or not line:
                    self._seen.torn += 1
                elif line[0] == "process" and line[1] != _FORMAT:
                    self._seen.failures[f"records of format {line[1]}"] += 1
                    return
                else:
                    yield line

    def _take(self, line: list[Any]) -> None:
        kind, *rest = line
        if kind == "process":
            self._seen.processes += 1
            self._seen.pythons.add(str(rest[2]))
            self._main = self._relative(str(rest[1]))
        elif kind == "file":
            self._files[rest[0]] = str(rest[1])
            self._seen.digests[str(rest[1])] = str(rest[2])
        elif kind == "function":
            self._function(*rest)
        elif kind == "text":
            self._texts[rest[0]] = str(rest[1])
        elif kind == "entry":
            self._entry(*rest)
        elif kind == "failure":
            self._seen.failures[str(rest[0])] += 1
        else:
            self._count(self._entries[rest[0]], kind, rest[1:])

    def _count(self, entry: EntryRecord, kind: str, rest: list[Any]) -> None:
        if kind == "runs":
            entry.runs += rest[0]
        elif kind == "arms":
            for number in rest[0]:
                if number in self._functions:
                    entry.entered.add(self._functions[number])
                else:
                    entry.taken.add(self._arms[number])
        elif kind == "call":
            call = Call(self._functions[rest[0]], self._functions[rest[1]], bool(rest[2]))
            entry.calls[call] += rest[3]
        elif kind == "statement":
            path = tuple(self._functions[each] for each in rest[1])
            execution = Execution(self._texts[rest[0]], path, rest[2], bool(rest[3]))
            entry.executions[execution] += rest[4]
            if rest[5]:
                entry.through[execution] = tuple(map(str, rest[5]))

        elif kind == "touch":
            path = tuple(self._functions[each] for each in rest[1])
            entry.touches[Touch(rest[0], rest[2], path, rest[3], bool(rest[4]))] += rest[5]

    def _function(
        self, number: int, file: int, qualname: str, line: int, end_line: int, arms: list[int]
    ) -> None:
        code = Code(self._files[file], qualname, line)
        self._functions[number] = code
        self._seen.arms[code] = len(arms)
        for ordinal, arm in enumerate(arms):
            self._arms[arm] = (code, ordinal)

    def _entry(self, number: int, kind: str, name: str, function: str) -> None:
        if kind == "process":
            name = self._main
        known = self._seen.entries.setdefault((kind, name), EntryRecord(kind, name, function))
        self._entries[number] = known

    def _relative(self, path: str) -> str:
        try:
            return Path(path).relative_to(self._root).as_posix()
        except ValueError:
            return ""
