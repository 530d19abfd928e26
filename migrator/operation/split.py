"""The monolith's data, divided: each service gets the rows that it owns and the files it names.

And the way back: rows and files of services make one monolith's data again.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

from migrator.model.errors import OperationError
from migrator.model.manifest import ServiceManifest
from migrator.operation.tree import files_of


def load_tables(source: Path, target: Path, service: str, tables: Collection[str]) -> int:
    """Copy the rows of a service's owned tables, as they are, from one database to another.

    From the monolith's to the service's, or back. The target's tables exist and are emptied first.
    No trigger fires: the rows are no events, and what the application's own triggers did is in the
    source already. One transaction; the number of rows. Raises OperationError, naming the table,
    when the two do not fit.
    """
    uri = f"{target.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"ATTACH DATABASE '{source.absolute().as_uri()}?mode=ro' AS source")
        connection.execute("BEGIN IMMEDIATE")
        triggers = connection.execute(
            "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger' ORDER BY rowid"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER main.{_quoted(name)}")
        rows = sum(_copy(connection, table, service) for table in sorted(tables))
        _copy_sequences(connection, tables)
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")
    return rows


def _copy(connection: sqlite3.Connection, table: str, service: str) -> int:
    name = _quoted(table)
    ours, theirs = (_columns(connection, table, schema) for schema in ("main", "source"))
    if not ours or not theirs:
        where = "filled" if not ours else "read"
        raise OperationError(
            f"the database that is {where} has no table {table} of {service}",
            hint="analyze and generate again: the schema has changed since",
        )
    if set(ours) != set(theirs):
        raise OperationError(
            f"table {table} of {service} has the columns {', '.join(theirs)} where it is read"
            f" and {', '.join(ours)} where it is filled",
            hint="analyze and generate again: the schema has changed since",
        )
    columns = ", ".join(_quoted(column) for column in ours)
    if _has_rowid(connection, table, ours):
        # Rows that nobody orders come back in the order of their rowid.
        columns = f"rowid, {columns}"
    connection.execute(f"DELETE FROM main.{name}")
    copied = connection.execute(
        f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM source.{name}"
    )
    return copied.rowcount


def _columns(connection: sqlite3.Connection, table: str, schema: str) -> list[str]:
    """The columns that can be written: generated ones (hidden 2 and 3) are left out."""
    rows = connection.execute(f"PRAGMA {schema}.table_xinfo({_quoted(table)})").fetchall()
    return [name for _, name, _, _, _, _, hidden in rows if hidden == 0]


def _has_rowid(connection: sqlite3.Connection, table: str, columns: list[str]) -> bool:
    """Whether both sides have a rowid that goes by this name and is no column anyway."""
    if any(column.lower() == "rowid" for column in columns):
        return False
    try:
        for schema in ("main", "source"):
            connection.execute(f"SELECT rowid FROM {schema}.{_quoted(table)} LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _copy_sequences(connection: sqlite3.Connection, tables: Collection[str]) -> None:
    """The counters of AUTOINCREMENT tables, so that new keys go on where the monolith was."""
    for schema in ("main", "source"):
        if not connection.execute(
            f"SELECT 1 FROM {schema}.sqlite_master WHERE name = 'sqlite_sequence'"
        ).fetchone():
            return
    for table in sorted(tables):
        connection.execute("DELETE FROM main.sqlite_sequence WHERE name = ?", (table,))
        connection.execute(
            "INSERT INTO main.sqlite_sequence SELECT name, seq FROM source.sqlite_sequence"
            " WHERE name = ?",
            (table,),
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def load_files(source: Path, target: Path, manifest: ServiceManifest) -> None:
    """Copy those of the monolith's data files that variables of the service name in `{data}`.

    Folders of the plan are left out: they lie where all services find them.
    """
    target.mkdir(parents=True, exist_ok=True)
    folders = {source / each.removeprefix("{data}/") for each in manifest.folders}

    def shared(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(folder, name) in folders}

    for value in manifest.environment.values():
        for below in re.findall(r"\{data\}/?([^\s:;,\"']*)", value):
            named = source / below
            if named in folders:
                continue
            if named.is_dir():
                shutil.copytree(named, target / below, dirs_exist_ok=True, ignore=shared)
            elif named.is_file():
                (target / below).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(named, target / below)


def times_of(folder: Path) -> dict[str, int]:
    """The files below a folder, and when each was last written."""
    return {path: (folder / path).stat().st_mtime_ns for path in files_of(folder)}


def join_files(services: Mapping[Path, Mapping[str, int]], target: Path) -> None:
    """Make the monolith's files of the copies that services have; of several the newest.

    To the folder of each service is given what it began with, as `times_of` told: a file that one
    of them has taken away is gone, unless another has written it since.
    """
    copies: dict[str, list[tuple[int, Path]]] = {}
    gone: dict[str, int] = {}
    for folder, given in services.items():
        now = times_of(folder)
        for path, written in now.items():
            copies.setdefault(path, []).append((written, folder / path))
        gone.update({path: written for path, written in given.items() if path not in now})
    for path, found in copies.items():
        written, newest = max(found)
        if gone.get(path) == written:
            continue
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(newest, target / path)
