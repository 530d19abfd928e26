"""Writing what a feed says into a replica's table: events one by one, snapshots in batches."""

from __future__ import annotations

import sqlite3
from typing import Any, Dict, Iterator, List, Optional, Sequence

from servicekit import triggers
from servicekit.sqlite import quoted


class NeedsSnapshot(Exception):
    """The cursor means nothing to the owner, or the replica is not what the events assume."""


class Writer:
    """Applies events to one replica. Columns that the replica does not have are left out."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
    ) -> None:
        self._connection = connection
        self._table = table
        held = {name for name, _ in triggers.columns_of(connection, table)}
        self._places = [i for i, name in enumerate(columns) if name in held]
        kept = [columns[i] for i in self._places]
        names = ",".join(quoted(name) for name in kept)
        self._insert = "INSERT INTO %s(%s) VALUES (%s)" % (
            quoted(table),
            names,
            ",".join("?" * len(kept)),
        )
        self._key_places = list(range(len(key))) if key else self._places
        match = " AND ".join("%s IS ?" % quoted(name) for name in (key or kept))
        found = "rowid = (SELECT rowid FROM %s WHERE %s LIMIT 1)" % (quoted(table), match)
        changes = ",".join("%s = ?" % quoted(name) for name in kept)
        self._update = "UPDATE %s SET %s WHERE %s" % (quoted(table), changes, found)
        self._delete = "DELETE FROM %s WHERE %s" % (quoted(table), found)

    def apply(self, event: Dict[str, Any]) -> None:
        """Apply one event; `NeedsSnapshot` when the row that it changes is not there."""
        new = self._values(event["data"], self._places)
        old = self._values(event["old_key"], self._key_places)
        if event["op"] == "I":
            self._connection.execute(self._insert, new)
            return
        sql = self._update if event["op"] == "U" else self._delete
        if self._connection.execute(sql, new + old).rowcount != 1:
            raise NeedsSnapshot("table %s lacks the row of event %d" % (self._table, event["seq"]))

    @staticmethod
    def _values(literals: Optional[List[str]], places: Sequence[int]) -> List[Any]:
        return [] if literals is None else [triggers.parse_literal(literals[i]) for i in places]


def fill(connection: sqlite3.Connection, batch: Dict[str, Any]) -> None:
    """Insert one batch of a snapshot."""
    held = {name for name, _ in triggers.columns_of(connection, batch["table"])}
    places = [i for i, name in enumerate(batch["columns"]) if name in held]
    connection.executemany(
        "INSERT INTO %s(%s) VALUES (%s)"
        % (
            quoted(batch["table"]),
            ",".join(quoted(batch["columns"][i]) for i in places),
            ",".join("?" * len(places)),
        ),
        ([triggers.parse_literal(row[i]) for i in places] for row in batch["rows"]),
    )


def lines(answer: Any) -> Iterator[bytes]:
    """The lines of a streamed answer."""
    pending = b""
    for chunk in answer.stream(1 << 16):
        pending += chunk
        *whole, pending = pending.split(b"\n")
        for line in whole:
            yield line
    if pending:
        yield pending
