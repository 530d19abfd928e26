"""Connections to the service's files for servicekit's own work; the application has its own."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import Any, Iterator, Tuple

from servicekit.settings import settings

BUSY_MILLISECONDS = 15000


def connect(path: str) -> sqlite3.Connection:
    """An autocommit connection with the pragmas that the outbox relies on."""
    connection = sqlite3.connect(
        path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False
    )
    prepare(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def is_service_database(connection: Any) -> bool:
    """Whether a DBAPI connection is one to this service's own database."""
    if not isinstance(connection, sqlite3.Connection):
        return False
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    return bool(path) and os.path.realpath(path) == os.path.realpath(settings().file("service.db"))


def prepare(connection: sqlite3.Connection) -> None:
    """Set what every connection to a service's database needs.

    Without recursive_triggers a row that `REPLACE` deletes fires no trigger: an event is lost.
    """
    connection.execute("PRAGMA busy_timeout = %d" % BUSY_MILLISECONDS)
    connection.execute("PRAGMA recursive_triggers = ON")


@contextlib.contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction, that has the write lock from its first statement on."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One read transaction: everything read inside is of the same moment."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("COMMIT")


_local = threading.local()


def of_thread(path: str) -> sqlite3.Connection:
    """This thread's connection to a file; a new one after a fork or after the file was replaced."""
    known = _local.__dict__.setdefault("connections", {})
    identity = _identity(path)
    entry = known.get(path)
    if entry is None or entry[0] != identity or identity[1] < 0:
        if entry is not None and entry[0][0] == os.getpid():
            entry[1].close()
        connection = connect(path)
        entry = known[path] = (_identity(path), connection)
    return entry[1]


def _identity(path: str) -> Tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (os.getpid(), -1, -1)
    return (os.getpid(), found.st_dev, found.st_ino)


def quoted(name: str) -> str:
    """An identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
