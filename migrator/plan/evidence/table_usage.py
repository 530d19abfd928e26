"""How the application uses each table: what is done to its rows, and how its columns are compared.

Only code that entry points of services reach counts; commands that fill a schema are no usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from migrator.facts.inspection import Comparison, Texts
from migrator.model.program import Column, Event, Function, Program, Table

Places = dict[str, None]
"""Places `file:line`, in order and each once."""

_BY_KEY = {"session.get", "session.get_one", "session.get_or_404"}
_LINKING = ("constructor ", "relationship ", "append ", "cascade ", "orphan ")
"""Updates that a link to another row makes while a row is new."""


@dataclass
class TableUse:
    """One table; places are `file:line`."""

    table: Table
    operations: dict[str, Places] = field(default_factory=dict)
    """`insert`, `update`, `delete` to where it is done."""
    reads: Places = field(default_factory=dict)
    by_key: Places = field(default_factory=dict)
    """Look-ups of one row by its primary key."""
    compared: dict[tuple[str, Comparison], Places] = field(default_factory=dict)
    """A column and how it is compared or sorted by."""
    referred_by: set[str] = field(default_factory=set)
    """Other tables with a foreign key to it."""

    def compared_columns(self, how: Comparison) -> dict[str, Places]:
        """The columns that are compared in one way."""
        return {column: at for (column, each), at in self.compared.items() if each == how}

    @property
    def keys(self) -> set[str]:
        """The columns that name one row."""
        return {c.name for c in self.table.columns if c.primary_key or c.unique}


class Usage:
    """The use of every table, worked out when it is first asked for."""

    def __init__(self, program: Program, texts: Texts) -> None:
        self._program = program
        self._texts = texts

    @cached_property
    def tables(self) -> dict[str, TableUse]:
        """By name."""
        return _usage(self._program, self._texts)


def _usage(program: Program, texts: Texts) -> dict[str, TableUse]:
    uses = {name: TableUse(table) for name, table in program.tables.items()}
    for name, table in program.tables.items():
        for column in table.columns:
            target = column.referred
            if target in uses and target != name:
                uses[target].referred_by.add(name)
    entries = [entry for entry in program.entry_points.values() if entry.kind != "command"]
    live = {f for entry in entries for f in entry.functions}
    by_file: dict[str, list[Function]] = {}
    for key in sorted(live & program.functions.keys()):
        function = program.functions[key]
        by_file.setdefault(function.file, []).append(function)
        for event in function.events:
            if event.target in uses:
                _note(uses[event.target], event, f"{function.file}:{event.line}")
    _compare(texts, _owners(program), uses, by_file)
    return uses


def _note(use: TableUse, event: Event, place: str) -> None:
    if event.kind == "read":
        (use.by_key if event.via in _BY_KEY else use.reads)[place] = None
    elif event.kind == "write":
        linked = event.operation == "update" and event.via.startswith(_LINKING)
        if event.operation and not linked:
            use.operations.setdefault(event.operation, {})[place] = None


def _compare(
    texts: Texts,
    owners: Mapping[str, list[str]],
    uses: Mapping[str, TableUse],
    by_file: Mapping[str, list[Function]],
) -> None:
    for file, functions in sorted(by_file.items()):
        for each in texts[file].uses:
            if not any(f.line <= each.line <= f.end_line for f in functions):
                continue
            for table in owners.get(each.owner, ()):
                column = _column(uses[table].table, each.attribute)
                if column is not None:
                    key = (column.name, each.how)
                    uses[table].compared.setdefault(key, {})[f"{file}:{each.line}"] = None


def _owners(program: Program) -> dict[str, list[str]]:
    """What a table may be called in code: its model's short name, and itself in SQL."""
    found: dict[str, list[str]] = {}
    for name, table in sorted(program.tables.items()):
        for called in {name, table.model.rpartition(".")[2]} - {""}:
            found.setdefault(called, []).append(name)
    return found


def _column(table: Table, attribute: str) -> Column | None:
    for column in table.columns:
        if attribute in (column.name, column.attribute or column.name):
            return column
    return None
