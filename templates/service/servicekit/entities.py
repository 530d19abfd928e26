"""Mapped objects between services: class and key, and the columns that the other cannot see."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from sqlalchemy import inspect
from sqlalchemy.orm import attributes, configure_mappers, make_transient_to_detached

from servicekit import sessions
from servicekit.settings import settings
from servicekit.values import dotted, resolve


class Entities:
    """Encodes and decodes the entities of one call.

    `full`: every column travels as it is now: of results, since a caller inside an open transaction
    may not see them in its replica yet, and of deferred commands, since these run later.
    `transients` are objects that had no row when they were encoded, `persistent` those that were
    decoded and have one.
    """

    def __init__(self, full: bool = False) -> None:
        self._full = full
        self.transients: List[Any] = []
        self.persistent: List[Any] = []

    @staticmethod
    def is_entity(value: Any) -> bool:
        return hasattr(type(value), "_sa_class_manager") and hasattr(value, "_sa_instance_state")

    def encode(self, value: Any, codec: Any, place: str) -> Dict[str, Any]:
        """Class and key, with what is not committed; all values of an object without a row."""
        state = inspect(value)
        # What is told while a flush goes on has no row yet, and can be given none.
        if state.pending and not state.session._flushing:
            if table_of(value) in settings().part("replicas"):
                state.session.expunge(value)  # it is the owner who inserts it
            else:
                state.session.flush()
        form: Dict[str, Any] = {"class": dotted(type(value))}
        if state.key is None:
            self.transients.append(value)
            form["transient"] = _columns(value, list(_loaded(value)), codec, place)
            return form
        form["key"] = [codec.encode(part, place) for part in state.identity]
        names = list(_loaded(value)) if self._full else _uncommitted(value)
        if names:
            form["values"] = _columns(value, names, codec, place)
            form["whole"] = self._full
        return form

    def decode(self, form: Dict[str, Any], codec: Any) -> Any:
        """The same object in this process' session. Raises LookupError when its row is not here."""
        cls = resolve(form["class"])
        configure_mappers()  # the first thing that this process does may be this call
        values = {k: codec.decode(v) for k, v in form.get("values", {}).items()}
        session = sessions.current()
        if "transient" in form:
            made = inspect(cls).class_manager.new_instance()
            for name, value in form["transient"].items():
                setattr(made, name, codec.decode(value))
            self.transients.append(made)
            return made
        key = [codec.decode(part) for part in form["key"]]
        table, here = table_of(cls), settings()
        # Of a table that this service has not got all is known that came along.
        known = not values or table in here.part("tables") or table in here.part("replicas")
        found = load(session, cls, key) if session is not None and known else None
        if found is None:
            if not values:
                raise LookupError("%s %r is not known here" % (form["class"], key))
            return _stand_in(session, cls, values)
        self.persistent.append(found)
        if form.get("whole") and table_of(found) in settings().part("tables"):
            return found  # nobody knows the rows of an owner better than itself
        # What travels is newer than what an open transaction sees of a replica.
        for name, value in values.items():
            attributes.set_committed_value(found, name, value)
        return found


def load(session: Any, cls: Any, key: List[Any]) -> Optional[Any]:
    """`session.get` in every version; pending changes are not flushed for it."""
    with session.no_autoflush:
        identity = key[0] if len(key) == 1 else tuple(key)
        if hasattr(session, "get"):
            return session.get(cls, identity)
        return session.query(cls).get(identity)


def table_of(value: Any) -> str:
    """The table that a mapped object (or class) is stored in."""
    mapper = inspect(value if isinstance(value, type) else type(value))
    return str(getattr(mapper.local_table, "name", ""))


def expire_replicas(session: Any, owner: str) -> None:
    """Forget what was read of one owner's tables, and nothing else: pending work stays."""
    tables = settings().replicas_of(owner)
    for each in list(session.identity_map.values()):
        if table_of(each) in tables and not session.is_modified(each):
            session.expire(each)


def is_gone(value: Any) -> bool:
    """Whether an object's row has been deleted in its session."""
    state = inspect(value)
    return bool(state.deleted or state.detached or value in state.session.deleted)


def adopt(session: Any, made: Any, key: List[Any]) -> None:
    """An object that the owner has inserted becomes one that was loaded from its replica."""
    mapper = inspect(type(made))
    for column, value in zip(mapper.primary_key, key):
        attributes.set_committed_value(made, mapper.get_property_by_column(column).key, value)
    if session is None or mapper.identity_key_from_primary_key(key) in session.identity_map:
        return
    make_transient_to_detached(made)
    session.add(made)
    session.expire(made)


def _loaded(value: Any) -> Dict[str, Any]:
    state = inspect(value)
    if state.key is not None and state.session is not None:
        for attribute in state.mapper.column_attrs:
            getattr(value, attribute.key)  # expired columns are loaded now
    return {a.key: state.dict[a.key] for a in state.mapper.column_attrs if a.key in state.dict}


def _uncommitted(value: Any) -> List[str]:
    """The columns of which the database, as others see it, does not have this value."""
    state = inspect(value)
    session = state.session
    if session is not None and state in session.info.get("servicekit.flushed", ()):
        return list(_loaded(value))
    return [
        a.key
        for a in state.mapper.column_attrs
        if a.key in state.dict and state.attrs[a.key].history.has_changes()
    ]


def _columns(value: Any, names: List[str], codec: Any, place: str) -> Dict[str, Any]:
    held = inspect(value).dict
    return {name: codec.encode(held[name], "%s.%s" % (place, name)) for name in names}


def _stand_in(session: Any, cls: Any, values: Dict[str, Any]) -> Any:
    """A persistent object for a row that this transaction cannot see yet."""
    made = inspect(cls).class_manager.new_instance()
    for name, value in values.items():
        attributes.set_committed_value(made, name, value)
    make_transient_to_detached(made)
    if session is not None:
        session.add(made)
    for name, value in values.items():
        attributes.set_committed_value(made, name, value)
    return made
