"""Deferred changes of rows, as the request that made them goes on seeing them.

They reach the owner later. Until the request ends, an object that is loaded from its replica again
(SQLAlchemy expires all objects when a transaction is committed) has the values that were deferred.
"""

from __future__ import annotations

from typing import Any, Dict, Tuple

from sqlalchemy import event, inspect
from sqlalchemy.orm import Mapper, Session, attributes

from servicekit import scope

_KEY = "servicekit.pending"

_Identity = Tuple[Any, ...]


def install() -> None:
    """Watch what is loaded, and what is rolled back."""
    event.listen(Mapper, "load", _loaded)
    event.listen(Mapper, "refresh", _refreshed)
    event.listen(Session, "after_soft_rollback", _rolled_back)


def remember(entity: Any, values: Dict[str, Any]) -> None:
    """Attributes of an entity whose change was deferred."""
    unit = scope.active()
    if unit is not None:
        of_unit = unit.values.setdefault(_KEY, {})
        of_unit.setdefault(inspect(entity).key[:2], {}).update(values)


def _loaded(entity: Any, context: Any) -> None:
    _refreshed(entity, context, None)


def _refreshed(entity: Any, context: Any, names: Any) -> None:
    unit = scope.active()
    known: Dict[_Identity, Dict[str, Any]] = unit.values.get(_KEY, {}) if unit is not None else {}
    if known:
        for name, value in known.get(inspect(entity).key[:2], {}).items():
            attributes.set_committed_value(entity, name, value)


def _rolled_back(session: Any, previous: Any) -> None:
    unit = scope.active()
    if unit is not None:
        unit.values.pop(_KEY, None)
