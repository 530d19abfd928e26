"""Listeners of SQLAlchemy: functions that run when something is flushed, committed or set."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.frameworks import CallSite, Engine
from migrator.graph.mapping import Mapping
from migrator.graph.orm.declarations import ATTRIBUTE
from migrator.graph.orm.queries import SESSION
from migrator.graph.values import Kind

LISTENER = "sqlalchemy:listener"

_OF_SESSIONS = {
    "before_commit": "commit",
    "after_commit": "commit",
    "before_flush": "commit flush",
    "after_flush": "commit flush",
    "after_flush_postexec": "commit flush",
    "after_rollback": "rollback",
    "after_soft_rollback": "rollback",
    "before_attach": "",
}
_OF_ATTRIBUTES = frozenset({"set", "append", "remove", "bulk_replace", "modified"})
_WRITES = ("insert", "update", "delete")


class Listeners:
    """All functions that listen, and to what."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[int, str, int], CallSite] = {}

    def listen(self, engine: Engine, site: CallSite, last: str) -> Iterable[int]:
        """`event.listens_for(target, "name")` or `event.listen(target, "name", function)`."""
        names = site.texts(1, "identifier")
        found = []
        for target in site.argument(0, "target"):
            if last == "listens_for":
                found.append(engine.values.opaque(LISTENER, target, *names, site.key))
            else:
                for function in site.argument(2, "fn"):
                    for name in names:
                        self._add(engine, site, target, name, function)
        return found

    def decorate(self, engine: Engine, site: CallSite, listener: int) -> tuple[int, ...]:
        """What `listens_for` gave is applied to a function."""
        parts = engine.values.view(listener).parts
        for function in site.argument(0):
            for name in parts[1:-1]:
                self._add(engine, site, int(str(parts[0])), str(name), function)
        return site.argument(0)

    def _add(self, engine: Engine, site: CallSite, target: int, name: str, function: int) -> None:
        self._listeners[(target, name, function)] = site
        session = engine.slot("sqlalchemy", "a session")
        engine.add(session, engine.values.opaque(SESSION))
        instance = engine.slot("sqlalchemy", "instances of", target)
        for class_ in self._classes(engine, target):
            engine.add(instance, engine.values.instance(class_))
        nothing = engine.slot("sqlalchemy", "nothing")
        if name in _OF_SESSIONS:
            arguments = [session, nothing, nothing]
        elif name.startswith(("before_", "after_")):
            arguments = [nothing, session, instance]
        else:
            arguments = [instance, nothing, nothing, nothing]
        engine.invoke(site, function, arguments, edge=False)

    def _classes(self, engine: Engine, target: int) -> tuple[int, ...]:
        """The classes whose instances a listener concerns: those of a class, or of an attribute."""
        view = engine.values.view(target)
        class_ = int(str(view.parts[0])) if view.name == ATTRIBUTE else target
        if engine.values.kind(class_) != Kind.CLASS:
            return ()
        return (class_, *engine.subclasses(class_))

    def listened(self, engine: Engine, mapping: Mapping) -> dict[tuple[str, str], list[str]]:
        """(table, operation) or ("", end of transaction) to the listeners that then run."""
        found: dict[tuple[str, str], list[str]] = {}
        for target, name, function in self._listeners:
            called = engine.name_of(function)
            for end in _OF_SESSIONS.get(name, "").split():
                found.setdefault(("", end), []).append(called)
            if name in _OF_SESSIONS:
                continue
            operation = name.rpartition("_")[2]
            operations = tuple(each for each in _WRITES if each == operation) or _WRITES
            if name in _OF_ATTRIBUTES:
                operations = _WRITES[:2]
            for class_ in self._classes(engine, target):
                for table in mapping.all_tables(engine.name_of(class_)):
                    for each in operations:
                        found.setdefault((table, each), []).append(called)
        return found
