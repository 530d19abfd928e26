"""Which ORM session the code of this thread is working with."""

from __future__ import annotations

import threading
import weakref
from typing import Any, List, Optional

from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm.scoping import scoped_session

from servicekit import scope

_local = threading.local()
_registries: List[Any] = []


def install() -> None:
    """Watch sessions begin, and remember the registries (`db.session`) that are made."""
    event.listen(Session, "after_begin", lambda session, *rest: _touch(session))
    event.listen(Session, "after_attach", lambda session, *rest: _touch(session))
    original = scoped_session.__init__

    def remember(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _registries.append(weakref.ref(self))

    scoped_session.__init__ = remember  # type: ignore[method-assign]
    scope.on_start.append(forget)


def _touch(session: Any) -> None:
    _local.last = weakref.ref(session)


def forget() -> None:
    """A new unit of work begins: what the last one used means nothing to it."""
    _local.last = None


def current() -> Optional[Any]:
    """The session that this thread used last; else that of the application's first registry."""
    reference = getattr(_local, "last", None)
    session = reference() if reference is not None else None
    registries = [r for r in (ref() for ref in _registries) if r is not None]
    if session is not None:
        for registry in registries:
            if _has(registry) and registry() is session:
                return session
        if session.identity_map or session.new:
            return session
    for registry in registries:
        try:
            return registry()
        except RuntimeError:  # outside of an application context
            continue
    return session


def roll_back() -> None:
    """Roll this thread's session back."""
    session = current()
    if session is not None:
        session.rollback()


def discard() -> None:
    """Close this thread's session: nothing of one call may be seen by the next."""
    session = current()
    if session is not None:
        session.close()


def _has(registry: Any) -> bool:
    try:
        return bool(registry.registry.has())
    except RuntimeError:
        return False


def something_pending(session: Any) -> bool:
    """Whether a session holds work that a commit would save."""
    if session.new or session.deleted or session.info.get("servicekit.flushed"):
        return True
    return any(session.is_modified(each) for each in session.dirty)
