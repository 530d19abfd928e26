"""Taking back a call whose caller failed, after others have changed the same rows."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from servicekit import schema, sqlite, triggers, undo


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """A table that is watched as in a calls process, and a call `k` that runs on it."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    sqlite.prepare(made)
    ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, balance, state)"
    undo_key = "CREATE TEMP TABLE _undo_key (key TEXT, relative TEXT)"
    for sql in (*schema.SERVICE, ddl, undo_key):
        made.execute(sql)
    for sql in triggers.undo_triggers("t", ["id", "balance", "state"]):
        made.execute(sql)

    class Tables:
        def part(self, name: str) -> dict[str, Any]:
            return {"t": {"key": ["id"]}}

    monkeypatch.setattr(undo, "settings", Tables)
    return made


def run(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement as the call does."""
    relative = json.dumps(undo.relative_columns(statement))
    connection.execute("INSERT INTO temp._undo_key VALUES ('k', ?)", (relative,))
    connection.execute(statement)
    connection.execute("DELETE FROM temp._undo_key")


@pytest.mark.parametrize(
    ("before", "call", "others", "after", "skipped"),
    [
        ((100, "a"), "SET balance = balance - 7", "SET balance = balance - 5", (95, "a"), []),
        ((1.5, "a"), "SET balance = (t.balance + 0.25)", "SET balance = 4.25", (4.0, "a"), []),
        ((100, "a"), "SET balance = balance - 7", "SET state = 'b'", (100, "b"), []),
        ((100, "a"), "SET balance = 93", "SET balance = 88", (88, "a"), ["t.balance"]),
        ((100, "a"), "SET balance = balance - 7", "SET balance = NULL", (None, "a"), ["t.balance"]),
        (
            (100, "a"),
            'SET "balance"="t"."balance" - 7, state = \'c\'',
            "SET balance = balance - 5, state = 'd'",
            (95, "d"),
            ["t.state"],
        ),
    ],
)
def test_amounts_are_taken_back_and_values_only_where_nobody_changed_them(
    connection: sqlite3.Connection,
    before: tuple[Any, ...],
    call: str,
    others: str,
    after: tuple[Any, ...],
    skipped: list[str],
) -> None:
    connection.execute("INSERT INTO t VALUES (1, ?, ?)", before)
    run(connection, f"UPDATE t {call} WHERE id = 1")
    connection.execute(f"UPDATE t {others} WHERE id = 1")
    assert undo.undo_rows(connection, "k", everything=True) == skipped
    assert connection.execute("SELECT balance, state FROM t").fetchall() == [after]


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("UPDATE members SET balance=(members.balance - ?) WHERE members.id = ?", ["balance"]),
        ("update or ignore t set a = a+1, b = t.b - c, d = a + 1", ["a", "b"]),
        ("UPDATE t SET a = ? WHERE b = b + 1", []),
        ("UPDATE t SET a = ab + 1", []),
        ("DELETE FROM t WHERE a = a + 1", []),
    ],
)
def test_columns_that_change_by_an_amount(statement: str, columns: list[str]) -> None:
    assert undo.relative_columns(statement) == columns
