"""What a route of a service needs of others: replicas, synchronous calls, pending commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from migrator.facts.syntax import parse
from migrator.model.plan import Crossing, Plan
from migrator.model.program import EntryPoint, Program
from migrator.plan.evidence.details import ANY, Detail
from migrator.plan.evidence.reach import Reach, handlers


class Needs(NamedTuple):
    """Services, sorted, as `model.manifest.OwnRoute` names them."""

    replicas_of: list[str]
    depends_on: list[str]
    commands_of: list[str]


_UNNAMED = ""
"""In place of a name: columns may be read without being named."""

_ROW_AS_A_WHOLE = frozenset({"__table__", "__mapper__", "__dict__", "_mapping", "_asdict"})
_OF_ANY_NAME = frozenset({"vars", "inspect", "getattr"})


class Dependencies:
    """Answers for one resolved plan."""

    def __init__(self, reach: Reach, plan: Plan) -> None:
        self._reach = reach
        self._plan = plan
        self._crossings: dict[str, dict[str, list[Crossing]]] = {}
        for name, service in plan.services.items():
            own = self._crossings.setdefault(name, {})
            for crossing in service.calls:
                own.setdefault(crossing.function, []).append(crossing)
        self._deferred = [
            (name, crossing.owner, deferred_details(reach, crossing))
            for name, service in sorted(plan.services.items())
            for crossing in service.calls
            if crossing.remedy == "defer"
        ]
        self._source = _Source(reach.program)

    def of(self, service: str, entry: EntryPoint) -> Needs:
        """What an entry point of `service` needs, its hooks included."""
        starts = [*handlers(self._reach, entry), *entry.hooks]
        called, read = self._walk(service, starts)
        for access in entry.reads:
            read.update((access.table, column) for column in access.columns or (ANY,))
        replicas = self._plan.services[service].replicas
        tables = {table for table, _ in read}
        return Needs(
            sorted(
                {r.owner for t, r in replicas.items() if t in tables and r.freshness != "eventual"}
            ),
            sorted(called - {service}),
            sorted(
                {
                    name
                    for name, owner, written in self._deferred
                    if owner == service and self._sees(entry, read, written)
                }
            ),
        )

    def _sees(self, entry: EntryPoint, read: set[Detail], written: frozenset[Detail]) -> bool:
        """Whether an answer may show what a command changes.

        An entity is read with all its columns, whatever the code wants of it: then the column has
        to be named somewhere in the code or the templates, or be read without being named.
        """
        for table, column in written:
            named = {c for t, c in read if t == table}
            if column in named - {ANY} or (named and column == ANY):
                return True
            if ANY in named and self._source.mentions(entry, table, column):
                return True
        return False

    def _walk(self, service: str, starts: Iterable[str]) -> tuple[set[str], set[Detail]]:
        """Services called synchronously, through others too; and what the own code reads."""
        called: set[str] = set()
        read: set[Detail] = set()
        waiting = [(service, key) for key in starts if key in self._reach]
        seen = set(waiting)
        while waiting:
            where, key = waiting.pop()
            if where == service:
                for event in self._reach.function(key).events:
                    if event.kind == "read":
                        read.update((event.target, column) for column in event.columns or (ANY,))
            here = self._crossings[where]
            for crossing in here.get(self._reach.name(key), ()):
                if crossing.unit == "rows" and crossing.remedy == "row-write":
                    called.add(crossing.owner)
            for site in self._reach.sites(key):
                step = (where, site.callee)
                for crossing in here.get(self._reach.name(site.callee), ()):
                    if crossing.unit == "function" and crossing.remedy in ("call", "defer"):
                        step = (crossing.owner, site.callee)
                        if crossing.remedy == "call":
                            called.add(crossing.owner)
                        else:
                            step = (where, "")
                if step[1] and step not in seen:
                    seen.add(step)
                    waiting.append(step)
        return called, read


def deferred_details(reach: Reach, crossing: Crossing) -> frozenset[Detail]:
    """The columns of the owner's tables that a crossing writes."""
    keys = [crossing.function] if crossing.function in reach else []
    return frozenset(
        (table, column)
        for key in keys
        for table, column in _written(reach, key, crossing)
        if table in crossing.tables
    ) or frozenset((table, ANY) for table in crossing.tables)


def _written(reach: Reach, key: str, crossing: Crossing) -> Iterable[Detail]:
    """By the function itself where its rows travel, else through all that it calls."""
    if crossing.unit == "rows":
        for event in reach.function(key).events:
            if event.kind == "write":
                whole = event.operation in ("insert", "delete") or not event.columns
                yield from ((event.target, c) for c in ((ANY,) if whole else event.columns))
    else:
        yield from reach.written(key)


class _Source:
    """What the code and templates that an entry point reaches name for reading."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._root = Path(program.root)
        self._names = cache(self._names_of)

    def mentions(self, entry: EntryPoint, table: str, column: str) -> bool:
        """Whether a column is read by name there, or may be read without its name."""
        known = self._program.tables.get(table)
        columns = known.columns if known else ()
        wanted = {column, *(c.attribute for c in columns if c.name == column and c.attribute)}
        for name in {*entry.functions, *entry.hooks}:
            function = self._program.functions.get(name)
            if function and any(
                function.line <= line <= function.end_line and said in wanted | {_UNNAMED}
                for line, said in self._names(function.file)
            ):
                return True
        files = (self._program.templates.get(template, "") for template in entry.templates)
        return any(said in wanted for file in files if file for _, said in self._names(file))

    def _names_of(self, file: str) -> frozenset[tuple[int, str]]:
        path = self._root / file
        text = path.read_text(errors="replace") if path.is_file() else ""
        if path.suffix == ".py":
            try:
                return frozenset(_read_names(parse(text.encode())))
            except SyntaxError:
                pass
        return frozenset(
            (number, word)
            for number, line in enumerate(text.splitlines(), start=1)
            for word in re.findall(r"\w+", line)
        )


def _read_names(tree: ast.AST) -> Iterable[tuple[int, str]]:
    """Line and name of attributes that are read and of texts that could name one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Store):
            yield node.lineno, _UNNAMED if node.attr in _ROW_AS_A_WHOLE else node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, word) for word in re.findall(r"\w+", node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            constant = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
            if called in _OF_ANY_NAME and not constant:
                yield node.lineno, _UNNAMED
