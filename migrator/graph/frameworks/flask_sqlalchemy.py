"""Flask-SQLAlchemy 2.x and 3.x: the `db` object hands out SQLAlchemy under its own name."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import BASE, IMPLICIT
from migrator.graph.orm.queries import SESSION
from migrator.graph.protocol import CallSite, Engine, Site

_EXTENSION = frozenset({"flask_sqlalchemy.SQLAlchemy", "flask_sqlalchemy.extension.SQLAlchemy"})
_ORM = frozenset(
    {
        "relationship", "relation", "backref", "aliased", "joinedload", "selectinload",
        "subqueryload", "lazyload", "contains_eager", "column_property", "synonym", "deferred",
        "mapped_column", "declared_attr", "validates", "Mapped", "DeclarativeBase", "Session",
        "sessionmaker", "scoped_session", "Query", "dynamic_loader", "reconstructor", "load_only",
    }
)  # fmt: skip
_ON_SESSION = frozenset({"paginate", "get_or_404", "first_or_404", "one_or_404"})
_OWN = frozenset(
    {
        "init_app", "create_all", "drop_all", "reflect", "get_app", "get_engine", "make_connector",
        "create_scoped_session", "create_session", "make_declarative_base", "Pagination",
    }
)  # fmt: skip


class FlaskSQLAlchemy(Framework):
    """The plug-in: only translates; `migrator.graph.frameworks.sqlalchemy` does the rest."""

    name = "flask_sqlalchemy"
    externals = ("flask_sqlalchemy",)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        constructs = view.kind == Kind.CLASS and _EXTENSION & {
            engine.values.name(base) for base in engine.bases(callee)
        }
        if constructs or (view.kind == Kind.EXTERNAL and view.name in _EXTENSION):
            self.seen = True
            for keyword in ("model_class", "query_class"):
                variable = site.argument_variable(-1, keyword)
                if variable is not None:
                    engine.flow(variable, engine.slot("sqlalchemy", keyword))
        return None

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        values = engine.values
        if values.name(base) not in _EXTENSION:
            return None
        if values.kind(receiver) not in (Kind.INSTANCE, Kind.EXTERNAL_INSTANCE):
            return None
        if name == "Model":
            classes = engine.points_to(engine.slot("sqlalchemy", "model_class"))
            own = [each for each in classes if values.kind(each) == Kind.CLASS]
            return (*own, values.opaque(BASE, IMPLICIT))
        if name == "session":
            return (values.opaque(SESSION),)
        if name in {"engine", "engines"}:
            return (values.opaque(SESSION),)
        if name in _ON_SESSION:
            return (values.bound(values.opaque(SESSION), values.external(f"{SESSION}.{name}")),)
        if name in _OWN or name.startswith("_"):
            return None
        if name in _ORM:
            return (values.external(f"sqlalchemy.orm.{name}"),)
        return (values.external(f"sqlalchemy.{name}"),)
