"""Which ORM session the code of this thread is working with."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any, Callable, Iterable, List, Optional

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.scoping import scoped_session

from servicekit import scope

_local = threading.local()
_registries: List[Any] = []


def install() -> None:
    """Watch sessions begin, and remember the registries (`db.session`) that are made."""
    event.listen(Session, "after_begin", lambda session, *rest: _touch(session))
    event.listen(Session, "after_attach", lambda session, *rest: _touch(session))
    _remember(scoped_session, lambda made: made)
    try:
        from alchemical.flask import Alchemical
    except ImportError:
        pass
    else:
        _remember(Alchemical, _Property)
    scope.on_start.append(forget)


def _remember(cls: Any, registry: Callable[[Any], Any]) -> None:
    """From now on each object of a class is a registry, or has one."""
    original = cls.__init__

    def remember(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        found = weakref.ref(self)
        _registries.append(lambda: None if found() is None else registry(found()))

    cls.__init__ = remember


class _Property:
    """An extension whose property `session` keeps a session in the application context."""

    def __init__(self, extension: Any) -> None:
        self.registry = self
        self._extension = extension

    def has(self) -> bool:
        from flask import g

        return hasattr(g, "alchemical_session")

    def __call__(self) -> Any:
        return self._extension.session


def _touch(session: Any) -> None:
    _local.last = weakref.ref(session)


def forget() -> None:
    """A new unit of work begins: what the last one used means nothing to it."""
    _local.last = _local.made = None


def make(fits: Callable[[Any], bool]) -> Optional[Any]:
    """A session for an application that makes its own wherever it needs one; held until `forget`.

    From a `sessionmaker` or an engine of the application whose engine `fits`; None without any.
    """
    for source in _sources():
        session = source() if isinstance(source, sessionmaker) else Session(source)
        try:
            bind = session.get_bind()
        except Exception:  # not bound to one engine
            continue
        if fits(getattr(bind, "engine", bind)):
            _local.made = session
            _touch(session)
            return session
    return None


def _sources() -> Iterable[Any]:
    alive = gc.get_objects()
    for kind in (sessionmaker, Engine):
        # `type()`, since `isinstance` would make a proxy look for an object that is not there.
        yield from (each for each in alive if issubclass(type(each), kind))


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


def working() -> List[Any]:
    """This thread's sessions: the application's, and one that was made beside it."""
    found = [current(), getattr(_local, "made", None)]
    return [each for at, each in enumerate(found) if each is not None and each not in found[:at]]


def discard() -> None:
    """Close this thread's sessions: nothing of one call may be seen by the next."""
    for session in working():
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
