"""Tables compared row by row: monolith against owners, and replicas against their owners.

An answer can be right while a row is wrong (an orphan after a rollback), so every table is read
after the traffic, by key, and noise columns are set aside by name as fields of answers are.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

Row = tuple[object, ...]


class Content(msgspec.Struct, kw_only=True):
    """A table's rows; `key` holds the positions of the primary key, empty: the whole row."""

    columns: list[str]
    key: list[int]
    rows: list[Row]


class TableDifference(msgspec.Struct, kw_only=True, frozen=True):
    """A row that differs between two databases, or a file in a `folder PATH` as its table."""

    table: str
    row: str
    column: str
    expected: str
    found: str
    owner: str = ""

    @property
    def where(self) -> str:
        """Owner and row, in words."""
        if self.table.startswith("folder "):
            return f"{self.table} of {self.owner}, file {self.row}"
        return f"table {self.table} of {self.owner}, row {self.row}"


class ColumnNoise(msgspec.Struct, kw_only=True, frozen=True):
    """A column whose values differ between two runs of the monolith alone."""

    table: str
    column: str


def read_tables(database: Path, tables: Iterable[str] | None = None) -> dict[str, Content]:
    """The content of all tables (or the named ones) of an SQLite database, read at one moment.

    Tables of SQLite and those whose names begin with `_` (a service's own bookkeeping) are left
    out unless they are named.
    """
    found: dict[str, Content] = {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        db.execute("BEGIN")
        there = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith(("sqlite_", "_"))
        ]
        for table in sorted(there if tables is None else set(tables)):
            quoted = '"' + table.replace('"', '""') + '"'
            info = db.execute(f"PRAGMA table_info({quoted})").fetchall()
            found[table] = Content(
                columns=[row[1] for row in info],
                key=[row[0] for row in sorted(info, key=lambda row: row[5]) if row[5]],
                rows=db.execute(f"SELECT * FROM {quoted}").fetchall(),
            )
    return found


def column_noise(first: dict[str, Content], second: dict[str, Content]) -> set[ColumnNoise]:
    """The columns in which two runs of the monolith alone differ, row by row."""
    return {
        ColumnNoise(table=each.table, column=each.column)
        for each in differences(first, second, set())
    }


def differences(
    expected: dict[str, Content],
    found: dict[str, Content],
    noise: set[ColumnNoise],
    owners: dict[str, str] | None = None,
) -> list[TableDifference]:
    """Every value in which `found` is not as `expected`; tables that only `found` has are left.

    A row that only one side has is one difference, in the column `(row)`.
    """
    result: list[TableDifference] = []
    for table, content in expected.items():
        owner = (owners or {}).get(table, "")
        other = found.get(table)
        if other is None:
            result.append(
                TableDifference(
                    table=table,
                    row="",
                    column="(table)",
                    expected="there",
                    found="missing",
                    owner=owner,
                )
            )
            continue
        aside = {each.column for each in noise if each.table == table}
        result.extend(_rows(table, owner, content, other, aside))
    return result


def without_key(content: Content) -> Content:
    """The content as a bag of rows, without the key that tells only in which order they came."""
    kept = [position for position in range(len(content.columns)) if position not in content.key]
    return Content(
        columns=[content.columns[position] for position in kept],
        key=[],
        rows=[tuple(row[position] for position in kept) for row in content.rows],
    )


def _rows(
    table: str, owner: str, expected: Content, found: Content, aside: set[str]
) -> list[TableDifference]:
    if "(row)" in aside:
        return []
    left, right = _by_key(expected, aside), _by_key(found, aside)
    result: list[TableDifference] = []
    for key in sorted(left.keys() | right.keys(), key=repr):
        a, b = left.get(key), right.get(key)
        name = ", ".join(map(_short, key))
        if a is None or b is None:
            there = ("missing", "there") if a is None else ("there", "missing")
            values: list[tuple[str, str, str]] = [("(row)", *there)]
        else:
            values = [
                (column, _short(a.get(column)), _short(b.get(column)))
                for column in expected.columns
                if column not in aside and a.get(column) != b.get(column)
            ]
        result.extend(
            TableDifference(table=table, row=name, column=c, expected=x, found=y, owner=owner)
            for c, x, y in values
        )
    return result


def _by_key(content: Content, aside: set[str]) -> dict[Row, dict[str, object]]:
    rows: dict[Row, dict[str, object]] = {}
    copies: Counter[Row] = Counter()
    for row in content.rows:
        values = dict(zip(content.columns, row, strict=True))
        if content.key:
            key: Row = tuple(row[position] for position in content.key)
        else:
            key = tuple(value for column, value in values.items() if column not in aside)
            # Rows without a key may be there twice: the copy's number tells them apart.
            copies[key] += 1
            key = (*key, copies[key])
        rows[key] = values
    return rows


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}…"
