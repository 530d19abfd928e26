"""sqlalchemy-helpers: a `db.session` for Flask, and models that look for their rows themselves."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import BASE
from migrator.graph.orm.queries import FACTORY, SESSION
from migrator.graph.protocol import CallSite, ClassView, Engine, Site

_PACKAGE = "sqlalchemy_helpers"
_MAKERS = frozenset({"DatabaseExtension", "DatabaseManager", "AsyncDatabaseManager"})
_LOOKUPS = frozenset({"get_by_pk", "get_one", "get_or_create", "update_or_create"})
_NOT_FOUND = frozenset({"get_or_404", "first_or_404"})


class SQLAlchemyHelpers(Framework):
    """The plug-in: only translates; `migrator.graph.frameworks.sqlalchemy` does the rest."""

    name = _PACKAGE
    externals = (_PACKAGE,)

    def __init__(self, sqlalchemy: SQLAlchemy) -> None:
        self.sqlalchemy = sqlalchemy

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        if engine.values.name(base).rsplit(".", 1)[-1] == "Base":
            engine.adopt(class_.value, engine.values.opaque(BASE, _PACKAGE))

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        method = engine.values.name(callee if view.kind == Kind.EXTERNAL else view.function)
        method = method.rsplit(".", 1)[-1]
        if view.kind == Kind.BOUND and method in _LOOKUPS:
            owner = engine.values.view(view.owner)
            class_ = owner.owner if owner.kind == Kind.INSTANCE else view.owner
            return self._look_up(engine, site, class_, method)
        if view.kind != Kind.EXTERNAL:
            return None
        if method in _NOT_FOUND:
            return self.sqlalchemy.queries.session_call(engine, site, method)
        if method in _LOOKUPS:
            found: list[int] = []
            for class_ in site.argument(1, "model"):
                found += self._look_up(engine, site, class_, method)
            return found
        return None

    def _look_up(self, engine: Engine, site: CallSite, class_: int, method: str) -> list[int]:
        if not self.sqlalchemy.declared.is_model(class_):
            return []
        self.seen = True
        facts, row = self.sqlalchemy.facts, engine.values.instance(class_)
        facts.note(site, "read", class_, via=method)
        if method in {"get_by_pk", "get_one"}:
            return [row]
        facts.note(site, "insert", class_, via=method)
        if method == "update_or_create":
            facts.note(site, "update", class_, via=method)
        return [engine.container("builtins.tuple", site, row)]

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        values = engine.values
        if not values.name(base).startswith(f"{_PACKAGE}."):
            return None
        kind = values.kind(receiver)
        if name in _LOOKUPS and kind in (Kind.CLASS, Kind.INSTANCE):
            return (values.bound(receiver, values.external(f"{_PACKAGE}.Base.{name}")),)
        made = values.name(base).rsplit(".", 1)[-1] in _MAKERS
        if not made or kind not in (Kind.INSTANCE, Kind.EXTERNAL_INSTANCE):
            return None
        if name == "session":
            return (values.opaque(SESSION),)
        if name == "Session":
            return (values.opaque(FACTORY),)
        if name == "manager":
            return (values.external_instance(f"{_PACKAGE}.DatabaseManager"),)
        return None
