"""Events, guard and undo from triggers, on the SQLite of this interpreter."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from servicekit import migrate, outbox, schema, sqlite, triggers

WIDE = [f"c{number}" for number in range(230)]
ODD = [
    None,
    0,
    -(2**63),
    0.1,
    1 / 3,
    1e300,
    -5e-324,
    float("inf"),
    "",
    'it\'s "quoted" \\ \u2028 \n ü',
    "123",
    b"",
    b"\x00\xff'",
]


def database(ddl: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    sqlite.prepare(connection)
    for statement in (*schema.SERVICE, ddl):
        connection.execute(statement)
    connection.execute("INSERT INTO _feed VALUES ('e', '')")
    return connection


def watch(connection: sqlite3.Connection, table: str, key: list[str]) -> list[str]:
    columns = [name for name, _ in triggers.columns_of(connection, table)]
    for sql in triggers.outbox_triggers(table, columns, key).values():
        connection.execute(sql)
    return columns


def events(connection: sqlite3.Connection, table: str) -> list[tuple[str, Any, Any]]:
    page = outbox.events(connection, [table], "e", 0)
    assert page is not None
    return [
        (
            event["op"],
            event["old_key"] and [triggers.parse_literal(each) for each in event["old_key"]],
            event["data"] and [triggers.parse_literal(each) for each in event["data"]],
        )
        for event in page["events"]
    ]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_every_value_survives_with_its_type(value: Any) -> None:
    connection = database("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    watch(connection, "t", ["id"])
    connection.execute("INSERT INTO t VALUES (1, ?)", (value,))
    connection.execute("UPDATE t SET id = 2")
    ((_, _, inserted), (_, old, updated)) = events(connection, "t")
    assert (old, inserted, updated) == ([1], [1, value], [2, value])
    assert type(inserted[1]) is type(value)


def test_a_table_wider_than_a_function_has_arguments() -> None:
    connection = database(f"CREATE TABLE t ({', '.join(WIDE)})")
    watch(connection, "t", [])
    row = list(range(len(WIDE)))
    connection.execute(f"INSERT INTO t VALUES ({','.join('?' * len(row))})", row)
    connection.execute("DELETE FROM t")
    assert events(connection, "t") == [("I", None, row), ("D", row, None)]


def test_rows_that_replace_deletes_are_events() -> None:
    connection = database("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    watch(connection, "t", ["id"])
    connection.execute("INSERT INTO t VALUES (1, 'a')")
    connection.execute("REPLACE INTO t VALUES (2, 'a')")
    assert events(connection, "t")[1:] == [("D", [1], None), ("I", None, [2, "a"])]


def test_positions_that_are_not_known_are_refused() -> None:
    connection = database("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    watch(connection, "t", ["id"])
    for number in range(5):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
    outbox.prune(connection, keep=2)
    assert outbox.events(connection, ["t"], "e", 3) is not None
    assert outbox.events(connection, ["t"], "e", 2) is None, "pruned"
    assert outbox.events(connection, ["t"], "e", 6) is None, "beyond the head"
    assert outbox.events(connection, ["t"], "other", 5) is None, "another life"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR IGNORE INTO t VALUES (2)",
        "REPLACE INTO t VALUES (1)",
        "UPDATE OR IGNORE t SET id = 3",
        "DELETE FROM t",
    ],
)
def test_the_guard_names_table_and_owner(statement: str) -> None:
    connection = database("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    connection.execute("INSERT INTO t VALUES (1)")
    for sql in (*schema.REPLICAS, *triggers.guard_triggers("t", "the owner").values()):
        connection.execute(sql)
    with pytest.raises(sqlite3.IntegrityError, match="table t belongs to service the owner"):
        connection.execute(statement)
    connection.execute("UPDATE _gate SET open = 1")
    connection.execute(statement)


def test_a_script_is_split_at_statements_and_not_inside_of_triggers() -> None:
    script = """-- a; comment
CREATE TABLE a (x TEXT DEFAULT ';');
CREATE TRIGGER b AFTER INSERT ON a BEGIN
  SELECT 1; SELECT 2;
END;
INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);
"""
    connection = sqlite3.connect(":memory:")
    for statement in migrate.statements(script):
        connection.execute(statement)
    assert connection.execute("SELECT count(*) FROM a").fetchone() == (2,)


def test_the_list_of_migrations_of_earlier_services_is_known_by_its_columns() -> None:
    """A table of the application that has its old name (accounts has one) stays what it is."""
    ours, theirs = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    ours.execute("CREATE TABLE _migrations(name TEXT PRIMARY KEY, digest TEXT NOT NULL)")
    theirs.execute("CREATE TABLE _migrations(filename TEXT PRIMARY KEY)")
    for connection, table in ((ours, "_service_migrations"), (theirs, "_migrations")):
        schema.rename_old(connection)
        schema.rename_old(connection)
        assert connection.execute("SELECT name FROM sqlite_master").fetchone() == (table,)
