"""SQLAlchemy-Continuum: tables of versions, which the package fills when versioned rows change."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.effects.mapping import Mapping, Touched
from migrator.graph.effects.models import TableFact
from migrator.graph.framework import Framework
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.orm.builder import MappingBuilder
from migrator.graph.orm.facts import Deed
from migrator.graph.protocol import CallSite, Engine, Site
from migrator.model.program import Column

_VERSION = "sqlalchemy_continuum:version"
_VERSIONS = "sqlalchemy_continuum:versions"
_ROW = "sqlalchemy_continuum:row"
_TRANSACTION = "sqlalchemy_continuum:transaction"
_TABLE = "transaction"
_VIA = "continuum"
_MARK = "__versioned__"


class SQLAlchemyContinuum(Framework):
    """The plug-in: after `make_versioned()` each model with `__versioned__` has a second table.

    A write of its row, or of a row that joins two such models, also inserts a version, ends the one
    before it, and inserts a row of `transaction` (`sqlalchemy_continuum.unit_of_work`).
    """

    name = "sqlalchemy_continuum"
    externals = ("sqlalchemy_continuum",)

    def __init__(self, sqlalchemy: SQLAlchemy) -> None:
        self.facts = sqlalchemy.facts
        self._place: tuple[str, int] | None = None
        self._form = "%s_version"
        self._read: dict[int, int] = {}
        """Values that stand for the versions of a class."""
        sqlalchemy.companions.append(self._companions)
        sqlalchemy.attributes["versions"] = self._versions_of

    # -- reading --------------------------------------------------------------------------------

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        short = view.name.rsplit(".", 1)[-1]
        if view.kind == Kind.EXTERNAL and short == "make_versioned":
            self.seen = True
            self._place = (site.file, site.line)
            for options in site.argument(-1, "options"):
                for form in engine.points_to(engine.item(site, options, "table_name")):
                    self._form = engine.values.text(form) or self._form
            return ()
        if view.kind == Kind.EXTERNAL and short in ("version_class", "parent_class"):
            return [
                engine.values.opaque(_VERSION, each)
                for each in site.argument(0)
                if engine.values.kind(each) == Kind.CLASS
            ]
        if view.kind == Kind.BOUND and engine.values.name(view.owner) == _VERSIONS:
            class_ = engine.values.view(view.owner).parts[0]
            if short in ("delete", "update"):
                deed: Deed = "delete" if short == "delete" else "update"
                self.facts.note(site, deed, view.owner, via=_VIA)
            return (view.owner, engine.values.opaque(_ROW, class_))
        return None

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        if view.name not in (_VERSION, _VERSIONS, _ROW):
            return None
        class_ = int(str(view.parts[0]))
        if view.name == _VERSION and name == "query":
            return self._versions(engine, site, class_)
        if view.name == _ROW and name == "transaction":
            self.facts.note(site, "read", engine.values.opaque(_TRANSACTION), via=_VIA)
            return ()
        if view.name == _ROW and name in ("previous", "next"):
            self._versions(engine, site, class_)
            return (receiver,)
        if view.name == _VERSIONS:
            function = engine.values.external(f"{_VERSIONS}.{name}")
            return (engine.values.bound(receiver, function),)
        return ()

    def iterate(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        return (engine.values.opaque(_ROW, *view.parts),) if view.name == _VERSIONS else None

    def item(self, engine: Engine, site: Site, receiver: int, key: object) -> Iterable[int] | None:
        return self.iterate(engine, site, receiver)

    def _versions_of(self, engine: Engine, site: Site, class_: int) -> Iterable[int] | None:
        """`order.versions` of a versioned model."""
        if engine.class_attribute(class_, _MARK) is None:
            return None
        return self._versions(engine, site, class_)

    def _versions(self, engine: Engine, site: Site, class_: int) -> tuple[int, ...]:
        value = engine.values.opaque(_VERSIONS, class_)
        self._read[value] = class_
        self.facts.note(site, "read", value, via=_VIA)
        return (value,)

    # -- writing --------------------------------------------------------------------------------

    def _companions(self, engine: Engine, mapping: Mapping, builder: MappingBuilder) -> None:
        """Put the further tables into the mapping, and what writes of the versioned ones cause."""
        if self._place is None:
            return
        versioned = {
            model.name: model.table
            for model in mapping.models.values()
            for class_ in engine.class_named(model.name)
            if model.table and engine.class_attribute(class_, _MARK) is not None
        }
        tables = dict.fromkeys(versioned.values())
        for name in versioned:
            for relation in mapping.models[name].relations.values():
                if relation.secondary and relation.target in versioned:
                    tables[relation.secondary] = None
        builder.table_of[engine.values.opaque(_TRANSACTION)] = _TABLE
        for value, class_ in self._read.items():
            table = versioned.get(engine.name_of(class_), "")
            builder.table_of[value] = self._form % table if table else _TABLE
        for table in tables:
            self._accompany(mapping, table, joins=table not in versioned.values())

    def _accompany(self, mapping: Mapping, table: str, *, joins: bool) -> None:
        assert self._place is not None
        file, line = self._place
        key = Column(name="id", type="BigInteger", primary_key=True)
        mapping.tables.setdefault(_TABLE, TableFact(_TABLE, file, line, [key]))
        own = mapping.tables.get(table)
        columns = [*(own.columns if own is not None else ())]
        columns.append(Column(name="transaction_id", type="BigInteger", primary_key=True))
        name = self._form % table
        mapping.tables.setdefault(name, TableFact(name, file, line, columns))
        before = () if joins else (Touched("read", name, "", (), _VIA),)
        mapping.companions[table] = (
            *before,
            Touched("write", name, "insert", (), _VIA),
            Touched("write", name, "update", (), _VIA),
            Touched("write", _TABLE, "insert", (), _VIA),
        )
