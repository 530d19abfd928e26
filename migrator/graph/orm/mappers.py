"""How classes come to be mapped: by decorators, by calls, by columns that a function gives."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.linking.values import Kind
from migrator.graph.orm.computed import Computed
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import BASE, DECLARED, IMPERATIVE, RELATIONSHIP, TABLE
from migrator.graph.orm.registries import REGISTRY
from migrator.graph.protocol import CallSite, Engine

MAPPED_DECORATOR = "sqlalchemy:mapped_decorator"
BASE_DECORATOR = "sqlalchemy:base_decorator"

_DECLARED_ATTRS = frozenset({"declared_attr", "directive", "cascading"})


class Mappers:
    """What calls declare and map."""

    def __init__(self, declarations: Declarations, computed: Computed) -> None:
        self.declared = declarations
        self.computed = computed
        self.seen = False
        """Whether anything is mapped."""
        self._declared_sites: dict[int, tuple[CallSite, int]] = {}

    def declare(self, engine: Engine, site: CallSite, last: str) -> Iterable[int] | None:
        """Calls that stand in declarations."""
        if last in {"Column", "mapped_column", "Field"}:
            return (self.declared.column(engine, site),)
        if last == "ForeignKey":
            return (self.declared.foreign_key(engine, site),)
        if last == "ForeignKeyConstraint":
            return (self.declared.foreign_key(engine, site, 1),)
        if last in {"relationship", "relation", "dynamic_loader", "Relationship"}:
            return (self.declared.relationship(engine, site),)
        if last == "backref":
            return (self.declared.backref(engine, site),)
        if last == "Table":
            _tell_objects_apart(engine, site)
            return (self.declared.table(engine, site),)
        if last in {"declarative_base", "automap_base", "generate_base"}:
            self.seen = True
            return (engine.values.opaque(BASE, site.key), *site.argument(-1, "cls"))
        if last == "registry":
            return (engine.values.opaque(REGISTRY, site.key),)
        if last in _DECLARED_ATTRS:
            return self._declared_attr(engine, site)
        if last == "hybrid_property":
            return self.computed.hybrid(engine, site)
        if last == "hybrid_method":
            return site.argument(0)
        if last == "association_proxy":
            return (self.computed.proxy(engine, site),)
        if last == "as_declarative":
            return (engine.values.opaque(BASE_DECORATOR, site.key),)
        if last in {"mapped_as_dataclass", "mapped"}:
            return self.mapped_by_decorator(engine, site)
        return None

    def _declared_attr(self, engine: Engine, site: CallSite) -> list[int]:
        found = []
        for function in site.argument(0):
            value = engine.values.opaque(DECLARED, function)
            self._declared_sites[value] = (site, function)
            found.append(value)
        return found

    def mapped_by_decorator(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        """`@registry.mapped` above a class."""
        for class_ in site.argument(0):
            if engine.values.kind(class_) == Kind.CLASS:
                self.declared.models.setdefault(class_, engine.class_view(class_))
                self.declared.connect_backrefs(engine, class_)
        return site.argument(0) or (engine.values.opaque(MAPPED_DECORATOR),)

    def base_by_decorator(self, engine: Engine, site: CallSite) -> Iterable[int]:
        """`@as_declarative()` or `@registry.as_declarative_base()` above a class."""
        self.seen = True
        for class_ in site.argument(0):
            if engine.values.kind(class_) == Kind.CLASS:
                self.declared.bases.add(class_)
                engine.adopt(class_, engine.values.opaque(BASE, site.key))
        return site.argument(0)

    def map_imperatively(self, engine: Engine, site: CallSite) -> Iterable[int]:
        """`registry.map_imperatively(Class, table, properties={...})`, `mapper(...)`.

        The mapper that comes out stands for the class: a relationship may name it as its target.
        """
        for class_ in site.argument(0):
            if engine.values.kind(class_) == Kind.CLASS:
                tables = tuple(
                    each for each in site.argument(1) if engine.values.name(each) == TABLE
                )
                self.declared.imperative[class_] = tables
                self.seen = True
                self._map_properties(engine, site, class_)
                engine.adopt(class_, engine.values.opaque(BASE, IMPERATIVE))
        return [each for each in site.argument(0) if engine.values.kind(each) == Kind.CLASS]

    def _map_properties(self, engine: Engine, site: CallSite, class_: int) -> None:
        for value in site.argument(-1, "properties"):
            if engine.values.kind(value) != Kind.CONTAINER:
                continue
            for name in engine.keys(value):
                for held in engine.points_to(engine.item(site, value, name)):
                    if engine.values.name(held) == RELATIONSHIP:
                        self.declared.properties[class_, str(name)] = held
        self.declared.connect_backrefs(engine, class_)

    def registry_call(self, engine: Engine, site: CallSite, method: str) -> Iterable[int] | None:
        """A method of a registry."""
        if method == "map_imperatively":
            return self.map_imperatively(engine, site)
        if method == "generate_base":
            self.seen = True
            return (engine.values.opaque(BASE, site.key),)
        if method == "as_declarative_base":
            return (engine.values.opaque(BASE_DECORATOR, site.key),)
        if method in {"mapped", "mapped_as_dataclass"}:
            return self.mapped_by_decorator(engine, site)
        return None

    def evaluate_declared(self, engine: Engine, class_: int, value: int) -> None:
        """A `declared_attr` is called for a class that has it."""
        site, function = self._declared_sites[value]
        engine.tell_apart(class_)
        bound = engine.values.bound(class_, function)
        result = engine.invoke(site, bound, [], edge=False)
        engine.flow(result, engine.slot("sqlalchemy", "declared", value))
        engine.flow(result, engine.slot("sqlalchemy", "declared", value, class_))


def _tell_objects_apart(engine: Engine, site: CallSite) -> None:
    """Objects that make a table of their own (table gateways) do not do what others of their base
    do."""
    owner = site.function.rpartition(".")[0]
    for class_ in engine.resolve(owner) if owner else ():
        if engine.values.kind(class_) == Kind.CLASS:
            engine.tell_apart(class_)
