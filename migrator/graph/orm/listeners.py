"""Listeners of SQLAlchemy: functions that run when something is flushed, committed or set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from migrator.graph.effects.mapping import Mapping, Touched
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import ATTRIBUTE
from migrator.graph.orm.facts import Fact
from migrator.graph.orm.queries import SESSION
from migrator.graph.protocol import CallSite, Engine

LISTENER = "sqlalchemy:listener"
VALIDATOR = "sqlalchemy:validator"

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
_WRITES = frozenset({"insert", "update", "delete"})
_OF_ATTRIBUTES = frozenset({"set", "append", "remove", "bulk_replace", "modified"})
_OF_INSTANCES = {"init": "insert", "load": "", "refresh": ""}
"""Events of instances to the operation that causes them; loading is that of reads."""
_SETTING = frozenset({"set", "update", "relate"})
"""Deeds that set an attribute, where a statement changes rows and the mapper knows of none."""
_BY_MAPPER = frozenset({"insert", "update", "relate", "delete", "read", "load"})


class _OfAttribute(NamedTuple):
    classes: frozenset[int]
    """Those whose instances may have it: the class, what it inherits from and what inherits."""
    names: frozenset[str]
    function: int


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

    def reconstructs(self, engine: Engine, site: CallSite) -> tuple[int, ...]:
        """`@reconstructor`: a method runs when a row has been loaded into an instance."""
        for function in site.argument(0):
            for class_ in _class_around(engine, function):
                self._add(engine, site, class_, "load", function)
        return site.argument(0)

    def validates(self, engine: Engine, site: CallSite, names: Iterable[object]) -> tuple[int, ...]:
        """`@validates("title")` is applied: a method runs when one of the attributes is set."""
        for function in site.argument(0):
            for class_ in _class_around(engine, function):
                for name in names:
                    attribute = engine.values.opaque(ATTRIBUTE, class_, str(name))
                    self._add(engine, site, attribute, "set", function)
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

    def listened(self, engine: Engine, mapping: Mapping) -> Listened:
        """Who runs when, now that the whole mapping is known."""
        found = Listened(engine, mapping)
        for target, name, function in self._listeners:
            if name in _OF_SESSIONS:
                for end in _OF_SESSIONS[name].split():
                    found.ends.setdefault(end, []).append(function)
                continue
            view = engine.values.view(target)
            classes = self._classes(engine, target)
            if name in _OF_ATTRIBUTES and view.name == ATTRIBUTE:
                related = frozenset((*classes, *engine.bases(classes[0]))) if classes else classes
                names = frozenset({str(view.parts[1])})
                found.attributes.append(_OfAttribute(frozenset(related), names, function))
                continue
            last = name.rpartition("_")[2]
            operation = last if last in _WRITES else _OF_INSTANCES.get(name)
            if operation is None:
                continue
            for class_ in classes:
                for table in mapping.all_tables(engine.name_of(class_)):
                    found.rows.setdefault((table, operation), []).append(function)
        return found


def _class_around(engine: Engine, function: int) -> Iterable[int]:
    """The class of the project in whose body a function stands."""
    found = engine.resolve(engine.name_of(function).rpartition(".")[0])
    return [each for each in found if engine.values.kind(each) == Kind.CLASS]


class Listened:
    """The functions that run for ends of transactions, rows of tables and attributes of models."""

    def __init__(self, engine: Engine, mapping: Mapping) -> None:
        self._engine = engine
        self._mapping = mapping
        self.ends: dict[str, list[int]] = {}
        self.rows: dict[tuple[str, str], list[int]] = {}
        """(table, operation), which is empty for reads."""
        self.attributes: list[_OfAttribute] = []

    def of(self, fact: Fact, touched: Iterable[Touched]) -> Iterable[int]:
        """The functions that run where a fact touches these tables."""
        found: dict[int, None] = {}
        if fact.deed in _BY_MAPPER:
            for each in touched:
                found.update(dict.fromkeys(self.rows.get((each.table, each.operation), ())))
        if fact.deed in _SETTING:
            sides = [(fact.subject, fact.attribute), *self._other_sides(fact)]
            for listener in self.attributes:
                for class_, name in sides:
                    if class_ in listener.classes and (not name or name in listener.names):
                        found[listener.function] = None
        return found

    def _other_sides(self, fact: Fact) -> Iterable[tuple[int, str]]:
        """What setting one side of a relationship sets: the other, of the objects behind it."""
        relation = self._mapping.relation(self._engine.name_of(fact.subject), fact.attribute)
        if relation is not None and relation.back_populates:
            for target in self._engine.class_named(relation.target):
                yield target, relation.back_populates
