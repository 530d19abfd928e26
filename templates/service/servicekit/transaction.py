"""One transaction for a served call, whatever its code commits and rolls back inside.

In a calls process every thread has one connection to `service.db`. While a call runs, the
application's commits release a savepoint and its rollbacks return to it; the transaction itself
ends after the answer has been stored with its key. Temporary triggers keep both images of every
row that changes, so that a call can be undone when its caller's own transaction fails.
"""

from __future__ import annotations

import json
import threading
from typing import Any, List, Optional

from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import SingletonThreadPool

from servicekit import outbox, triggers
from servicekit.settings import settings
from servicekit.sqlite import is_service_database, prepare
from servicekit.undo import relative_columns

_SAVEPOINT = "servicekit_call"
_local = threading.local()
_lock = threading.Lock()
_engines: List[Any] = []


class CallTransaction:
    """The open transaction of one call; `actions` are the application's commits and rollbacks."""

    def __init__(self, connection: Any, key: str) -> None:
        self._connection = connection
        self._key = key
        self.actions: List[str] = []
        self.finished = False
        self._begun = False
        self._relative = "[]"
        self._level = connection.isolation_level

    def prepare(self, seconds: float) -> None:
        """Make ready to write; nothing is locked yet. A lock is waited for so long at most."""
        self._connection.isolation_level = None  # sqlite3 must not begin transactions by itself
        _prepare_undo(self._connection)
        self.execute("PRAGMA busy_timeout = %d" % max(50, int(seconds * 1000)))

    def begin(self) -> None:
        """Take the write lock, if that has not been done: before the first statement that writes.

        Not earlier: a function may wait for something outside before it writes, and until then
        it reads what is committed, as it did.
        """
        if not self._begun:
            self.execute("BEGIN IMMEDIATE")
            self._begun = True
            self.execute("INSERT INTO temp._undo_key VALUES (?, '[]')", (self._key,))
            self.execute("SAVEPOINT " + _SAVEPOINT)

    def announce(self, statement: str) -> None:
        """Take the write lock for a statement, and note what it changes by an amount."""
        self.begin()
        relative = json.dumps(relative_columns(statement))
        if relative != self._relative:
            self.execute("UPDATE temp._undo_key SET relative = ?", (relative,))
            self._relative = relative

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run one statement of servicekit's own in the transaction."""
        return self._connection.execute(sql, parameters)

    def inner_commit(self) -> None:
        """What the application committed stays, even if it rolls back later."""
        if self._begun and not self.finished:
            self.execute("RELEASE " + _SAVEPOINT)
            self.execute("UPDATE main._undo SET final = 1 WHERE key = ?", (self._key,))
            self.execute("SAVEPOINT " + _SAVEPOINT)

    def inner_rollback(self) -> None:
        """Return to the application's last commit."""
        if self._begun and not self.finished:
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
    """Watch what served functions do with their sessions; before the application is loaded."""
    event.listen(Session, "after_commit", lambda session: _record(session, "commit"))
    event.listen(Session, "after_rollback", lambda session: _record(session, "rollback"))


def active() -> Optional[CallTransaction]:
    """The transaction of the call that runs in this thread."""
    return getattr(_local, "transaction", None)


def begin(key: str, seconds: float) -> CallTransaction:
    """Begin the transaction of a call in this thread; `finish` must follow in every case."""
    holder = _engines[0].raw_connection()
    found = CallTransaction(_dbapi_connection(holder), key)
    _local.holder = holder
    try:
        found.prepare(seconds)
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


def take_over(session: Any) -> None:
    """Give the engine that a session works with one connection a thread, once.

    Only now, since many applications make their engine at its first use.
    """
    with _lock:
        if _engines:
            return
        bind = session.get_bind()
        engine = getattr(bind, "engine", bind)
        if not is_own(engine):
            raise RuntimeError("the application's session is not bound to this service's database")
        session.close()
        _take_over(engine)


def is_own(engine: Any) -> bool:
    """Whether an engine works on this service's own database.

    By the file that is really opened: the engine's URL may name another (`fixed_database`).
    """
    if engine.dialect.name != "sqlite":
        return False
    holder = engine.raw_connection()
    try:
        return is_service_database(_dbapi_connection(holder))
    finally:
        holder.close()


def _dbapi_connection(holder: Any) -> Any:
    """The connection inside of one of SQLAlchemy's pool; its name changed with 1.4."""
    return getattr(holder, "dbapi_connection", None) or holder.connection


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
    connection.execute("CREATE TEMP TABLE _undo_key(key TEXT, relative TEXT)")
    for table in settings().part("tables"):
        columns = [name for name, _ in triggers.columns_of(connection, table)]
        for statement in triggers.undo_triggers(table, columns):
            connection.execute(statement)
