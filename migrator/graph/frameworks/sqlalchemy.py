"""SQLAlchemy 1.3 to 2.1: mappings, sessions, queries, statements, events."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.effects.mapping import Mapping
from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.orm.attributes import QUERY_PROPERTY, STATEMENT_CALLS, Attributes, Given
from migrator.graph.orm.builder import MappingBuilder
from migrator.graph.orm.computed import COMPUTED, HYBRID, PROXIED, Computed
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import (
    ATTRIBUTE,
    BASE,
    CLASS_TABLE,
    COLUMN,
    DECLARATIVE_BASES,
    DECLARED,
    IMPERATIVE,
    OF_A_LIBRARY,
    TABLE,
    TABLE_COLUMNS,
)
from migrator.graph.orm.facts import Facts, Touches, sql_touches
from migrator.graph.orm.instances import MUTABLE, Instances
from migrator.graph.orm.introspection import ATTRIBUTES_OF, INSPECTS, Introspection
from migrator.graph.orm.listeners import LISTENER, VALIDATOR, Listeners
from migrator.graph.orm.mappers import BASE_DECORATOR, MAPPED_DECORATOR, Mappers
from migrator.graph.orm.queries import (
    ALIAS,
    COLLECTION,
    FACTORY,
    PAGINATION,
    QUERY,
    RESULT,
    ROW,
    SCALARS,
    SESSION,
    SUBQUERY,
    TEXT,
    TRANSACTION,
    WRITE,
    Queries,
)
from migrator.graph.orm.registries import REGISTRY
from migrator.graph.orm.results import add_tables, record
from migrator.graph.protocol import CallSite, ClassView, Engine, Site, StoreSite

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_SESSIONS = frozenset({"Session", "AsyncSession", "create_engine", "engine_from_config"})
_FACTORIES = frozenset({"sessionmaker", "async_sessionmaker"})
_EXECUTABLE = frozenset({"select", "exists", "union", "union_all", "intersect", "except_"})
_COLUMNS = frozenset({ATTRIBUTE, TABLE_COLUMNS})
_LIVE_RESULTS = frozenset({SCALARS, RESULT, ROW, PAGINATION})


class SQLAlchemy(Framework):
    """The plug-in: hands each callback to declarations, queries or instances."""

    name = "sqlalchemy"
    externals = ("sqlalchemy", "sqlmodel", "sqlalchemy_utils")
    adopts = ("sqlalchemy.orm.mapper", "sqlalchemy.orm.registry")
    naming = ("sqlalchemy.Table", "sqlalchemy.schema.Table", "sqlalchemy.sql.schema.Table")

    def __init__(self) -> None:
        self.declared = Declarations()
        self.facts = Facts()
        self.companions: list[Callable[[Engine, Mapping, MappingBuilder], None]] = []
        """Plug-ins of packages that keep tables of their own beside those of the models."""
        self.attributes: dict[str, Given] = {}
        """Attributes that such packages give to the instances of models."""
        self.queries = Queries(self.declared, self.facts)
        self.instances = Instances(self.declared, self.facts, self.queries)
        self.listeners = Listeners()
        self.computed = Computed(self.facts, self.instances)
        self.mappers = Mappers(self.declared, self.computed)
        self.introspection = Introspection(self.declared)
        self._read = Attributes(
            self.facts,
            self.queries,
            self.instances,
            self.computed,
            self.introspection,
            self.attributes,
        )

    # -- calls ------------------------------------------------------------------------------------

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            return self._call_outside(engine, site, view.name)
        if view.kind == Kind.CLASS:
            if not self.declared.is_model(callee):
                return self._construct_session(engine, callee)
            self.instances.construct(engine, site, callee)
            return None
        if view.kind == Kind.OPAQUE:
            return self._call_opaque(engine, site, callee)
        if view.kind == Kind.BOUND:
            method = engine.values.name(view.function).rsplit(".", 1)[-1]
            return self._call_method(engine, site, view.owner, method)
        return None

    def _construct_session(self, engine: Engine, class_: int) -> Iterable[int] | None:
        names = {engine.values.name(base).rsplit(".", 1)[-1] for base in engine.bases(class_)[1:]}
        if names & _SESSIONS:
            return (engine.values.instance(class_), engine.values.opaque(SESSION))
        return None

    def _call_outside(self, engine: Engine, site: CallSite, name: str) -> Iterable[int] | None:
        last = name.rsplit(".", 1)[-1]
        if ".func." in name:
            given = [each for at in range(site.positional) for each in site.argument(at)]
            return [each for each in given if engine.values.name(each) in _COLUMNS]
        declared = self.mappers.declare(engine, site, last)
        if declared is not None:
            return declared
        if last in _SESSIONS:
            return (engine.values.opaque(SESSION),)
        if site.constant(-1, "expire_on_commit") is False:
            self.facts.expire = False
        if last in _FACTORIES:
            return (engine.values.opaque(FACTORY),)
        if last in {"scoped_session", "async_scoped_session", "object_session"}:
            return (engine.values.opaque(SESSION),)
        if last in _EXECUTABLE:
            return (self.queries.select(engine, site, last),)
        if last in {"insert", "update", "delete"}:
            return self.queries.write(engine, site, last, site.argument(0, "table"))
        if last in INSPECTS:
            return self.introspection.inspect(engine, site)
        if last == "text":
            texts = [engine.values.text(each) for each in site.argument(0, "text")]
            return [engine.values.opaque(TEXT, text) for text in texts if text]
        if last in {"aliased", "with_polymorphic", "alias"}:
            return self.queries.alias(engine, site, site.argument(0))
        if last in {"listens_for", "listen"}:
            return self.listeners.listen(engine, site, last)
        if last == "reconstructor":
            return self.listeners.reconstructs(engine, site)
        if last == "validates":
            names = (text for at in range(site.positional) for text in site.texts(at))
            return (engine.values.opaque(VALIDATOR, *names, site.key),)
        if last == "column_property":
            return [
                each if engine.values.name(each) == COLUMN else engine.values.opaque(COMPUTED, each)
                for each in site.argument(0)
            ]
        if last in {"deferred", "synonym", "query_expression"}:
            return site.argument(0)
        if last == "with_loader_criteria":
            return ()
        if last == "mapper":
            return self.mappers.map_imperatively(engine, site)
        for position in range(site.positional):
            for argument in site.argument(position):
                self.queries.mentioned(engine, site, argument, last)
        return None

    def _call_opaque(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.name in (SESSION, FACTORY):
            return (engine.values.opaque(SESSION),)
        if view.name == LISTENER:
            return self.listeners.decorate(engine, site, callee)
        if view.name == VALIDATOR:
            return self.listeners.validates(engine, site, view.parts[:-1])
        if view.name == BASE_DECORATOR:
            return self.mappers.base_by_decorator(engine, site)
        if view.name == MAPPED_DECORATOR:
            return self.mappers.mapped_by_decorator(engine, site)
        if view.name == QUERY:
            return (callee,)
        return ()

    def _call_method(
        self, engine: Engine, site: CallSite, receiver: int, method: str
    ) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        tag = view.tag
        if view.kind == Kind.CLASS and method in STATEMENT_CALLS:
            if method == "select":
                return (self.queries.select_of(engine, site, receiver),)
            return self.queries.write(engine, site, method, [receiver])
        if tag == SESSION and method == "query_property":
            return (engine.values.opaque(QUERY_PROPERTY),)
        if tag == SESSION:
            return self.queries.session_call(engine, site, method)
        if tag == FACTORY:
            if method == "begin":
                self.facts.end(site, "begin")
            return (engine.values.opaque(TRANSACTION if method == "begin" else SESSION),)
        if tag == TRANSACTION:
            if method in {"commit", "rollback"}:
                self.facts.end(site, "commit" if method == "commit" else "rollback")
            return (receiver,)
        if tag == QUERY:
            if self.instances.dynamic_change(engine, site, receiver, method):
                return ()
            return self.queries.query_call(engine, site, receiver, method)
        if tag == WRITE:
            return self._write_method(engine, site, receiver, method)
        if tag in _LIVE_RESULTS:
            return self.queries.result_call(engine, site, receiver, method)
        if tag == COLLECTION:
            return self.instances.collection_call(engine, site, receiver, method)
        if tag == PROXIED:
            return self.computed.proxied_call(engine, site, receiver, method)
        if tag == HYBRID:
            return self.computed.accessor(engine, site, receiver, method)
        if tag in (TABLE, CLASS_TABLE):
            return self._table_method(engine, site, receiver, method)
        if tag == MUTABLE:
            self.instances.mutable_call(engine, site, receiver, method)
            return ()
        if tag == TEXT:
            return (receiver,)
        if tag == ATTRIBUTES_OF:
            return self.introspection.call(engine, site, receiver, method)
        if tag == REGISTRY:
            return self.mappers.registry_call(engine, site, method)
        if tag in (ATTRIBUTE, TABLE_COLUMNS, ALIAS, SUBQUERY):
            for position in range(site.positional):
                for argument in site.argument(position):
                    self.queries.mentioned(engine, site, argument, f"query.{method}")
            return (receiver,)
        if view.kind == Kind.INSTANCE and method == "__init__":
            if self.declared.is_model(view.owner):
                self.instances.construct(engine, site, view.owner)
            return ()
        return None

    def _table_method(
        self, engine: Engine, site: CallSite, receiver: int, method: str
    ) -> Iterable[int] | None:
        if method in {"insert", "update", "delete"}:
            return self.queries.write(engine, site, method, [receiver])
        self.queries.mentioned(engine, site, receiver, f"table.{method}")
        if method == "select":
            return (self.queries.select(engine, site, "select"),)
        for position in range(site.positional):
            for argument in site.argument(position):
                self.queries.mentioned(engine, site, argument, f"table.{method}")
        return (receiver,)

    def _write_method(
        self, engine: Engine, site: CallSite, receiver: int, method: str
    ) -> Iterable[int]:
        for position in range(site.positional):
            for argument in site.argument(position):
                if method in {"from_select", "where", "values", "returning"}:
                    self.queries.mentioned(engine, site, argument, f"statement.{method}")
        if method in {"on_conflict_do_update", "on_duplicate_key_update"}:
            self.queries.upsert(engine, site, receiver)
        return (receiver,)

    # -- attributes and elements ------------------------------------------------------------------

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        return self._read.attribute(engine, site, receiver, name, base)

    def bind(
        self, engine: Engine, site: Site, found: int, receiver: int, name: str
    ) -> Iterable[int] | None:
        return self._read.bind(engine, site, found, receiver, name)

    def store(
        self, engine: Engine, site: StoreSite, receiver: int, name: str, base: int
    ) -> bool | None:
        if engine.values.kind(receiver) == Kind.INSTANCE:
            self.instances.store(engine, site, receiver, name)
            self.computed.store(engine, site, receiver, name)
        return None

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        if view.name == TABLE_COLUMNS:
            return self._read.table_column(engine, site, receiver, str(key or "*"))
        if view.name == COLLECTION:
            return self.instances.iterate(engine, receiver)
        if view.name in {QUERY, ROW, RESULT, SCALARS}:
            return self.queries.item(engine, site, receiver, key)
        return None

    def store_item(
        self, engine: Engine, site: StoreSite, receiver: int, key: Hashable | None
    ) -> bool | None:
        view = engine.values.view(receiver)
        if view.name == MUTABLE:
            self.instances.mutated(engine, site, receiver)
        elif view.name == COLLECTION:
            self.facts.note(site, "relate", int(str(view.parts[0])), str(view.parts[1]), via="item")
        return None

    def iterate(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        tag = engine.values.view(receiver).tag
        if tag == COLLECTION:
            return self.instances.iterate(engine, receiver)
        if tag == ATTRIBUTES_OF:
            return self.introspection.iterate(engine, receiver)
        if tag == PROXIED:
            return self.computed.proxied_elements(engine, site, receiver)
        if tag in {QUERY, ROW, RESULT, SCALARS, PAGINATION}:
            return self.queries.iterate(engine, site, receiver)
        return None

    def enter(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        if engine.values.view(receiver).tag == TRANSACTION:
            return (engine.values.opaque(SESSION),)
        return None

    # -- classes ----------------------------------------------------------------------------------

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        named = engine.values.name(base)
        if named != BASE and named not in DECLARATIVE_BASES:
            return
        if IMPERATIVE in engine.values.view(base).parts:
            return
        self.seen = True
        if class_.value in self.declared.bases:
            return
        made_base = engine.points_to(engine.slot("sqlalchemy", "model_class"))
        if class_.value in made_base:
            self.declared.bases.add(class_.value)
            return
        self.declared.class_body(engine, class_, base)
        for owner in engine.bases(class_.value):
            if engine.values.kind(owner) != Kind.CLASS:
                continue
            for attribute in engine.class_view(owner).attributes:
                for value in engine.points_to(attribute.variable):
                    if engine.values.name(value) == DECLARED:
                        self.mappers.evaluate_declared(engine, class_.value, value)

    def unknown_base(self, engine: Engine, class_: ClassView, base: int) -> None:
        """A class that names its table has a declarative base, wherever that is defined."""
        if engine.values.name(base).startswith("builtins."):
            return
        if any(each.name in ("__tablename__", "__table__") for each in class_.attributes):
            engine.adopt(class_.value, engine.values.opaque(BASE, OF_A_LIBRARY))

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return self.declared.is_model(class_)

    # -- results ----------------------------------------------------------------------------------

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        self.seen = self.seen or self.mappers.seen
        builder = MappingBuilder(self.declared, self.queries, engine)
        mapping = builder.build()
        for companion in self.companions:
            companion(engine, mapping, builder)
        add_tables(analysis, mapping, builder)
        touches = Touches(engine, mapping, builder.table_of)
        listened = self.listeners.listened(engine, mapping)
        for site, fact, within in self.facts.done():
            touched = touches.of(fact, within)
            record(site, mapping.accompanied(touched))
            for function in listened.of(fact, touched):
                site.calls(function)
        for site, texts in self.facts.sql.values():
            for text in texts:
                record(site, sql_touches(text, mapping, "sql"))
        for site, kind in self.facts.ends.values():
            site.effect(kind)  # type: ignore[arg-type]
            for function in listened.ends.get(kind, ()):
                site.calls(function)
        if self.seen:
            analysis.mapping = mapping
        if self.facts.expire:
            for site, classes in self.facts.uses.values():
                for class_ in classes:
                    for table in mapping.own_tables(engine.name_of(class_)):
                        place = (0 if site.first else site.line, site.column, table)
                        analysis.uses.setdefault(site.variant, set()).add(place)
