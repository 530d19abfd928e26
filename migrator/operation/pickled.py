"""Which code the rows of a database name: pickled values refer to classes and functions by name."""

from __future__ import annotations

import io
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from migrator.generation.ddl import quote


def pickled_names(database: Path) -> dict[str, tuple[str, ...]]:
    """Tables of an SQLite database to the dotted names in their pickled values; sorted.

    Nothing that a value names is imported or run. BLOBs that are no pickle are passed over.
    """
    found: dict[str, tuple[str, ...]] = {}
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as opened:
        tables = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            names = {name for value in _pickles(opened, table) for name in names_in(value)}
            if names:
                found[table] = tuple(sorted(names))
    return found


def _pickles(opened: sqlite3.Connection, table: str) -> Iterator[bytes]:
    columns = opened.execute(f"PRAGMA table_info({quote(table)})").fetchall()
    for column in (quote(each[1]) for each in columns):
        for (value,) in opened.execute(
            f"SELECT DISTINCT {column} FROM {quote(table)}"
            f" WHERE typeof({column}) = 'blob' AND substr({column}, 1, 1) = x'80'"
        ):
            yield value


def names_in(value: bytes) -> set[str]:
    """The dotted names of classes and functions in a pickle; none if it is not one."""
    reader = _Reader(io.BytesIO(value))
    try:
        reader.load()
    except Exception:  # what looks like a pickle may fail in any way
        return set()
    return reader.names


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.names: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(f"{module}.{name}")
        return _Inert

    def persistent_load(self, pid: Any) -> Any:
        return None


class _Inert:
    """Stands for whatever a pickle names, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> _Inert:
        return self

    def append(self, _: Any) -> None:
        """As of a list's subclass."""

    def extend(self, _: Any) -> None:
        """As of a list's subclass."""

    def add(self, _: Any) -> None:
        """As of a set's subclass."""
