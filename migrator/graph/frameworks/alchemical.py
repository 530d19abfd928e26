"""Alchemical: declarative classes that make their own statements, and a `db.session`."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import BASE, IMPLICIT, STATEMENTS
from migrator.graph.orm.queries import FACTORY, SESSION
from migrator.graph.protocol import CallSite, Engine, Site


class Alchemical(Framework):
    """The plug-in: only translates; `migrator.graph.frameworks.sqlalchemy` does the rest."""

    name = "alchemical"
    externals = ("alchemical",)

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        if name.rsplit(".", 1)[-1] != "Model":
            return None
        self.seen = True
        return (engine.values.opaque(BASE, IMPLICIT, STATEMENTS),)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name.endswith(".Alchemical"):
            self.seen = True
            variable = site.argument_variable(-1, "model_class")
            if variable is not None:
                engine.flow(variable, engine.slot("sqlalchemy", "model_class"))
        return None

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        values = engine.values
        if values.kind(receiver) not in (Kind.INSTANCE, Kind.EXTERNAL_INSTANCE):
            return None
        if not values.name(base).endswith(".Alchemical"):
            return None
        if name == "Model":
            classes = engine.points_to(engine.slot("sqlalchemy", "model_class"))
            own = [each for each in classes if values.kind(each) == Kind.CLASS]
            return (*own, values.opaque(BASE, IMPLICIT, STATEMENTS))
        if name == "session":
            return (values.opaque(SESSION),)
        if name == "Session":
            return (values.opaque(FACTORY),)
        if name == "begin":
            return (values.bound(values.opaque(FACTORY), values.external(f"{FACTORY}.begin")),)
        return None
