"""Taking back what a call changed, from the images of its rows."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any, Collection, Dict, List, Sequence

from servicekit import triggers
from servicekit.settings import settings
from servicekit.sqlite import quoted

_UPDATE = re.compile(r"\s*UPDATE\s+(?:OR\s+\w+\s+)?\S+\s+SET\s", re.IGNORECASE)
_WHERE = re.compile(r"\sWHERE\s", re.IGNORECASE)
_RELATIVE = re.compile(
    r"[\"`\[]?(\w+)[\"`\]]?\s*=\s*\(?\s*(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?\1[\"`\]]?\s*[-+](?!\s*[-+])"
)


def relative_columns(statement: str) -> List[str]:
    """The columns that an UPDATE changes by an amount: `SET balance = balance - ?`.

    Such a change is taken back by the opposite amount, whatever others have done since: amounts
    commute, values do not (compensation, Garcia-Molina and Salem, Sagas, SIGMOD 1987).
    """
    found = _UPDATE.match(statement)
    if found is None:
        return []
    assignments = _WHERE.split(statement[found.end() :], maxsplit=1)[0]
    return sorted(set(_RELATIVE.findall(assignments)))


def undo_rows(connection: sqlite3.Connection, key: str, everything: bool) -> List[str]:
    """Undo a call's changes, last first: those it left open, or all. In the caller's transaction.

    What was changed by an amount is changed back by it. Any other column that somebody else has
    changed since keeps its value; gives `table.column` of those.
    """
    skipped: List[str] = []
    changes = connection.execute(
        "SELECT tbl, op, old, new, relative FROM _undo WHERE key = ? AND final <= ?"
        " ORDER BY id DESC",
        (key, int(everything)),
    ).fetchall()
    for table, op, old, new, relative in changes:
        columns = [name for name, _ in triggers.columns_of(connection, table)]
        before = dict(zip(columns, triggers.parse_row(old))) if old else {}
        after = dict(zip(columns, triggers.parse_row(new))) if new else {}
        if op == "D":
            _insert(connection, table, before)
        elif op == "I":
            _delete(connection, table, after)
        else:
            skipped += _restore(connection, table, before, after, json.loads(relative))
    connection.execute("DELETE FROM _undo WHERE key = ?", (key,))
    return skipped


def _key_of(table: str, row: Dict[str, Any]) -> List[str]:
    return list(settings().part("tables")[table]["key"]) or list(row)


def _match(columns: Sequence[str]) -> str:
    return " AND ".join("%s IS ?" % quoted(name) for name in columns)


def _insert(connection: sqlite3.Connection, table: str, row: Dict[str, Any]) -> None:
    names = ",".join(quoted(name) for name in row)
    marks = ",".join("?" * len(row))
    connection.execute(
        "INSERT OR IGNORE INTO %s(%s) VALUES (%s)" % (quoted(table), names, marks),
        list(row.values()),
    )


def _delete(connection: sqlite3.Connection, table: str, row: Dict[str, Any]) -> None:
    key = _key_of(table, row)
    connection.execute(
        "DELETE FROM %s WHERE rowid = (SELECT rowid FROM %s WHERE %s LIMIT 1)"
        % (quoted(table), quoted(table), _match(key)),
        [row[name] for name in key],
    )


def _restore(
    connection: sqlite3.Connection,
    table: str,
    before: Dict[str, Any],
    after: Dict[str, Any],
    relative: Collection[str],
) -> List[str]:
    key = _key_of(table, after)
    skipped = []
    for name in before:
        if before[name] == after[name] and type(before[name]) is type(after[name]):
            continue
        row = [after[k] for k in key]
        done = connection.execute(
            "UPDATE %s SET %s = ? WHERE %s AND %s IS ?"
            % (quoted(table), quoted(name), _match(key), quoted(name)),
            [before[name], *row, after[name]],
        )
        if done.rowcount == 0 and name in relative and None not in (before[name], after[name]):
            done = connection.execute(
                "UPDATE %s SET %s = %s + (? - ?) WHERE %s AND typeof(%s) IN ('integer', 'real')"
                % (quoted(table), quoted(name), quoted(name), _match(key), quoted(name)),
                [before[name], after[name], *row],
            )
        if done.rowcount == 0:
            skipped.append("%s.%s" % (table, name))
        elif name in after:
            after = dict(after, **{name: before[name]})
    return skipped
