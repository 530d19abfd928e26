"""servicekit's own tables in the three files of a service."""

from __future__ import annotations

import hashlib
import sqlite3

SERVICE = (
    "CREATE TABLE IF NOT EXISTS _service_migrations(name TEXT PRIMARY KEY, digest TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _feed(epoch TEXT NOT NULL, schema TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL,"
    " op TEXT NOT NULL, old_key TEXT, data TEXT)",
    # Deferred commands to siblings, written in the application's own transaction.
    "CREATE TABLE IF NOT EXISTS _commands(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " key TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, body TEXT NOT NULL)",
    # Calls that this service has answered: done, undone, or cancelled before they came.
    "CREATE TABLE IF NOT EXISTS _calls(key TEXT PRIMARY KEY, digest TEXT NOT NULL,"
    " state TEXT NOT NULL, answer TEXT NOT NULL, at REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _undo(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL,"
    " tbl TEXT NOT NULL, op TEXT NOT NULL, old TEXT, new TEXT, final INTEGER NOT NULL DEFAULT 0,"
    " relative TEXT NOT NULL DEFAULT '[]')",
    "CREATE INDEX IF NOT EXISTS _undo_by_key ON _undo(key)",
    # Keys of calls at siblings whose effect belongs to a transaction that was committed here.
    "CREATE TABLE IF NOT EXISTS _settled(key TEXT PRIMARY KEY, at REAL NOT NULL)",
)
REPLICAS = (
    "CREATE TABLE IF NOT EXISTS _service_migrations(name TEXT PRIMARY KEY, digest TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS _gate(open INTEGER NOT NULL)",
    "INSERT INTO _gate SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM _gate)",
    "CREATE TABLE IF NOT EXISTS _cursors(owner TEXT PRIMARY KEY, epoch TEXT NOT NULL,"
    " seq INTEGER NOT NULL)",
)
STATE = (
    "CREATE TABLE IF NOT EXISTS _names(name TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS _items(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
    " key BLOB NOT NULL, value BLOB NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS _items_by_key ON _items(name, key)",
    # Calls under way: a crash leaves its row, and the feed process settles it.
    "CREATE TABLE IF NOT EXISTS _intents(key TEXT PRIMARY KEY, owner TEXT NOT NULL,"
    " process TEXT NOT NULL, pending INTEGER NOT NULL, expires REAL NOT NULL)",
)
OWN = frozenset(
    {"_service_migrations", "_feed", "_outbox", "_commands", "_calls", "_undo", "_settled"}
    | {"_gate", "_cursors", "_names", "_items", "_intents"}
)


def rename_old(connection: sqlite3.Connection) -> None:
    """Our list of migrations was once called `_migrations`, as an application's own may be."""
    known = {
        table: [column[1] for column in connection.execute("PRAGMA table_info(%s)" % table)]
        for table in ("_migrations", "_service_migrations")
    }
    if known["_migrations"] == ["name", "digest"] and not known["_service_migrations"]:
        connection.execute("ALTER TABLE _migrations RENAME TO _service_migrations")


def fingerprint(connection: sqlite3.Connection) -> str:
    """A digest of all tables, indexes and views but servicekit's own."""
    digest = hashlib.sha256()
    rows = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'trigger'"
        " AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
    )
    for kind, name, table, sql in rows:
        if table not in OWN:
            digest.update(repr((kind, name, table, sql)).encode())
    return digest.hexdigest()
