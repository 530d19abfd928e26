"""The triggers that make a table's events, guard a replica, and remember how to undo.

A row is stored as JSON lists of SQL literals (`quote()`): type, BLOBs and floats survive exactly,
where `json_object` refuses BLOBs and rounds floats. A function takes at most 127 arguments, so
that wide rows are several lists. Triggers are parsed on each connect: they are kept short.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, List, Sequence, Tuple

from servicekit.sqlite import quoted

OUTBOX_PREFIX = "_outbox_"
GUARD_PREFIX = "_guard_"
VIOLATION = "ownership violation: table %s belongs to service %s"
_CHUNK = 100


def columns_of(
    connection: sqlite3.Connection, table: str, schema: str = "main"
) -> List[Tuple[str, str]]:
    """Name and declared type of each column, in order; empty when there is no such table."""
    rows = connection.execute("PRAGMA %s.table_info(%s)" % (schema, quoted(table)))
    return [(row[1], row[2]) for row in rows]


def row_expression(alias: str, columns: Sequence[str]) -> str:
    """SQL that makes the stored form of a row: a JSON list of lists of SQL literals."""
    lists = [
        "json_array(%s)"
        % ",".join("quote(%s.%s)" % (alias, quoted(c)) for c in columns[start : start + _CHUNK])
        for start in range(0, len(columns), _CHUNK)
    ]
    return "'['||%s||']'" % "||','||".join(lists)


def parse_row(text: str) -> List[Any]:
    """The values of a stored row, in order of its columns."""
    return [parse_literal(literal) for part in json.loads(text) for literal in part]


def parse_literal(literal: str) -> Any:
    """The value of what SQLite's `quote()` wrote (https://sqlite.org/lang_corefunc.html#quote)."""
    first = literal[0]
    if first == "'":
        return literal[1:-1].replace("''", "'")
    if first == "X":
        return bytes.fromhex(literal[2:-1])
    if literal == "NULL":
        return None
    try:
        return int(literal)
    except ValueError:
        return float(literal)


def outbox_triggers(table: str, columns: Sequence[str], key: Sequence[str]) -> Dict[str, str]:
    """Name to `CREATE TRIGGER` of a published table; without a key the whole old row is the key."""
    new = row_expression("NEW", columns)
    old = row_expression("OLD", list(key) or columns)
    name, literal = quoted(table), table.replace("'", "''")
    rows = {
        "insert": ("INSERT", "'I',NULL," + new),
        "update": ("UPDATE", "'U',%s,%s" % (old, new)),
        "delete": ("DELETE", "'D',%s,NULL" % old),
    }
    return {
        OUTBOX_PREFIX + suffix + "_" + table: (
            "CREATE TRIGGER %s AFTER %s ON %s BEGIN INSERT INTO _outbox(tbl,op,old_key,data) "
            "VALUES('%s',%s); END"
        )
        % (quoted(OUTBOX_PREFIX + suffix + "_" + table), event, name, literal, values)
        for suffix, (event, values) in rows.items()
    }


def guard_triggers(table: str, owner: str) -> Dict[str, str]:
    """Name to `CREATE TRIGGER` that refuses writes to a replica while the gate row is shut."""
    message = (VIOLATION % (table, owner)).replace("'", "''")
    return {
        GUARD_PREFIX + event.lower() + "_" + table: (
            "CREATE TRIGGER %s BEFORE %s ON %s WHEN (SELECT open FROM _gate)=0 "
            "BEGIN SELECT RAISE(ABORT,'%s'); END"
        )
        % (quoted(GUARD_PREFIX + event.lower() + "_" + table), event, quoted(table), message)
        for event in ("INSERT", "UPDATE", "DELETE")
    }


def undo_triggers(table: str, columns: Sequence[str]) -> List[str]:
    """Temporary triggers of a calls process: both images of each row that a call changes.

    `temp._undo_key` holds the key of the call that runs on this connection, and which columns its
    present statement changes by an amount.
    """
    new, old = row_expression("NEW", columns), row_expression("OLD", columns)
    literal = table.replace("'", "''")
    images = {"INSERT": "'I',NULL," + new, "UPDATE": "'U',%s,%s" % (old, new)}
    images["DELETE"] = "'D',%s,NULL" % old
    return [
        (
            "CREATE TEMP TRIGGER %s AFTER %s ON main.%s WHEN EXISTS(SELECT 1 FROM temp._undo_key) "
            "BEGIN INSERT INTO _undo(key,relative,tbl,op,old,new) "
            "SELECT key,relative,'%s',%s FROM temp._undo_key; END"
        )
        % (quoted("_undo_%s_%s" % (event.lower(), table)), event, quoted(table), literal, values)
        for event, values in images.items()
    ]
