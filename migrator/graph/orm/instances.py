"""Attributes of mapped classes and their instances: loads, writes, collections, cascades."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.effects.mapping import ADDS, REMOVES
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import ATTRIBUTE, COLUMN, RELATIONSHIP
from migrator.graph.orm.facts import Facts
from migrator.graph.orm.queries import COLLECTION, QUERY, Queries
from migrator.graph.protocol import CallSite, Engine, Site, StoreSite

MUTABLE = "sqlalchemy:mutable"

_CHANGERS = ADDS | REMOVES | {"update"}
_CHANGES = frozenset(
    {
        "append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "popitem",
        "add", "discard", "sort", "reverse", "changed",
    }
)  # fmt: skip


class Instances:
    """What reading and writing attributes of models does."""

    def __init__(self, declarations: Declarations, facts: Facts, queries: Queries) -> None:
        self.declared = declarations
        self.facts = facts
        self.queries = queries

    # -- reading ----------------------------------------------------------------------------------

    def bind(
        self, engine: Engine, site: Site, found: int, receiver: int, name: str
    ) -> Iterable[int] | None:
        """A declared column or relationship is read through a class or an instance."""
        tag = engine.values.name(found)
        if tag == COLUMN:
            fact = self.declared.columns.get(found)
            mutable = fact is not None and fact.mutable
            return self._column(engine, site, receiver, name, mutable=mutable)
        if tag == RELATIONSHIP:
            return self.relationship(engine, site, receiver, name, found)
        return None

    def _column(
        self, engine: Engine, site: Site, receiver: int, name: str, *, mutable: bool
    ) -> Iterable[int]:
        view = engine.values.view(receiver)
        if view.kind != Kind.INSTANCE:
            self.facts.note(site, "mention", receiver, name, via="query")
            return (engine.values.opaque(ATTRIBUTE, receiver, name),)
        self.facts.use(site, view.owner)
        return (engine.values.opaque(MUTABLE, view.owner, name),) if mutable else ()

    def relationship(
        self, engine: Engine, site: Site, receiver: int, name: str, relationship: int
    ) -> list[int]:
        """`order.lines`, `Order.lines`, declared or made by a backref."""
        view = engine.values.view(receiver)
        if view.kind != Kind.INSTANCE:
            self.facts.note(site, "mention", receiver, name, via="query")
            return [engine.values.opaque(ATTRIBUTE, receiver, name)]
        class_ = view.owner
        self.facts.use(site, class_)
        self.facts.note(site, "load", class_, name)
        found: list[int] = []
        many = self.declared.is_many(engine, class_, name, relationship)
        dynamic = self.declared.is_dynamic(engine, class_, name, relationship)
        for target in self.declared.targets(engine, class_, name, relationship):
            if many is not True:
                found.append(engine.values.instance(target))
            if dynamic:
                query = engine.values.opaque(QUERY, ("dynamic", class_, name), 1)
                slot = engine.slot("sqlalchemy", "row", query, 0)
                engine.add(slot, engine.values.instance(target))
                found.append(query)
            elif many is not False:
                found.append(engine.values.opaque(COLLECTION, class_, name, target))
        return found

    def backref(self, engine: Engine, class_: int, name: str) -> int | None:
        """The relationship behind an attribute that a backref makes on a class or its parents."""
        for owner in engine.bases(class_):
            if engine.values.kind(owner) != Kind.CLASS:
                continue
            engine.points_to(engine.slot("sqlalchemy", "backrefs", owner))
            use = self.declared.reports.get(owner, {}).get(name)
            if use is not None:
                if owner != class_:
                    self.declared.reports.setdefault(class_, {}).setdefault(name, use)
                return use.relationship
            imperative = self.declared.properties.get((owner, name))
            if imperative is not None:
                return imperative
        return None

    def annotated(
        self, engine: Engine, site: Site, receiver: int, class_: int, name: str
    ) -> Iterable[int] | None:
        """An attribute that an annotation declares (`name: Mapped[str]`), or a mapped table."""
        for column, fact in self.declared.mapped_columns(engine, class_):
            if column == name:
                return self._column(engine, site, receiver, name, mutable=fact.mutable)
        for annotation in self.declared.annotations(engine, class_, name):
            if annotation.name.rsplit(".", 1)[-1] != "Mapped":
                return None
            mutable = "JSON" in annotation.text or "dict" in annotation.text
            return self._column(engine, site, receiver, name, mutable=mutable)
        return None

    def alias_attribute(
        self, engine: Engine, site: Site, alias: int, name: str
    ) -> Iterable[int] | None:
        """`aliased(Model).column`, and whatever else of the class it stands for."""
        class_ = int(str(engine.values.view(alias).parts[0]))
        if name == "query":
            return (self.queries.of_class(engine, site, class_, "query"),)
        self.facts.note(site, "mention", class_, name, via="query")
        return (engine.values.opaque(ATTRIBUTE, class_, name),)

    def iterate(self, engine: Engine, value: int) -> Iterable[int]:
        """The elements of a collection."""
        view = engine.values.view(value)
        return (engine.values.instance(int(str(view.parts[2]))),)

    # -- writing ----------------------------------------------------------------------------------

    def store(self, engine: Engine, site: StoreSite, receiver: int, name: str) -> bool | None:
        """`instance.name = value`: a write of the row, or of a relationship."""
        view = engine.values.view(receiver)
        class_ = view.owner
        if not self.declared.is_model(class_):
            return None
        if self._constructing(engine, site, class_):
            if engine.points_to(engine.slot("sqlalchemy", "linked", class_)):
                self.facts.note(site, "insert", class_, via="constructor")
            if self.is_relationship(engine, class_, name):
                self.facts.note(site, "relate", class_, name, via="constructor")
            else:
                self.facts.note(site, "set", class_, name)
            self._link(engine, site, class_, name)
            return None
        self.facts.note(site, "update", class_, name, via="attribute")
        self._link(engine, site, class_, name)
        return None

    def _constructing(self, engine: Engine, site: Site, class_: int) -> bool:
        """Whether the code is a constructor of the class: its instance is not persistent yet."""
        owner, _, function = site.function.rpartition(".")
        return function == "__init__" and any(
            engine.values.name(base) == owner for base in engine.bases(class_)
        )

    def _link(self, engine: Engine, site: StoreSite, class_: int, name: str) -> None:
        if self.is_relationship(engine, class_, name):
            self.link(engine, engine.points_to(site.variable))

    def is_relationship(self, engine: Engine, class_: int, name: str) -> bool:
        """Whether an attribute of a model is a relationship, declared or by backref."""
        variable = engine.class_attribute(class_, name)
        if variable is not None:
            for value in self.declared.declared(engine, variable):
                if engine.values.name(value) == RELATIONSHIP:
                    return True
        return self.backref(engine, class_, name) is not None

    def link(self, engine: Engine, values: Iterable[int]) -> None:
        """These objects are put into a relationship: new ones among them will be inserted."""
        seen: set[int] = set()
        waiting = list(values)
        while waiting:  # a container may hold itself
            value = waiting.pop()
            if value in seen:
                continue
            seen.add(value)
            view = engine.values.view(value)
            if view.kind == Kind.INSTANCE:
                engine.add(engine.slot("sqlalchemy", "linked", view.owner), value)
            elif view.kind == Kind.CONTAINER:
                waiting.extend(engine.points_to(engine.element(value)))

    def construct(self, engine: Engine, site: CallSite, class_: int) -> None:
        """`Model(...)`: an insert if a relationship cascades to it; see `link`."""
        linked = engine.points_to(engine.slot("sqlalchemy", "linked", class_))
        merged = (
            str(key)
            for each in site.merged
            if engine.values.kind(each) == Kind.CONTAINER
            for key in engine.keys(each)
        )
        for name in dict.fromkeys((*site.keywords, *merged)):
            if self.is_relationship(engine, class_, name):
                self.facts.note(site, "insert", class_, via=f"relationship {name}")
                self.facts.note(site, "relate", class_, name, via="constructor")
                self.link(engine, site.argument(-1, name))
                variable = site.argument_variable(-1, name)
                if variable is not None:
                    field = engine.field(engine.values.instance(class_), name)
                    engine.flow(variable, field)
            else:
                self.facts.note(site, "set", class_, name)
        if site.open_ended:
            self.facts.note(site, "set", class_)
        if linked or site.open_ended:
            self.facts.note(site, "insert", class_, via="constructor")

    def collection_call(
        self, engine: Engine, site: CallSite, value: int, method: str
    ) -> Iterable[int] | None:
        """A method of a relationship's collection."""
        view = engine.values.view(value)
        class_, name, target = int(str(view.parts[0])), str(view.parts[1]), int(str(view.parts[2]))
        if method in _CHANGERS:
            self.facts.note(site, "relate", class_, name, via=method)
            for position in range(site.positional):
                self.link(engine, site.argument(position))
        if method in {"pop", "__getitem__"}:
            return (engine.values.instance(target),)
        if method in {"copy", "keys", "items"}:
            return (value,)
        if method in {"values", "get"}:
            return (value, engine.values.instance(target))
        return ()

    def dynamic_change(self, engine: Engine, site: CallSite, query: int, method: str) -> bool:
        """`order.lines.append(x)` on a `lazy="dynamic"` relationship."""
        view = engine.values.view(query)
        origin = view.parts[0]
        if not isinstance(origin, tuple) or origin[0] != "dynamic" or method not in ADDS | REMOVES:
            return False
        self.facts.note(site, "relate", int(str(origin[1])), str(origin[2]), via=method)
        for position in range(site.positional):
            self.link(engine, site.argument(position))
        return True

    def mutable_call(self, engine: Engine, site: CallSite, value: int, method: str) -> None:
        """`user.settings.update(...)` of a JSON column."""
        if method in _CHANGES:
            self.mutated(engine, site, value)

    def mutated(self, engine: Engine, site: Site, value: int) -> None:
        """A mutable column value is changed in place."""
        class_, name = engine.values.view(value).parts[:2]
        self.facts.note(site, "update", int(str(class_)), str(name), via="mutable value")
