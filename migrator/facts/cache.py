"""The cache of facts: one SQLite file that processes may share and that a crash leaves whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

_BATCH = 500


class Cache:
    """Blobs by key. A cache that cannot be used is an empty one; it never fails an analysis."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "facts.db"
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return self._connect()
        except sqlite3.DatabaseError:
            try:
                self._path.unlink(missing_ok=True)
                return self._connect()
            except (sqlite3.Error, OSError):
                return None
        except OSError:
            return None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=20)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value BLOB)")
        return connection

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The blobs of those keys that are known."""
        if self._connection is None:
            return {}
        found: dict[str, bytes] = {}
        try:
            for start in range(0, len(keys), _BATCH):
                batch = keys[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                found.update(
                    self._connection.execute(
                        f"SELECT key, value FROM facts WHERE key IN ({marks})", batch
                    )
                )
        except sqlite3.Error:
            return {}
        return found

    def put(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Keep blobs, all or none."""
        if self._connection is None:
            return
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", items)
        except sqlite3.Error:
            return

    def forget_all_but(self, keys: Iterable[str], limit: int) -> None:
        """Drop what `keys` do not name, once the cache holds more than `limit` entries."""
        if self._connection is None:
            return
        try:
            (count,) = self._connection.execute("SELECT count(*) FROM facts").fetchone()
            if count <= limit:
                return
            with self._connection:
                self._connection.execute("CREATE TEMP TABLE kept (key TEXT PRIMARY KEY)")
                self._connection.executemany(
                    "INSERT OR IGNORE INTO kept VALUES (?)", ((key,) for key in keys)
                )
                self._connection.execute(
                    "DELETE FROM facts WHERE key NOT IN (SELECT key FROM kept)"
                )
                self._connection.execute("DROP TABLE kept")
        except sqlite3.Error:
            return

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
