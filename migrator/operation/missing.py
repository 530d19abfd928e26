"""What models declare and no database has, when an application was migrated and started."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from migrator.model.program import Program


def never_made(database: Path, program: Program, tables: Collection[str]) -> list[str]:
    """Those of the mapped `tables` that an SQLite database lacks; if it has all, the `table.column`
    that it lacks, as where a migration was forgotten.

    Tables of other schemas are left out.
    """
    with closing(sqlite3.connect(database)) as connection:
        wanted = {table for table in tables if table and "." not in table}
        columns = {table: _columns(connection, table) for table in sorted(wanted)}
    return [table for table, made in columns.items() if not made] or [
        f"{table}.{column.name}"
        for table, made in columns.items()
        if table in program.tables
        for column in program.tables[table].columns
        if column.name.casefold() not in made
    ]


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """The names of a table's or view's columns; none where there is no such table."""
    rows = connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))
    return {name.casefold() for (name,) in rows}
