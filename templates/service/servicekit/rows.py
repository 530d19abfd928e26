"""Changes of replica entities that go to their owner as rows, by key.

The manifest's `calls` with `unit: rows` say which tables and columns. `defer` writes a command in
the same transaction; `row-write` asks the owner within the flush, which checks the before-images.
The ORM is told that these changes are saved, so that it writes nothing itself.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from sqlalchemy import event, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, attributes

from servicekit import links, pending, transaction
from servicekit.errors import ConstraintRefused, OwnershipViolation, RowConflict
from servicekit.settings import settings
from servicekit.sqlite import quoted
from servicekit.values import Codec

SITE = "$rows"


class _Remedy(NamedTuple):
    owner: str
    synchronous: bool
    columns: Optional[List[str]]


def install() -> None:
    """Watch flushes, when the manifest has rows that cross."""
    if _remedies():
        event.listen(Session, "before_flush", _before_flush)
        pending.install()


def _remedies() -> Dict[str, _Remedy]:
    """Table to what becomes of its changes; of two entries for it the synchronous one holds."""
    found: Dict[str, _Remedy] = {}
    for entry in settings().part("calls").values():
        if entry.get("unit", "function") != "rows":
            continue
        for table in entry.get("tables", []):
            columns = entry.get("columns", {}).get(table)
            before = found.get(table)
            if before is not None:
                columns = None if None in (columns, before.columns) else columns + before.columns
            synchronous = entry["remedy"] == "row-write" or bool(before and before.synchronous)
            found[table] = _Remedy(entry["owner"], synchronous, columns)
    return found


def _before_flush(session: Any, context: Any, instances: Any) -> None:
    remedies = _remedies()
    batches: Dict[Tuple[str, bool], List[_Change]] = {}
    inserted: List[Any] = []
    links.settle(session, lambda mapper: _remedy(remedies, mapper) is not None)
    for entity, op in _pending(session):
        remedy = _remedy(remedies, inspect(type(entity)))
        if remedy is None or (op != "D" and links.waits(session, entity)):
            continue
        change = _Change(session, entity, op)
        if not change.row["set"] and op == "U":
            continue
        if remedy.columns is not None and not (op == "U" and change.within(remedy.columns)):
            continue  # not foreseen: it goes on to the database, where the guard refuses it
        batches.setdefault((remedy.owner, remedy.synchronous), []).append(change)
        change.take_over()
        if op == "I":
            inserted.append(entity)
    for (owner, synchronous), changes in batches.items():
        _send(session, owner, synchronous, [each.row for each in changes], inserted)
        for change in changes:
            change.keep()
            if not synchronous:
                change.remember()
    links.saved(session, inserted)


def _remedy(remedies: Dict[str, _Remedy], mapper: Any) -> Optional[_Remedy]:
    if len(mapper.tables) != 1:
        return None
    return remedies.get(str(getattr(mapper.local_table, "name", "")))


def _pending(session: Any) -> List[Tuple[Any, str]]:
    found = [(entity, "I") for entity in session.new]
    found += [(entity, "U") for entity in session.dirty]
    return found + [(entity, "D") for entity in session.deleted]


def _send(
    session: Any, owner: str, synchronous: bool, rows: List[Dict[str, Any]], inserted: List[Any]
) -> None:
    if not synchronous:
        from servicekit.commands import write

        write(session, owner, SITE, {"rows": rows, "context": None})
        return
    from servicekit.calls import exchange
    from servicekit.entities import adopt

    try:
        answer = exchange(owner, SITE, {"rows": rows, "context": None})
    except ConstraintRefused as error:
        message, sql = error.args
        raise IntegrityError(sql, {}, sqlite3.IntegrityError(message)) from error
    keys = [key for key in answer["results"][0] if key is not None]
    for entity, key in zip(inserted, keys):
        adopt(session, entity, Codec(None).decode(key))


class _Change:
    """One entity's pending change as a row of database values."""

    def __init__(self, session: Any, entity: Any, op: str) -> None:
        self._session = session
        self._entity = entity
        self._state = inspect(entity)
        mapper = self._state.mapper
        self._dialect = session.get_bind(mapper).dialect
        self._changed: Dict[str, Any] = {}
        self._by_itself: Set[str] = set()
        self.row: Dict[str, Any] = {"table": mapper.local_table.name, "op": op}
        self.row["key"] = None if op == "I" else self._key(mapper)
        self.row["set"], self.row["before"] = {}, {}
        if op != "D":
            self._collect(mapper, op)

    def within(self, columns: List[str]) -> bool:
        """Whether nothing but these columns changes, but for what any change brings along."""
        return set(self.row["set"]) - self._by_itself <= set(columns)

    def take_over(self) -> None:
        """Take the change out of the flush."""
        if self.row["op"] == "U":
            self.keep()
        else:
            self._session.expunge(self._entity)

    def keep(self) -> None:
        """Have an entity that goes on hold what was sent, so that the flush sees no change of it,
        even where the call has expired all else."""
        for name, value in self._changed.items():
            attributes.set_committed_value(self._entity, name, value)

    def remember(self) -> None:
        """Have the rest of the request see a change that its owner makes later."""
        if self._changed:
            pending.remember(self._entity, self._changed)

    def _key(self, mapper: Any) -> Dict[str, Any]:
        parts = zip(mapper.primary_key, self._state.identity)
        return {column.name: self._stored(column, value) for column, value in parts}

    def _collect(self, mapper: Any, op: str) -> None:
        for attribute in mapper.column_attrs:
            column = attribute.columns[0]
            if getattr(column, "table", None) is not mapper.local_table:
                continue
            history = self._state.attrs[attribute.key].history
            if op == "I":
                if attribute.key in self._state.dict:
                    self.row["set"][column.name] = self._stored(
                        column, self._state.dict[attribute.key]
                    )
                elif column.default is not None:
                    self._default(column, column.default)
            elif history.added:
                self._changed[attribute.key] = history.added[0]
                self.row["set"][column.name] = self._stored(column, history.added[0])
                if history.deleted:
                    self.row["before"][column.name] = self._stored(column, history.deleted[0])
        if op == "U" and self._changed:
            for attribute in mapper.column_attrs:
                column = attribute.columns[0]
                if column.onupdate is not None and column.name not in self.row["set"]:
                    self._default(column, column.onupdate)
                    self._by_itself.add(column.name)

    def _default(self, column: Any, default: Any) -> None:
        if default.is_scalar:
            self.row["set"][column.name] = self._stored(column, default.arg)
        elif default.is_callable:
            self.row["set"][column.name] = self._stored(column, default.arg(None))

    def _stored(self, column: Any, value: Any) -> Any:
        """What the driver would be given, in the form that travels."""
        bind = column.type.dialect_impl(self._dialect).bind_processor(self._dialect)
        place = "%s.%s" % (self.row["table"], column.name)
        return Codec(_NoEntities).encode(bind(value) if bind else value, place)


class _NoEntities:
    """Columns hold no mapped objects."""

    @staticmethod
    def is_entity(value: Any) -> bool:
        return False


def apply(rows: List[Dict[str, Any]], strict: bool) -> List[Any]:
    """Make row changes at the owner, in the open call; keys of inserted rows, None for others.

    `strict`: the rows must be as the sender saw them, or `RowConflict` is raised. A deferred change
    of a row that is gone has no effect, as its UPDATE would have had none.
    """
    open_call = transaction.active()
    assert open_call is not None
    open_call.begin()
    return [_apply_one(_Statements(open_call), row, strict) for row in rows]


class _Statements:
    """Executes in an open call; what a constraint refuses is the sender's to know."""

    def __init__(self, open_call: transaction.CallTransaction) -> None:
        self._open_call = open_call

    def execute(self, sql: str, parameters: List[Any]) -> Any:
        try:
            return self._open_call.execute(sql, parameters)
        except sqlite3.IntegrityError as error:
            raise ConstraintRefused(str(error), sql) from error


def _apply_one(open_call: _Statements, row: Dict[str, Any], strict: bool) -> Optional[Any]:
    table = row["table"]
    if table not in settings().part("tables"):
        raise OwnershipViolation(table, "another than " + settings().name)
    codec = Codec(_NoEntities)
    new, before = codec.decode(row["set"]), codec.decode(row["before"])
    if row["op"] == "I":
        names = ",".join(quoted(name) for name in new)
        marks = ",".join("?" * len(new))
        done = open_call.execute(
            "INSERT INTO main.%s(%s) VALUES (%s)" % (quoted(table), names, marks),
            list(new.values()),
        )
        key = settings().part("tables")[table]["key"]
        return [new.get(name, done.lastrowid) for name in key]
    match = dict(codec.decode(row["key"]))
    if strict:
        match.update(before)
    where = " AND ".join("%s IS ?" % quoted(name) for name in match)
    if row["op"] == "D":
        sql, values = "DELETE FROM main.%s" % quoted(table), []
    else:
        changes = ",".join("%s = ?" % quoted(name) for name in new)
        sql, values = "UPDATE main.%s SET %s" % (quoted(table), changes), list(new.values())
    done = open_call.execute("%s WHERE %s" % (sql, where), values + list(match.values()))
    if strict and done.rowcount != 1:
        raise RowConflict("table %s: the row %r was changed meanwhile" % (table, match))
    return None
