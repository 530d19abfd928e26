"""What a flush does by itself along relationships, done before it where rows cross.

Foreign keys follow the objects they refer to, those of a deleted parent's children become NULL, and
orphans are deleted. SQLAlchemy does so amid the flush, too late for rows that go to their owner.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, List

from sqlalchemy import inspect
from sqlalchemy.orm import attributes

_NOT_LOADED_YET = getattr(attributes, "INCLUDE_PENDING_MUTATIONS", 0)
"""What was put to a collection that nobody has read."""

_LOADED = attributes.PASSIVE_NO_INITIALIZE | _NOT_LOADED_YET
_LOAD = attributes.PASSIVE_OFF


def settle(session: Any, crosses: Callable[[Any], bool]) -> None:
    """Follow the relationships of all that is pending, where a mapper on either end `crosses`."""
    done: List[Any] = []
    while True:
        known = {id(each) for each in done}
        pending = [*session.new, *session.dirty, *session.deleted]
        left = [each for each in pending if id(each) not in known]
        if not left:
            return
        for entity in left:
            done.append(entity)
            _follow(session, entity, crosses)


def waits(session: Any, entity: Any) -> bool:
    """Whether a foreign key of an entity is that of an object which has no row yet."""
    state = inspect(entity)
    referred = (
        parent
        for relation in state.mapper.relationships
        if relation.direction.name == "MANYTOONE" and not relation.viewonly
        for parent in state.get_history(relation.key, _LOADED).added or ()
    )
    return any(parent is not None and parent in session.new for parent in referred)


def saved(session: Any, entities: List[Any]) -> None:
    """Entities whose rows their owner has inserted are nothing that a flush has to refer to."""
    there = {id(each) for each in entities}
    for parent in list(session.dirty):
        state = inspect(parent)
        for relation in state.mapper.relationships:
            added = state.get_history(relation.key, _LOADED).added or ()
            if relation.direction.name != "ONETOMANY" or there.isdisjoint(map(id, added)):
                continue
            if relation.key in state.dict:
                state.committed_state.pop(relation.key, None)
            else:
                session.expire(parent, [relation.key])


def _follow(session: Any, entity: Any, crosses: Callable[[Any], bool]) -> None:
    state = inspect(entity)
    here = crosses(state.mapper)
    for relation in state.mapper.relationships:
        if relation.viewonly or not (here or crosses(relation.mapper)):
            continue
        if relation.direction.name == "ONETOMANY":
            if entity in session.deleted:
                _leave_children(session, entity, relation)
            else:
                _sort_children(session, entity, relation)
        elif relation.direction.name == "MANYTOONE" and entity not in session.deleted:
            for parent in state.get_history(relation.key, _LOADED).added or ():
                _refer(session, relation, entity, parent)


def _leave_children(session: Any, entity: Any, relation: Any) -> None:
    """What becomes of the children of a parent that is deleted."""
    if relation.passive_deletes == "all":
        return
    history = inspect(entity).get_history(
        relation.key, _LOADED if relation.passive_deletes else _LOAD
    )
    _part(session, entity, relation, history.deleted)
    for child in _there(session, history.unchanged):
        _refer(session, relation, child, None)


def _sort_children(session: Any, entity: Any, relation: Any) -> None:
    """Children that were put to a parent, or taken away from it."""
    history = inspect(entity).get_history(relation.key, _LOADED)
    _part(session, entity, relation, history.deleted)
    for child in _there(session, history.added):
        _refer(session, relation, child, entity)


def _part(session: Any, entity: Any, relation: Any, children: Iterable[Any]) -> None:
    for child in _there(session, children):
        if getattr(type(entity), relation.key).impl.hasparent(inspect(child)):
            continue  # it has been given to another
        if relation.cascade.delete_orphan and inspect(child).persistent:
            session.delete(child)
        else:
            _refer(session, relation, child, None)


def _there(session: Any, children: Iterable[Any]) -> List[Any]:
    return [each for each in children or () if each is not None and each not in session.deleted]


def _refer(session: Any, relation: Any, entity: Any, parent: Any) -> None:
    """Set the foreign key of a relationship; what cannot be said yet is left to the flush."""
    if parent is not None and (parent in session.deleted or inspect(parent).key is None):
        return
    holder = inspect(entity).mapper
    for referred, key in relation.synchronize_pairs:
        if key.table is not holder.local_table or (parent is None and key.primary_key):
            continue
        value = None
        if parent is not None:
            value = getattr(parent, inspect(parent).mapper.get_property_by_column(referred).key)
        name = holder.get_property_by_column(key).key
        if getattr(entity, name) != value:
            setattr(entity, name, value)
