"""One transaction for a served call, whatever its code commits and rolls back inside.

In a calls process every thread has one connection to `service.db`. While a call runs, the
application's commits release a savepoint and its rollbacks return to it; the transaction itself
ends after the answer has been stored with its key. Temporary triggers keep both images of every
row that changes, so that a call can be undone when its caller's own transaction fails.
"""

from __future__ import annotations

import os
import threading
from typing import Any, List, Optional

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import SingletonThreadPool

from servicekit import outbox, triggers
from servicekit.settings import settings
from servicekit.sqlite import prepare

_SAVEPOINT = "servicekit_call"
_local = threading.local()
_engines: List[Any] = []


class Abandoned(BaseException):
    """The call was cancelled while it ran."""


class CallTransaction:
    """The open transaction of one call; `actions` are the application's commits and rollbacks."""

    def __init__(self, connection: Any, key: str) -> None:
        self._connection = connection
        self._key = key
        self.actions: List[str] = []
        self.finished = False
        self._level = connection.isolation_level

    def begin(self, seconds: float) -> None:
        """Take the write lock, waiting for it so long at most."""
        run = self._connection.execute
        self._connection.isolation_level = None  # sqlite3 must not begin transactions by itself
        _prepare_undo(self._connection)
        run("PRAGMA busy_timeout = %d" % max(50, int(seconds * 1000)))
        run("BEGIN IMMEDIATE")
        run("INSERT INTO temp._undo_key VALUES (?)", (self._key,))
        run("SAVEPOINT " + _SAVEPOINT)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run one statement of servicekit's own in the transaction."""
        return self._connection.execute(sql, parameters)

    def inner_commit(self) -> None:
        """What the application committed stays, even if it rolls back later."""
        if not self.finished:
            self.execute("RELEASE " + _SAVEPOINT)
            self.execute("UPDATE main._undo SET final = 1 WHERE key = ?", (self._key,))
            self.execute("SAVEPOINT " + _SAVEPOINT)

    def inner_rollback(self) -> None:
        """Return to the application's last commit."""
        if not self.finished:
            self.execute("ROLLBACK TO " + _SAVEPOINT)

    def left_open(self) -> bool:
        """Whether rows were changed that the application has not committed."""
        found = self.execute(
            "SELECT EXISTS(SELECT 1 FROM main._undo WHERE key = ? AND final = 0)", (self._key,)
        )
        return bool(found.fetchone()[0])

    def position(self) -> outbox.Position:
        """Where this service's feed will be when the call is committed."""
        return outbox.position(self._connection)

    def commit(self) -> None:
        """End the transaction; what the application does on this connection now has no effect."""
        self.finished = True
        self.execute("RELEASE " + _SAVEPOINT)
        self.execute("DELETE FROM temp._undo_key")
        self.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo all of it."""
        self.finished = True
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def release(self) -> None:
        """Give the connection back as the application had it."""
        if not self.finished:
            self.roll_back()
        prepare(self._connection)
        self._connection.isolation_level = self._level


def install() -> None:
    """Give every engine of this service's database one connection a thread; before the load."""
    original = Engine.__init__

    def made(self: Any, pool: Any, dialect: Any, url: Any, *args: Any, **kwargs: Any) -> None:
        original(self, pool, dialect, url, *args, **kwargs)
        database = getattr(url, "database", None)
        if dialect.name == "sqlite" and database and _is_own(database):
            _take_over(self)

    Engine.__init__ = made  # type: ignore[method-assign]
    event.listen(Session, "after_commit", lambda session: _record(session, "commit"))
    event.listen(Session, "after_rollback", lambda session: _record(session, "rollback"))


def active() -> Optional[CallTransaction]:
    """The transaction of the call that runs in this thread."""
    return getattr(_local, "transaction", None)


def begin(key: str, seconds: float) -> CallTransaction:
    """Begin the transaction of a call in this thread; `finish` must follow in every case."""
    if not _engines:
        raise RuntimeError("the application has no engine for %s" % settings().file("service.db"))
    holder = _engines[0].raw_connection()
    raw = getattr(holder, "dbapi_connection", None) or holder.connection
    found = CallTransaction(raw, key)
    _local.holder = holder
    try:
        found.begin(seconds)
    except BaseException:
        found.release()
        finish()
        raise
    _local.transaction = found
    return found


def finish() -> None:
    """The call is over, committed or not."""
    found, holder = active(), _local.__dict__.pop("holder", None)
    _local.transaction = None
    if found is not None:
        found.release()
    if holder is not None:
        holder.close()


def ensure_engine(make: Any) -> None:
    """Applications that make their engine at its first use make it now."""
    if not _engines:
        make()


def _is_own(database: str) -> bool:
    return os.path.realpath(database) == os.path.realpath(settings().file("service.db"))


def _take_over(engine: Any) -> None:
    dialect, old = engine.dialect, engine.pool
    pool = SingletonThreadPool(old._creator, pool_size=100000, dialect=dialect)
    # Listeners that create_engine is still to add to its pool must reach this one.
    pool.__dict__["dispatch"] = old.dispatch
    engine.pool = pool
    commit, rollback = dialect.do_commit, dialect.do_rollback

    def do_commit(connection: Any) -> None:
        found = active()
        commit(connection) if found is None else found.inner_commit()

    def do_rollback(connection: Any) -> None:
        found = active()
        rollback(connection) if found is None else found.inner_rollback()

    dialect.do_commit, dialect.do_rollback = do_commit, do_rollback
    _engines.append(engine)


def _record(session: Any, action: str) -> None:
    found = active()
    if found is None or found.finished or _is_nested(session):
        return
    if not found.actions or found.actions[-1] != action:
        found.actions.append(action)


def _is_nested(session: Any) -> bool:
    """Whether what ends is a savepoint that the application opened itself."""
    if hasattr(session, "in_nested_transaction"):
        return bool(session.in_nested_transaction())
    return bool(getattr(session.transaction, "nested", False))


def _prepare_undo(connection: Any) -> None:
    made = connection.execute("SELECT 1 FROM sqlite_temp_master WHERE name = '_undo_key'")
    if made.fetchone():
        connection.execute("DELETE FROM temp._undo_key")
        return
    connection.execute("CREATE TEMP TABLE _undo_key(key TEXT)")
    for table in settings().part("tables"):
        columns = [name for name, _ in triggers.columns_of(connection, table)]
        for statement in triggers.undo_triggers(table, columns):
            connection.execute(statement)
