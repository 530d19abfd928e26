"""Sees every SQL statement: SQLAlchemy's through its engine events, raw ones at the DB-API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import tally

_METHODS = ("execute", "executemany", "executescript")


def _is_seen(frame: Any) -> bool:
    """Whether SQLAlchemy, whose own event has seen the statement, or an observed method runs it."""
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(("sqlalchemy.", "migrator_probe."))


def _sqlalchemy(module: ModuleType) -> None:
    from sqlalchemy import event  # type: ignore[import-not-found,unused-ignore]
    from sqlalchemy.engine import Engine  # type: ignore[import-not-found,unused-ignore]

    @event.listens_for(Engine, "before_cursor_execute")
    def before_cursor_execute(
        connection: Any,
        cursor: Any,
        statement: Any,
        parameters: Any,
        context: Any,
        executemany: Any,
    ) -> None:
        dialect = getattr(connection, "dialect", None)
        tally.executed(statement, getattr(dialect, "name", "") in ("mysql", "mariadb"))


def _sessions(module: Any) -> None:
    """Tells what a test prepared and a request saved along, by the sessions' own events."""
    from sqlalchemy import event, inspect  # type: ignore[import-not-found,unused-ignore]

    Session = module.Session

    def states_of(session: Any) -> dict[int, Any]:
        objects = [*session.new, *session.dirty, *session.deleted]
        return {id(state): state for state in map(inspect, objects)}

    def unsaved() -> dict[int, Any]:
        sessions = list(getattr(sys.modules[Session.__module__], "_sessions", {}).values())
        return {key: state for each in sessions for key, state in states_of(each).items()}

    def tables_of(state: Any) -> set[str]:
        secondaries = [each.secondary for each in state.mapper.relationships]
        tables = [*state.mapper.tables, *(each for each in secondaries if each is not None)]
        return {getattr(each, "name", "") for each in tables}

    def before_flush(session: Any, *_: Any) -> None:
        prepared = tally.prepared.get()
        if not prepared:
            return
        try:
            tables: dict[bool, set[str]] = {True: set(), False: set()}
            for key, state in states_of(session).items():
                tables[prepared.pop(key, None) is not None] |= tables_of(state)
            tally.saved_along.set(frozenset(tables[True] - tables[False]))
        except Exception:
            tally.failed("before_flush")

    def after_flush(*_: Any) -> None:
        tally.saved_along.set(frozenset())

    tally.unsaved.append(unsaved)
    event.listen(Session, "before_flush", before_flush)
    for name in ("after_flush", "after_soft_rollback"):
        event.listen(Session, name, after_flush)


def _observed_method(original: Any, name: str, backslash: bool) -> Any:
    def method(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if arguments and not _is_seen(sys._getframe(1)):
            tally.executed(arguments[0], backslash)
        return original(self, *arguments, **keywords)

    method.__name__ = name
    method.__qualname__ = getattr(original, "__qualname__", name)
    method.__doc__ = getattr(original, "__doc__", None)
    return method


def _patch_class(class_: Any, backslash: bool = False) -> None:
    """Observe a cursor class that is written in Python."""
    for name in _METHODS:
        if name in vars(class_):
            setattr(class_, name, _observed_method(vars(class_)[name], name, backslash))


def _subclass(class_: Any, more: dict[str, Any]) -> Any:
    """An observed subclass of a connection or cursor class that is written in C."""
    body: dict[str, Any] = {"__module__": class_.__module__, "__doc__": class_.__doc__, **more}
    for name in _METHODS:
        original = getattr(class_, name, None)
        if original is not None:
            body[name] = _observed_method(original, name, False)
    made = type(class_.__name__, (class_,), body)
    made.__qualname__ = class_.__qualname__
    return made


def _sqlite(module: Any) -> None:
    """`sqlite3.connect` with observed subclasses of whatever factories are asked for."""
    made: dict[Any, Any] = {}
    original_connect = module.connect

    def cursor_class(class_: Any) -> Any:
        if class_ not in made:
            made[class_] = _subclass(class_, {})
        return made[class_]

    def connection_class(class_: Any) -> Any:
        if class_ in made:
            return made[class_]

        def cursor(self: Any, factory: Any = module.Cursor) -> Any:
            if isinstance(factory, type):
                factory = cursor_class(factory)
            return class_.cursor(self, factory)

        made[class_] = _subclass(class_, {"cursor": cursor})
        return made[class_]

    def connect(*arguments: Any, **keywords: Any) -> Any:
        if len(arguments) > 5:
            factory = arguments[5]
            if isinstance(factory, type):
                arguments = (*arguments[:5], connection_class(factory), *arguments[6:])
        else:
            factory = keywords.get("factory", module.Connection)
            if isinstance(factory, type):
                keywords["factory"] = connection_class(factory)
        return original_connect(*arguments, **keywords)

    connect.__doc__ = original_connect.__doc__
    module.connect = connect
    package = sys.modules.get("sqlite3")
    if package is not None and getattr(package, "connect", None) is original_connect:
        package.connect = connect  # type: ignore[attr-defined]


def _psycopg2(module: Any) -> None:
    made: dict[Any, Any] = {}
    original_connect = module.connect
    plain = module.extensions.cursor

    def observed(class_: Any) -> Any:
        if class_ not in made:
            made[class_] = _subclass(class_, {})
        return made[class_]

    def connect(*arguments: Any, **keywords: Any) -> Any:
        connection = original_connect(*arguments, **keywords)
        try:
            connection.cursor_factory = observed(connection.cursor_factory or plain)
        except Exception:
            tally.failed("psycopg2")
        return connection

    connect.__doc__ = original_connect.__doc__
    module.connect = connect


def _classes(*names: str, backslash: bool = False) -> Callable[[ModuleType], None]:
    def patch(module: ModuleType) -> None:
        for name in names:
            class_ = getattr(module, name, None)
            if class_ is not None:
                _patch_class(class_, backslash)

    return patch


PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "sqlalchemy": _sqlalchemy,
    "sqlalchemy.orm.events": _sessions,
    "sqlite3.dbapi2": _sqlite,
    "psycopg2": _psycopg2,
    "psycopg.cursor": _classes("Cursor"),
    "pymysql.cursors": _classes("Cursor", backslash=True),
    "MySQLdb.cursors": _classes("BaseCursor", backslash=True),
}
"""Module to what is done to it once it was imported."""
