"""What ran below each entry point: records in the terms of processes become those of analysis."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from migrator.facts.observation.records import Code, EntryRecord, Execution, Observation
from migrator.graph.effects.sql import OF_THE_DATABASE, read_sql
from migrator.model.program import Operation, Program

Kind = Literal["read", "write"]

_STATEMENT_SHOWN = 300
_INFRASTRUCTURE = frozenset(
    {"sqlalchemy", "flask_sqlalchemy", "flask", "werkzeug", "jinja2", "click", "celery", "kombu"}
    | {"greenlet", "gevent", "psycopg", "psycopg2", "pymysql", "MySQLdb", "marshmallow", "wtforms"}
)
"""Packages that carry out statements of others and have no tables of their own."""


@dataclass
class Seen:
    """One access as it was seen: how often, and one way to it."""

    operation: Operation
    path: tuple[str, ...]
    file: str
    line: int
    statement: str
    in_hook: bool
    count: int = 0


@dataclass
class EntryRun:
    """What ran under one name of an entry point."""

    name: str
    runs: int = 0
    statements: int = 0
    accesses: dict[tuple[Kind, str], Seen] = field(default_factory=dict)
    files: dict[tuple[Kind, str], Seen] = field(default_factory=dict)
    """By folder of the project."""
    entered: set[Code] = field(default_factory=set)
    taken: set[tuple[Code, int]] = field(default_factory=set)


class EntryRuns:
    """All runs by the name of their entry point, as the program calls them.

    An entry point that the program does not know is kept, unless an installed package brings it.
    """

    def __init__(self, program: Program, recorded: Observation) -> None:
        self.runs: dict[str, EntryRun] = {}
        self.foreign: set[str] = set()
        """Entry points that installed packages bring."""
        self.outside: dict[str, str] = {}
        """Tables that a package was seen to use for itself and no code of the project declares."""
        self._program = program
        self._modules = {file: name for name, file in program.modules.items()}
        self._hooks = frozenset(program.hooks)
        self._handlers = {
            entry.handler: name
            for name, entry in program.entry_points.items()
            if entry.kind in ("command", "schedule", "task")
        }
        self._called = self._handler_functions()
        for entry in recorded.entries.values():
            self._collect(entry)
        for run in self.runs.values():
            for key in [key for key in run.accesses if key[1] in self.outside]:
                del run.accesses[key]
        self.entered_by = Counter(code for run in self.runs.values() for code in run.entered)
        """How many entry points entered a function."""

    def _handler_functions(self) -> dict[str, str]:
        """Functions that are the handler of one entry point only, to its name.

        What a decorator makes is that of others, too, where it stands below other handlers.
        """
        owners: dict[str, set[str]] = defaultdict(set)
        for name, entry in self._program.entry_points.items():
            for function in {self.plain(root) for root in entry.roots} | {entry.handler}:
                owners[function].add(name)
        functions = self._program.functions.keys() - self._program.modules.keys()
        made = {each for each in owners if each.rpartition(".")[0] in functions}
        for name, entry in self._program.entry_points.items():
            for function in made.intersection(entry.functions):
                owners[function].add(name)
        return {each: min(names) for each, names in owners.items() if len(names) == 1}

    def plain(self, function: str) -> str:
        """The function that a key of `Program.variants` is a variant of."""
        variant = self._program.variants.get(function)
        return variant.name if variant is not None else function

    def name(self, code: Code) -> str:
        """The dotted name of a function, or nothing for a file that analysis leaves out."""
        module = self._modules.get(code.file)
        if module is None:
            return ""
        return f"{module}.{code.qualname}" if code.qualname else module

    def _entry_name(self, entry: EntryRecord) -> str:
        """The name of the entry point; empty for what is none of the project's."""
        if entry.kind in ("route", "task"):
            name = f"{entry.kind}:{entry.name}"
            if name not in self._program.entry_points and self._is_foreign(entry.function):
                self.foreign.add(name)
                return ""
            return name
        if entry.kind == "command":
            function = entry.function.replace(":", ".")
            named = f"command:{entry.name}"
            return self._handlers.get(function) or (
                named if named in self._program.entry_points else ""
            )
        if entry.kind == "process":
            named = f"process:{self._modules.get(entry.name, '')}"
            return named if named in self._program.entry_points else ""
        return ""

    def _is_foreign(self, function: str) -> bool:
        """Whether what a framework runs stands in no module of the project."""
        module = function.partition(":")[0]
        return bool(module) and module != "__main__" and module not in self._program.modules

    def _run(self, name: str) -> EntryRun:
        return self.runs.setdefault(name, EntryRun(name))

    def _collect(self, entry: EntryRecord) -> None:
        name = self._entry_name(entry)
        if name:
            run = self._run(name)
            run.runs += entry.runs
            run.entered |= entry.entered
            run.taken |= entry.taken
        for execution, count in entry.executions.items():
            path = tuple(filter(None, map(self.name, execution.path)))
            below = self._below(entry, name, path)
            if below and (path or below in self._program.entry_points):
                packages = entry.through.get(execution, ())
                self._count(
                    self._run(below), execution, path, packages, count, called=below != name
                )

        for touch, count in entry.touches.items():
            path = tuple(filter(None, map(self.name, touch.path)))
            below = self._below(entry, name, path)
            if below and path:
                in_hook = not (touch.handled or below != name) or not self._hooks.isdisjoint(path)
                kind: Kind = "write" if touch.kind == "write" else "read"
                place = (touch.path[-1].file, touch.line)
                found = Seen("", path, *place, "", in_hook)
                self._run(below).files.setdefault((kind, touch.folder), found).count += count

    def _below(self, entry: EntryRecord, name: str, path: tuple[str, ...]) -> str:
        """The entry point that a statement belongs to.

        A thread's work is that of its own schedule, where it has one. A test that calls a handler
        itself shows what that entry point does, without its hooks.
        """
        if entry.kind in ("process", "command"):
            for function in path:
                if function in self._called:
                    return self._called[function]
        return name

    def _count(
        self,
        run: EntryRun,
        execution: Execution,
        path: tuple[str, ...],
        packages: tuple[str, ...],
        count: int,
        *,
        called: bool,
    ) -> None:
        run.statements += count
        in_hook = not (execution.handled or called) or not self._hooks.isdisjoint(path)
        innermost = execution.path[-1] if execution.path else None
        for each in read_sql(execution.statement).accesses:
            table = self._table(each.table)
            if table is None:
                continue
            if table not in self._program.tables and (package := _foreign(packages)):
                self.outside[table] = package
            key = (each.kind, table)
            known = run.accesses.get(key)
            if known is None or (known.in_hook and not in_hook):
                file = innermost.file if innermost else ""
                text = " ".join(execution.statement.split())[:_STATEMENT_SHOWN]
                found = Seen(each.operation, path, file, execution.line, text, in_hook)
                found.count = known.count if known else 0
                run.accesses[key] = known = found
            known.count += count

    def _table(self, name: str) -> str | None:
        """The table as the program calls it; None for what the database keeps for itself."""
        tables = self._program.tables
        if name in tables:
            return name
        lower = name.lower()
        if lower.startswith(OF_THE_DATABASE):
            return None
        for known in tables:
            if known.lower() == lower or known.rpartition(".")[2].lower() == lower:
                return known
        return name


def _foreign(packages: Iterable[str]) -> str:
    """The first package that is neither Python's nor a carrier of others' statements."""
    for package in packages:
        if package not in _INFRASTRUCTURE and package not in sys.stdlib_module_names:
            return package
    return ""
