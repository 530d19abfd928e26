"""Module-level state of the monolith that all processes of the service share, or each request has.

Values are pickled into state.db: what is taken out is a copy. Each operation is one transaction.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import sqlite3
import threading
from collections.abc import MutableMapping, MutableSequence, MutableSet
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from servicekit import scope
from servicekit.settings import settings
from servicekit.sqlite import immediate, of_thread

_PROTOCOL = 4  # fixed, since keys are compared as bytes


_local = threading.local()
"""Has `private` while this thread makes the application: shared state as it sees it."""


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """What is changed inside is seen by other processes all at once, at the end.

    They serve requests while one more is made, and the monolith's own start had nobody beside it.
    What is as it was then, emptied and filled again, is left alone.
    """
    private = sqlite3.connect(":memory:", isolation_level=None)
    of_thread(settings().file("state.db")).backup(private)
    before = _contents(private)
    _local.private = private
    try:
        yield
    finally:
        del _local.private
    with immediate(of_thread(settings().file("state.db"))) as connection:
        for name, items in _contents(private).items():
            if before.get(name) != items:
                connection.execute("INSERT OR IGNORE INTO _names VALUES (?)", (name,))
                connection.execute("DELETE FROM _items WHERE name = ?", (name,))
                connection.executemany(
                    "INSERT INTO _items(name, key, value) VALUES (?, ?, ?)",
                    [(name, key, value) for key, value in items],
                )
    private.close()


def _contents(connection: sqlite3.Connection) -> Dict[str, List[Tuple[Any, Any]]]:
    found: Dict[str, List[Tuple[Any, Any]]] = {
        name: [] for (name,) in connection.execute("SELECT * FROM _names")
    }
    for name, key, value in connection.execute("SELECT name, key, value FROM _items ORDER BY id"):
        found.setdefault(name, []).append((key, value))
    return found


def _dump(value: Any) -> bytes:
    return pickle.dumps(value, protocol=_PROTOCOL)


class _Shared:
    """Rows of one name. The initial content is stored once, by whoever touches the name first."""

    def __init__(self, name: str, initial: Iterable[Tuple[Any, Any]]) -> None:
        self._name = name
        self._initial = [(_dump(key), _dump(value)) for key, value in initial]
        self._seeded_for: Any = None

    def _db(self) -> Any:
        connection = getattr(_local, "private", None) or of_thread(settings().file("state.db"))
        if self._seeded_for is not settings():
            with immediate(connection):
                new = connection.execute("INSERT OR IGNORE INTO _names VALUES (?)", (self._name,))
                if new.rowcount:
                    connection.executemany(
                        "INSERT OR REPLACE INTO _items(name, key, value) VALUES (?, ?, ?)",
                        [(self._name, key, value) for key, value in self._initial],
                    )
            self._seeded_for = settings()
        return connection

    def _one(self, columns: str, key: Any) -> Any:
        return (
            self._db()
            .execute(
                "SELECT %s FROM _items WHERE name = ? AND key = ?" % columns,
                (self._name, _dump(key)),
            )
            .fetchone()
        )

    def _all(self, column: str) -> List[Any]:
        rows = self._db().execute(
            "SELECT %s FROM _items WHERE name = ? ORDER BY id" % column, (self._name,)
        )
        return [pickle.loads(value) for (value,) in rows.fetchall()]

    def _store(self, connection: Any, key: Any, value: Any) -> None:
        connection.execute(
            "INSERT INTO _items(name, key, value) VALUES (?, ?, ?)"
            " ON CONFLICT(name, key) DO UPDATE SET value = excluded.value",
            (self._name, _dump(key), _dump(value)),
        )

    def _remove(self, connection: Any, key: Any) -> bool:
        done = connection.execute(
            "DELETE FROM _items WHERE name = ? AND key = ?", (self._name, _dump(key))
        )
        return bool(done.rowcount)

    def clear(self) -> None:
        """Remove everything."""
        self._db().execute("DELETE FROM _items WHERE name = ?", (self._name,))

    def __len__(self) -> int:
        row = self._db().execute("SELECT count(*) FROM _items WHERE name = ?", (self._name,))
        return int(row.fetchone()[0])


class SharedDict(_Shared, MutableMapping):
    """A dictionary of all processes of the service, in order of insertion.

    `default_factory` makes it what `collections.defaultdict` is. What cannot be pickled (a thread,
    a connection) is of use to the process only that has it, and kept there; with `pickled_only` it
    is refused.
    """

    def __init__(
        self,
        name: str,
        initial: Any = (),
        default_factory: Optional[Callable[[], Any]] = None,
        pickled_only: bool = False,
    ) -> None:
        super().__init__(name, dict(initial).items())
        self.default_factory = default_factory
        self._pickled_only = pickled_only
        self._own: Dict[Any, Any] = {}

    def __getitem__(self, key: Any) -> Any:
        if key in self._own:
            return self._own[key]
        row = self._one("value", key)
        if row is not None:
            return pickle.loads(row[0])
        if self.default_factory is None:
            raise KeyError(key)
        return self.setdefault(key, self.default_factory())

    def __setitem__(self, key: Any, value: Any) -> None:
        self.update_item(key, lambda _: value)

    def __delitem__(self, key: Any) -> None:
        if key in self._own:
            del self._own[key]
        elif not self._remove(self._db(), key):
            raise KeyError(key)

    def __iter__(self) -> Iterator[Any]:
        return iter([*self._all("key"), *self._own])

    def __len__(self) -> int:
        return super().__len__() + len(self._own)

    def __contains__(self, key: Any) -> bool:
        return key in self._own or self._one("1", key) is not None

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self._own:
            return self._own[key]
        row = self._one("value", key)
        return default if row is None else pickle.loads(row[0])

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self.update_item(key, lambda value: value, default)

    def clear(self) -> None:
        self._own.clear()
        super().clear()

    def pop(self, key: Any, *default: Any) -> Any:
        if key in self._own:
            return self._own.pop(key)
        with immediate(self._db()) as connection:
            row = self._one("value", key)
            if row is not None:
                self._remove(connection, key)
                return pickle.loads(row[0])
        if default:
            return default[0]
        raise KeyError(key)

    def update_item(self, key: Any, function: Callable[[Any], Any], default: Any = None) -> Any:
        """Store and return `function(value)`, atomically; of `default` when there is no value."""
        with immediate(self._db()) as connection:
            row = self._one("value", key)
            known = default if row is None else pickle.loads(row[0])
            value = function(self._own.pop(key, known))
            try:
                self._store(connection, key, value)
            except (pickle.PicklingError, AttributeError, TypeError):
                if self._pickled_only:
                    raise
                self._remove(connection, key)
                self._own[key] = value
        return value

    def copy(self) -> Dict[Any, Any]:
        """A plain dictionary with the same content."""
        return dict(self)

    def __repr__(self) -> str:
        return repr(dict(self))


class SharedSet(_Shared, MutableSet):
    """A set of all processes of the service."""

    def __init__(self, name: str, initial: Iterable[Any] = ()) -> None:
        super().__init__(name, [(each, None) for each in initial])

    def add(self, value: Any) -> None:
        self._store(self._db(), value, None)

    def discard(self, value: Any) -> None:
        self._remove(self._db(), value)

    def update(self, *others: Iterable[Any]) -> None:
        """Add all of several iterables."""
        for other in others:
            for value in other:
                self.add(value)

    def __contains__(self, value: Any) -> bool:
        return self._one("1", value) is not None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all("key"))

    @classmethod
    def _from_iterable(cls, values: Iterable[Any]) -> Any:
        return set(values)

    def __repr__(self) -> str:
        return repr(set(self))


class SharedList(_Shared, MutableSequence):
    """A list of all processes of the service: `append` and `pop(0)` make it a queue."""

    def __init__(self, name: str, initial: Iterable[Any] = ()) -> None:
        super().__init__(name, enumerate(initial))

    def _rewritten(self, change: Callable[[List[Any]], Any]) -> Any:
        with immediate(self._db()) as connection:
            values = self._all("value")
            result = change(values)
            connection.execute("DELETE FROM _items WHERE name = ?", (self._name,))
            for index, value in enumerate(values):
                self._store(connection, index, value)
        return result

    def append(self, value: Any) -> None:
        with immediate(self._db()) as connection:
            last = connection.execute(
                "SELECT key FROM _items WHERE name = ? ORDER BY id DESC LIMIT 1", (self._name,)
            ).fetchone()
            self._store(connection, 0 if last is None else pickle.loads(last[0]) + 1, value)

    def pop(self, index: int = -1) -> Any:
        with immediate(self._db()) as connection:
            rows = connection.execute(
                "SELECT id, value FROM _items WHERE name = ? ORDER BY id", (self._name,)
            ).fetchall()
            found = rows[index]
            connection.execute("DELETE FROM _items WHERE id = ?", (found[0],))
        return pickle.loads(found[1])

    def insert(self, index: int, value: Any) -> None:
        self._rewritten(lambda values: values.insert(index, value))

    def __getitem__(self, index: Any) -> Any:
        return self._all("value")[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._rewritten(lambda values: values.__setitem__(index, value))

    def __delitem__(self, index: Any) -> None:
        self._rewritten(lambda values: values.__delitem__(index))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all("value"))

    def __eq__(self, other: Any) -> bool:
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


class RequestDict(MutableMapping):
    """A dictionary that each request (call, command) finds as it was at the start."""

    def __init__(self, name: str, initial: Any = ()) -> None:
        self._name = name
        self._initial = dict(initial)
        self._local = threading.local()
        scope.on_start.append(self._empty)

    def _empty(self) -> None:
        self._local.values = dict(self._initial)

    def _values(self) -> Dict[Any, Any]:
        if not hasattr(self._local, "values"):
            self._empty()
        values: Dict[Any, Any] = self._local.values
        return values

    def __getitem__(self, key: Any) -> Any:
        return self._values()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._values()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._values()[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return repr(self._values())


def _known_to_json() -> None:
    """What stands for a dictionary or list is written as one, whatever encoder is asked."""
    make = json.JSONEncoder.__init__

    def with_ours(given: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def default(value: Any) -> Any:
            if isinstance(value, (SharedDict, RequestDict)):
                return dict(value)
            if isinstance(value, SharedList):
                return list(value)
            return given(value)

        return default

    def init(self: json.JSONEncoder, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self.default = with_ours(self.default)  # type: ignore[method-assign]

    json.JSONEncoder.__init__ = init  # type: ignore[method-assign]
    cached: json.JSONEncoder = json._default_encoder  # type: ignore[attr-defined]
    cached.default = with_ours(cached.default)  # type: ignore[method-assign]


_known_to_json()
