"""SQLAlchemy's part of the glue: what every connection of the application needs, and the guard.

Listeners stand on the classes, so that they hold for engines and sessions however and whenever
the application makes them.
"""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from typing import Any, Optional, Tuple

from sqlalchemy import event, inspect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.engine.url import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool, QueuePool

from servicekit import (
    fixed_database,
    folders,
    metrics,
    rows,
    scope,
    self_migration,
    sessions,
    settlement,
    transaction,
)
from servicekit.errors import OwnershipViolation
from servicekit.logs import logger
from servicekit.replicas import replicas
from servicekit.schema import OWN
from servicekit.settings import settings
from servicekit.sqlite import is_service_database, prepare

_VIOLATION = re.compile(r"ownership violation: table (.+) belongs to service (\S+)")
_DDL = re.compile(
    r"\s*(CREATE|DROP|ALTER)\s+(?:TEMP\w*\s+|UNIQUE\s+)?(TABLE|INDEX)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
    r"(?:\w+\.)?[\"`\[]?(\w+)[\"`\]]?(?:\s+ON\s+[\"`\[]?(\w+))?",
    re.IGNORECASE,
)
_FRESH_SECONDS = 0.05
_NOTHING = "SELECT 1 WHERE 0"
_log = logger("sqlalchemy")
_installed = threading.Event()


def install() -> None:
    """Set the hooks, before the application is loaded."""
    if _installed.is_set():
        return
    _installed.set()
    manifest = settings().manifest
    url = os.environ.get(manifest.get("database_variable", "DATABASE_URL"), "")
    fixed_database.install(manifest.get("fixed_database", ""), url)
    self_migration.install()
    folders.install(violation)
    _pool_files()
    _reflect_replicas()
    event.listen(Engine, "connect", _connected)
    event.listen(Engine, "handle_error", _translated, retval=True)
    event.listen(Engine, "before_cursor_execute", _before_execute, retval=True)
    sessions.install()
    event.listen(Session, "after_flush", _flushed)
    event.listen(Session, "after_transaction_end", _ended)
    settlement.install()
    rows.install()
    event.listen(Session, "after_begin", _caught_up)


def _pool_files() -> None:
    """Before 2.0, SQLAlchemy opens a file anew for each use, and parses all its triggers."""
    if SQLiteDialect_pysqlite.get_pool_class(make_url("sqlite:////file")) is not NullPool:
        return
    original = SQLiteDialect_pysqlite.get_pool_class

    def get_pool_class(cls: Any, url: Any) -> Any:
        chosen = original(url)
        return QueuePool if chosen is NullPool else chosen

    SQLiteDialect_pysqlite.get_pool_class = classmethod(get_pool_class)
    event.listen(Engine, "do_connect", _any_thread)


def _reflect_replicas() -> None:
    """`create_all()`, `has_table()` and reflection find replicas as the tables that they were."""
    dialect: Any = SQLiteDialect
    pragma, sql, names = dialect._get_table_pragma, dialect._get_table_sql, dialect.get_table_names

    def schema_of(table: str, schema: Optional[str]) -> Optional[str]:
        return "replicas" if schema is None and table in settings().part("replicas") else schema

    def _get_table_pragma(
        self: Any, connection: Any, name: str, table: str, schema: Any = None, **options: Any
    ) -> Any:
        return pragma(self, connection, name, table, schema=schema_of(table, schema), **options)

    def _get_table_sql(
        self: Any, connection: Any, table: str, schema: Any = None, **options: Any
    ) -> Any:
        return sql(self, connection, table, schema=schema_of(table, schema), **options)

    def get_table_names(self: Any, connection: Any, schema: Any = None, **options: Any) -> Any:
        found = names(self, connection, schema=schema, **options)
        if schema is not None:
            return found
        return sorted({n for n in found if n not in OWN} | set(settings().part("replicas")))

    dialect._get_table_pragma = _get_table_pragma
    dialect._get_table_sql = _get_table_sql
    dialect.get_table_names = get_table_names


def _any_thread(dialect: Any, record: Any, arguments: Any, options: Any) -> None:
    """A pooled connection is used by one thread after the other."""
    if dialect.name == "sqlite":
        options.setdefault("check_same_thread", False)


def _connected(connection: Any, record: Any) -> None:
    if not is_service_database(connection):
        return
    prepare(connection)
    attached = {row[1] for row in connection.execute("PRAGMA database_list")}
    path = settings().file("replicas.db")
    if "replicas" not in attached and os.path.exists(path):
        connection.execute("ATTACH DATABASE ? AS replicas", (path,))


def _translated(context: Any) -> Optional[BaseException]:
    """The guard's message as an error that applications do not take for a duplicate key."""
    message = str(context.original_exception)
    found = _VIOLATION.search(message)
    if found is not None:
        return violation(found.group(1), found.group(2))
    if message.startswith("no such table: "):
        table = message[len("no such table: ") :]
        _log.error("the plan does not know that this reads a table", table=table, stack_info=True)
    return None


def violation(table: str, owner: str) -> OwnershipViolation:
    """The error for a write to what is a sibling's: counted, logged, kept in case it is swallowed.

    `table` is a replica, or `folder` and its path.
    """
    error = OwnershipViolation(table, owner)
    metrics.violations.labels(table, owner).inc()
    _log.error("ownership violation", table=table, owner=owner, stack_info=True)
    unit = scope.active()
    if unit is not None:
        unit.violation = error
    return error


def _before_execute(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> Tuple[str, Any]:
    head = statement.lstrip()[:6].upper()
    if head in ("CREATE", "ALTER ", "DROP T", "DROP I"):
        statement, parameters = _ddl(statement, parameters, context)
    call = transaction.active()
    if call is not None and head not in ("SELECT", "PRAGMA", "EXPLAI"):
        if head.startswith("BEGIN"):
            return _NOTHING, ()  # the call begins its one transaction by itself
        call.announce(statement)
    return statement, parameters


def _ddl(statement: str, parameters: Any, context: Any) -> Tuple[str, Any]:
    """`create_all()` must not make empty tables that shadow replicas; nobody may drop a replica."""
    found = _DDL.match(statement)
    if found is None:
        return statement, parameters
    verb, kind = found.group(1).upper(), found.group(2).upper()
    table = found.group(3) if kind == "TABLE" else (found.group(4) or "")
    replica = settings().part("replicas").get(table)
    if replica is not None:
        if verb != "CREATE":
            raise violation(table, replica["owner"])
        return _NOTHING, ()
    from_models = getattr(context, "compiled", None) is not None
    if verb == "CREATE" and from_models and table and table not in settings().part("tables"):
        return _NOTHING, ()  # a model that was kept for its relations; the table is elsewhere
    return statement, parameters


def _flushed(session: Any, context: Any) -> None:
    """Remember what is flushed and not committed: a sibling cannot know it yet.

    By the ORM's states: an object itself may be equal to others, or have no hash.
    """
    known = session.info.setdefault("servicekit.flushed", weakref.WeakSet())
    for each in list(session.new) + list(session.dirty) + list(session.deleted):
        known.add(inspect(each))


def _ended(session: Any, ended: Any) -> None:
    if ended.parent is None:
        session.info.pop("servicekit.flushed", None)


_caught_up_at = {"last": 0.0}


def _caught_up(session: Any, root: Any, connection: Any) -> None:
    """Workers and background threads have no request to catch up before: their transactions do."""
    if scope.active() is None and time.monotonic() - _caught_up_at["last"] >= _FRESH_SECONDS:
        replicas().catch_up(settings().owners())
        _caught_up_at["last"] = time.monotonic()
