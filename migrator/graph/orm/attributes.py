"""What attributes of classes, instances, tables, rows and queries are when code reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from migrator.graph.linking.values import Kind
from migrator.graph.orm.computed import HYBRID, PROXY, Computed
from migrator.graph.orm.declared import (
    BASE,
    CLASS_TABLE,
    DECLARED,
    IMPLICIT,
    MAPPER,
    OF_A_LIBRARY,
    STATEMENTS,
    TABLE,
    TABLE_COLUMNS,
)
from migrator.graph.orm.facts import Facts
from migrator.graph.orm.instances import Instances
from migrator.graph.orm.introspection import ATTRIBUTE_OF, Introspection
from migrator.graph.orm.queries import ALIAS, PAGINATION, QUERY, ROW, SESSION, SUBQUERY, Queries
from migrator.graph.orm.registries import REGISTRY, of_a_base, of_a_registry
from migrator.graph.protocol import Engine, Site

QUERY_PROPERTY = "sqlalchemy:query_property"

STATEMENT_CALLS = frozenset({"select", "insert", "update", "delete"})
"""What makes a statement: functions of the library, and methods of some bases of models."""

Given = Callable[[Engine, Site, int], Iterable[int] | None]
"""What an attribute is that a package gives to the instances of a class."""


class Attributes:
    """Reads attributes; `given` are those that packages give to models, by name."""

    def __init__(
        self,
        facts: Facts,
        queries: Queries,
        instances: Instances,
        computed: Computed,
        introspection: Introspection,
        given: Mapping[str, Given],
    ) -> None:
        self._facts = facts
        self._queries = queries
        self._instances = instances
        self._computed = computed
        self._introspection = introspection
        self._given = given

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        """What an attribute is, read on a value; see `Framework.attribute`."""
        values = engine.values
        view = values.view(receiver)
        if view.kind in (Kind.CLASS, Kind.INSTANCE):
            return self._class_attribute(engine, site, receiver, name, base)
        if view.kind != Kind.OPAQUE:
            return None
        if view.name == BASE:
            return of_a_base(engine, site, name)
        if view.name == REGISTRY:
            return of_a_registry(engine, site, name)
        if view.name in (TABLE, CLASS_TABLE):
            if name in {"c", "columns"}:
                owner = receiver if view.name == TABLE else int(str(view.parts[0]))
                return (values.opaque(TABLE_COLUMNS, owner, ""),)
            made = self._queries.declared.tables.get(receiver)
            if name == "name" and made is not None:
                return [values.string(text) for text in made.names]
            return None
        if view.name == TABLE_COLUMNS:
            return self.table_column(engine, site, receiver, name)
        if view.name in (MAPPER, ATTRIBUTE_OF):
            return self._introspection.attribute(engine, receiver, name)
        if view.name == ALIAS:
            return self._instances.alias_attribute(engine, site, receiver, name)
        if view.name == ROW:
            if name in {"_asdict", "count", "index", "_mapping"}:
                return (receiver,) if name == "_mapping" else None
            return [
                entity
                for entity in self._queries.rows(engine, int(str(view.parts[0])))
                if values.name(entity).rsplit(".", 1)[-1] == name
            ]
        if view.name == PAGINATION and name == "items":
            elements = tuple(self._queries.iterate(engine, site, receiver) or ())
            return (engine.container("builtins.list", site, *elements),)
        if view.name == SESSION and name in {"bind", "engine", "connection"}:
            return (receiver, values.bound(receiver, values.external(f"{SESSION}.{name}")))
        if view.name == SESSION and name == "query_property":
            return (values.bound(receiver, values.external(f"{SESSION}.{name}")),)
        if view.name == QUERY:
            return self._custom_query(engine, receiver, name)
        if view.name == SUBQUERY and name in {"c", "columns"}:
            return ()
        return None

    def _custom_query(self, engine: Engine, query: int, name: str) -> Iterable[int] | None:
        """Methods of the application's own query classes."""
        found = []
        for class_ in engine.points_to(engine.slot("sqlalchemy", "query_class")):
            if engine.values.kind(class_) != Kind.CLASS:
                continue
            variable = engine.class_attribute(class_, name)
            for function in engine.points_to(variable) if variable is not None else ():
                found.append(engine.values.bound(query, function))
        return found or None

    def table_column(
        self, engine: Engine, site: Site, columns: int, name: str
    ) -> Iterable[int] | None:
        """A column of `Table.c`."""
        owner, known = engine.values.view(columns).parts
        if known:
            return None
        self._facts.note(site, "read", int(str(owner)), name, via="query")
        return (engine.values.opaque(TABLE_COLUMNS, owner, name),)

    def _class_attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        values = engine.values
        view = values.view(receiver)
        class_ = view.owner if view.kind == Kind.INSTANCE else receiver
        if self._is_session(engine, class_):
            return (values.bound(values.opaque(SESSION), values.external(f"{SESSION}.{name}")),)
        if name == "query" and any(
            {IMPLICIT, OF_A_LIBRARY} & set(values.view(each).parts) for each in engine.bases(class_)
        ):
            variable = engine.class_attribute(class_, "query_class")
            if variable is not None:
                engine.flow(variable, engine.slot("sqlalchemy", "query_class"))
            return (self._queries.of_class(engine, site, class_, "query"),)
        if STATEMENTS in values.view(base).parts and name in STATEMENT_CALLS:
            return (values.bound(class_, values.external(f"{BASE}.{name}")),)
        stored = engine.points_to(engine.field(base, name))
        if stored:
            # `Base.query = Session.query_property()`: what the base holds is its classes', too.
            return [
                value
                for found in stored
                for value in self.bind(engine, site, found, receiver, name) or (found,)
            ]
        if name in self._given and view.kind == Kind.INSTANCE:
            return self._given[name](engine, site, class_) or ()
        if name == "__table__":
            return (values.opaque(CLASS_TABLE, class_),)
        if name == "__mapper__":
            return (values.opaque(MAPPER, class_),)
        if name.startswith("__"):
            return None
        of_all = of_a_base(engine, site, name)
        if of_all is not None and engine.class_attribute(class_, name) is None:
            return of_all
        relationship = self._instances.backref(engine, class_, name)
        if relationship is not None:
            return self._instances.relationship(engine, site, receiver, name, relationship)
        annotated = self._instances.annotated(engine, site, receiver, class_, name)
        if annotated is None and engine.class_attribute(class_, name) is None:
            return ()
        return annotated  # None: a mixin after the declarative base binds it

    def _is_session(self, engine: Engine, class_: int) -> bool:
        return any(
            engine.values.name(base).rsplit(".", 1)[-1] in {"Session", "AsyncSession"}
            and engine.values.kind(base) == Kind.EXTERNAL
            for base in engine.bases(class_)
        )

    def bind(
        self, engine: Engine, site: Site, found: int, receiver: int, name: str
    ) -> Iterable[int] | None:
        """What a value that a class holds is on one of its instances; see `Framework.bind`."""
        view = engine.values.view(found)
        kind = engine.values.kind(receiver)
        if view.name == QUERY_PROPERTY:
            class_ = receiver if kind == Kind.CLASS else engine.values.view(receiver).owner
            return (self._queries.of_class(engine, site, class_, "query"),)
        if view.name == DECLARED:
            out: list[int] = []
            for value in engine.points_to(engine.slot("sqlalchemy", "declared", found)):
                out += self._instances.bind(engine, site, value, receiver, name) or (value,)
            return out
        if view.name == HYBRID:
            return self._computed.read_hybrid(engine, site, found, receiver)
        if view.name == PROXY and kind == Kind.INSTANCE:
            return self._computed.read_proxy(engine, site, found, receiver)
        return self._instances.bind(engine, site, found, receiver, name)
