"""Running one served function: finding it, its arguments, its result or its exception."""

from __future__ import annotations

import importlib
import inspect
import sqlite3
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from servicekit import rows, sessions
from servicekit.entities import Entities, is_gone, table_of
from servicekit.errors import RemoteError
from servicekit.logs import logger
from servicekit.settings import settings
from servicekit.values import Codec

_ALWAYS = ("builtins", "werkzeug.exceptions", "sqlalchemy.exc", "sqlalchemy.orm.exc")
_log = logger("invocation")


class Served(NamedTuple):
    """A function that siblings may call; `function` None stands for row changes."""

    function: Optional[Callable[..., Any]]
    raises: List[str]


def served(name: str, caller: str) -> Optional[Served]:
    """The function of that dotted name, or None when this service does not serve it to `caller`."""
    if name == rows.SITE:
        return Served(None, [])
    entry = settings().part("serves").get(name)
    if entry is None or (entry.get("callers") and caller not in entry["callers"]):
        return None
    found: Any = importlib.import_module(entry["module"])
    for part in entry["qualname"].split("."):
        # Looked up without binding: `self` and `cls` come with the arguments.
        found = inspect.getattr_static(found, part)
    if isinstance(found, (staticmethod, classmethod)):
        found = found.__func__
    elif isinstance(found, property):
        found = found.fget
    return Served(found, entry.get("raises", []))


class Job:
    """One call with its items; `codec` reads what the caller sent."""

    def __init__(self, chosen: Served, body: Dict[str, Any]) -> None:
        self._served = chosen
        self._body = body
        self.deferred = bool(body.get("deferred"))
        self._entities = Entities()
        self.codec = Codec(self._entities)

    def run(self, restore: Callable[[], None]) -> Dict[str, Any]:
        """The answer without its outcome. Exceptions of the function are part of the answer."""
        session = sessions.current()
        if session is not None:
            session.connection()  # a rollback in the function is seen even before its first query
        restore()
        results: List[Any] = []
        answer: Dict[str, Any] = {}
        try:
            if self._served.function is None:
                results.append(rows.apply(self._body["rows"], strict=not self.deferred))
            else:
                for item in self._body["items"]:
                    results.append(self._invoke(self._served.function, item))
            self._flush()
        except sqlite3.OperationalError:
            raise  # the write lock was not to be had in time: nothing is done, it is asked again
        except Exception as error:
            if self._served.function is None:
                raise
            answer["exception"] = self._exception(error)
            self._flush_if_possible()
        answer["results"] = [] if "exception" in answer else self._encoded(results)
        answer["changed"] = self._arguments_now()
        answer["keys"] = [self._key(made) for made in self._entities.transients]
        return answer

    def _invoke(self, function: Callable[..., Any], item: Dict[str, Any]) -> Any:
        args = [self.codec.decode(each) for each in item["args"]]
        kwargs = {name: self.codec.decode(each) for name, each in item["kwargs"].items()}
        result = function(*args, **kwargs)
        # A generator does its work within the transaction, not when the caller looks at it.
        return iter(list(result)) if inspect.isgenerator(result) else result

    def _flush(self) -> None:
        """What the function left pending becomes part of the call, as a later commit would have."""
        for session in sessions.working():
            if session.new or session.dirty or session.deleted:
                session.flush()

    def _flush_if_possible(self) -> None:
        """After an exception: a session whose transaction has failed can only be rolled back."""
        session = sessions.current()
        try:
            if session is not None and session.is_active:
                self._flush()
                return
        except Exception as error:
            _log.warning("what the function left pending is lost", why=repr(error))
        sessions.roll_back()

    def _encoded(self, results: List[Any]) -> List[Any]:
        codec = Codec(Entities(full=True))
        return [codec.encode(each, "result") for each in results]

    def _arguments_now(self) -> List[Any]:
        """Entities of this service that came as arguments, as the function left them."""
        own = settings().part("tables")
        codec = Codec(Entities(full=True))
        return [
            codec.encode(each, "argument")
            for each in self._entities.persistent
            if table_of(each) in own and not is_gone(each)
        ]

    def _exception(self, error: Exception) -> Dict[str, Any]:
        """Classes that the function is known to raise come back as themselves, others by name."""
        names = {"%s.%s" % (cls.__module__, cls.__qualname__) for cls in type(error).__mro__[:-3]}
        if names & set(self._served.raises) or type(error).__module__.startswith(_ALWAYS):
            form: Dict[str, Any] = Codec(Entities(full=True)).encode(error, "exception")
            return form
        _log.error("a served function raised what it is not known to raise", exc_info=error)
        return {"remote": "%s: %s" % (type(error).__name__, error), "kind": RemoteError.__name__}

    def _key(self, made: Any) -> Optional[List[Any]]:
        from sqlalchemy import inspect as state_of

        identity = state_of(made).identity
        return None if identity is None else [self.codec.encode(part, "key") for part in identity]
