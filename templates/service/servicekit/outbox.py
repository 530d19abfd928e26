"""Reading this service's outbox: head, events, snapshot. Each is of one read transaction.

SQLite has one writer at a time, so that everything up to the head of a snapshot is whole
transactions in order of commit.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from servicekit import triggers
from servicekit.sqlite import connect, quoted, snapshot

PAGE = 2000
_BATCH = 500


class Position(NamedTuple):
    """A place in a feed: the life of its database, and the last event."""

    epoch: str
    head: int


def position(connection: sqlite3.Connection) -> Position:
    """Where the feed is now."""
    row = connection.execute(
        "SELECT epoch, coalesce((SELECT seq FROM sqlite_sequence WHERE name = '_outbox'), 0)"
        " FROM _feed"
    ).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("the database has no feed; run python -m servicekit.migrate")
    return Position(row[0], row[1])


def events(
    connection: sqlite3.Connection,
    tables: Sequence[str],
    epoch: str,
    after: int,
    upto: Optional[int] = None,
) -> Optional[Dict[str, Any]]:
    """A page of events of some tables after a position; None when that position is not known.

    `next` is the position that the page leads to: `upto` (the head, if not given) on the last one.
    """
    with snapshot(connection):
        now = position(connection)
        first = connection.execute("SELECT min(seq) FROM _outbox").fetchone()[0]
        oldest = now.head if first is None else first - 1
        if epoch != now.epoch or after > now.head or after < oldest:
            return None
        end = now.head if upto is None else min(upto, now.head)
        marks = ",".join("?" * len(tables))
        rows = connection.execute(
            "SELECT seq, tbl, op, old_key, data FROM _outbox WHERE seq > ? AND seq <= ?"
            " AND tbl IN (%s) ORDER BY seq LIMIT %d" % (marks, PAGE),
            [after, end] + list(tables),
        ).fetchall()
        changed = {row[1] for row in rows}
        columns = {t: [name for name, _ in triggers.columns_of(connection, t)] for t in changed}
    return {
        "columns": columns,
        "epoch": now.epoch,
        "head": now.head,
        "end": end,
        "next": rows[-1][0] if len(rows) == PAGE else end,
        "events": [
            {"seq": seq, "table": table, "op": op, "old_key": _list(old), "data": _list(data)}
            for seq, table, op, old, data in rows
        ],
    }


def _list(stored: Optional[str]) -> Optional[List[str]]:
    """A stored row as one flat list of SQL literals: the form in which rows travel."""
    if stored is None:
        return None
    return [literal for part in json.loads(stored) for literal in part]


def dump(path: str, tables: Sequence[str]) -> Iterator[bytes]:
    """A snapshot as JSON lines: the position, batches of rows, and a last line `{"end": true}`.

    Rows come in order of rowid, since that is the order in which SQLite gives them unasked.
    """
    connection = connect(path)
    try:
        with snapshot(connection):
            now = position(connection)
            yield _line({"epoch": now.epoch, "head": now.head})
            for table in tables:
                columns = [name for name, _ in triggers.columns_of(connection, table)]
                if not columns:
                    raise sqlite3.DatabaseError("no such table: " + table)
                for rows in _batches(connection, table, columns):
                    yield _line({"table": table, "columns": columns, "rows": rows})
            yield _line({"end": True})
    finally:
        connection.close()


def _batches(
    connection: sqlite3.Connection, table: str, columns: Sequence[str]
) -> Iterator[List[List[str]]]:
    row = triggers.row_expression(quoted(table), columns)
    try:
        cursor = connection.execute("SELECT %s FROM %s ORDER BY rowid" % (row, quoted(table)))
    except sqlite3.OperationalError:  # a WITHOUT ROWID table is in order of its key
        cursor = connection.execute("SELECT %s FROM %s" % (row, quoted(table)))
    while True:
        rows = cursor.fetchmany(_BATCH)
        if not rows:
            return
        yield [_list(stored) or [] for (stored,) in rows]


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def prune(connection: sqlite3.Connection, keep: int) -> None:
    """Forget all but the last `keep` events; a consumer that is further behind takes a snapshot."""
    head = position(connection).head
    connection.execute("DELETE FROM _outbox WHERE seq <= ?", (head - keep,))
