"""Flask-Admin: pages over models, and views of the project's own below the admin's URL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.orm.queries import SESSION
from migrator.graph.protocol import CallSite, ClassView, Engine, Site
from migrator.graph.web.admin_pages import (
    ALLOWS,
    AROUND,
    BASES,
    CALLED,
    FILES,
    INDEX,
    MODEL_VIEW,
    NEEDS,
    PROVIDED,
    TAKES_MODEL,
)
from migrator.graph.web.exposed import Exposed, below
from migrator.graph.web.provided import Provided, Records

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_ADMIN = "flask_admin:admin"
_VIEW = "flask_admin:view"


class FlaskAdmin(Framework):
    """The plug-in: gives the rules of all views of an admin to the Flask plug-in.

    Views are told apart by where they are made: one class serves several models.
    """

    name = "flask_admin"
    externals = ("flask_admin",)

    def __init__(self, flask: Flask, sqlalchemy: SQLAlchemy) -> None:
        self.flask = flask
        self.exposed = Exposed("flask_admin:expose")
        self.records = Records(sqlalchemy, "flask-admin")
        self._urls: dict[int, str] = {}
        """Admins to their own URL."""
        self._made: dict[int, tuple[str | None, str | None]] = {}
        """Views to the endpoint and URL that they were given."""
        self._provided: dict[tuple[str, str], Provided] = {}

    # -- values ---------------------------------------------------------------------------------

    def _base(self, engine: Engine, value: int) -> str:
        """The base of a view by its short name, `Admin` for an admin, else nothing."""
        view = engine.values.view(value)
        if view.name == _ADMIN:
            return "Admin"
        if view.name == _VIEW:
            return str(view.parts[0])
        if view.kind == Kind.INSTANCE:
            return self._base_of_class(engine, view.owner)
        return ""

    def _base_of_class(self, engine: Engine, class_: int) -> str:
        shorts = [
            name.rsplit(".", 1)[-1]
            for base in engine.bases(class_)
            if (name := engine.values.name(base)).startswith("flask_admin.")
        ]
        return next((each for each in ("Admin", *BASES) if each in shorts), "")

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            return self._call_outside(engine, site, view.name.rsplit(".", 1)[-1])
        if view.kind == Kind.CLASS:
            base = self._base_of_class(engine, callee)
            if not base:
                return None
            instance = engine.new_instance(site, callee)
            self._construct(engine, site, base, instance)
            return (instance,)
        if view.name == self.exposed.tag:
            return self.exposed.mark(engine, site, callee)
        if view.kind != Kind.BOUND:
            return None
        base = self._base(engine, view.owner)
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if base == "Admin":
            return self._call_admin(engine, site, view.owner, method)
        return self._call_view(engine, site, view.owner, base, method) if base else None

    def _call_outside(self, engine: Engine, site: CallSite, short: str) -> Iterable[int] | None:
        if short == "expose":
            return self.exposed.decorator(engine, site)
        if short == "Admin":
            admin = engine.values.opaque(_ADMIN, site.key)
            self._construct(engine, site, short, admin)
            return (admin,)
        if short in BASES:
            made = engine.values.opaque(_VIEW, short, site.key)
            self._construct(engine, site, short, made)
            return (made,)
        return None

    def _construct(self, engine: Engine, site: CallSite, base: str, value: int) -> None:
        self.seen = True
        if base == "Admin":
            self._set_up(engine, site, value, constructs=True)
            return
        shift = 2 if base in (MODEL_VIEW, "BaseModelView", FILES) else 0
        shift -= 1 if base == "BaseModelView" else 0
        if base in (MODEL_VIEW, "BaseModelView"):
            model = site.argument_variable(0, "model")
            if model is not None:
                engine.flow(model, self._models(engine, value))
        endpoint, url = site.text(shift + 2, "endpoint"), site.text(shift + 3, "url")
        self._made[value] = (endpoint, url)

    def _set_up(self, engine: Engine, site: CallSite, admin: int, *, constructs: bool) -> None:
        """`Admin(app, name, url, subdomain, index_view)`, `admin.init_app(app, index_view)`."""
        application = site.argument_variable(0, "app")
        if application is not None:
            engine.flow(application, engine.slot("flask_admin", "app", admin))
        views = site.argument(4 if constructs else 1, "index_view")
        url = site.text(2 if constructs else -1, "url")
        for view in views:
            url = url or self._made.get(view, (None, None))[1]
        if url is not None or admin not in self._urls:
            self._urls[admin] = url or "/admin"
        if constructs and not site.given(4, "index_view"):
            own = engine.values.opaque(_VIEW, INDEX, "index", admin)
            self._made[own] = (site.text(-1, "endpoint"), url)
            views = (own,)
        engine.add(self._index(engine, admin), *views)
        self._register(engine, site, admin)

    @staticmethod
    def _models(engine: Engine, view: int) -> int:
        return engine.slot("flask_admin", "model", view)

    @staticmethod
    def _index(engine: Engine, admin: int) -> int:
        return engine.slot("flask_admin", "index", admin)

    # -- methods --------------------------------------------------------------------------------

    def _call_admin(
        self, engine: Engine, site: CallSite, admin: int, method: str
    ) -> Iterable[int] | None:
        if method == "__init__" or method == "init_app":
            self._set_up(engine, site, admin, constructs=method == "__init__")
        elif method in {"add_view", "add_views"}:
            for position in range(site.positional):
                variable = site.argument_variable(position, "view")
                if variable is not None:
                    engine.flow(variable, engine.slot("flask_admin", "views", admin))
            self._register(engine, site, admin)
        return ()

    def _call_view(
        self, engine: Engine, site: CallSite, view: int, base: str, method: str
    ) -> Iterable[int] | None:
        """What a project's class inherits and calls: `super().create_model(form)` and the like."""
        if method == "__init__":
            self._construct(engine, site, base, view)
            return ()
        if method == "render":
            self._render(engine, site)
            return None
        models = self._known_models(engine, view)
        facts = self.records
        rows = [engine.values.instance(model) for model in models]
        if method in {"get_query", "get_count_query", "get_one", "get_list"}:
            facts.show(engine, site, models)
            return rows
        if method in {"create_model", "build_new_instance"}:
            facts.create(engine, site, models)
            return rows
        if method in {"update_model", "delete_model"}:
            (facts.change if method == "update_model" else facts.delete)(engine, site, models)
        elif any(each.method == method for each in PROVIDED.get(base, ())):
            self._do(engine, site, view, method)
        return None

    @staticmethod
    def _render(engine: Engine, site: CallSite) -> None:
        given = [site.argument_variable(position) for position in range(site.positional)]
        nothing = engine.slot("flask_admin", "nothing")
        keywords = {
            name: variable
            for name in site.keywords
            if (variable := site.argument_variable(-1, name)) is not None
        }
        renderer = engine.values.external("flask.render_template")
        arguments = [nothing if each is None else each for each in given]
        engine.invoke(site, renderer, arguments, keywords, edge=False)

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        kind = self._base(engine, receiver)
        if not kind:
            return None
        if name == "session":
            return (engine.values.opaque(SESSION),)
        if name == "model":
            return self._known_models(engine, receiver)
        if engine.values.kind(receiver) == Kind.OPAQUE:
            return (engine.values.bound(receiver, engine.values.external(f"flask_admin.{name}")),)
        return None

    def _known_models(self, engine: Engine, view: int) -> tuple[int, ...]:
        found = engine.points_to(self._models(engine, view))
        return tuple(each for each in found if engine.values.kind(each) == Kind.CLASS)

    # -- classes --------------------------------------------------------------------------------

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        self.seen = True

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return bool(self._base_of_class(engine, class_))

    def instances_apart(self, engine: Engine, class_: int) -> bool:
        return bool(self._base_of_class(engine, class_))

    # -- rules ----------------------------------------------------------------------------------

    def _register(self, engine: Engine, site: CallSite, admin: int) -> None:
        views = (
            *engine.points_to(self._index(engine, admin)),
            *engine.points_to(engine.slot("flask_admin", "views", admin)),
        )
        for application in engine.points_to(engine.slot("flask_admin", "app", admin)):
            for view in views:
                base = self._base(engine, view)
                if base and base != "Admin":
                    self._register_view(engine, site, application, admin, view, base)

    def _register_view(
        self, engine: Engine, site: CallSite, application: int, admin: int, view: int, base: str
    ) -> None:
        endpoint = self._endpoint(engine, view, base)
        prefix = self._prefix(admin, view, base, endpoint)
        seen = engine.values.view(view)
        own: set[str] = set()
        hooks = self._overrides(engine, site, view, AROUND)
        if seen.kind == Kind.INSTANCE:
            own = set(self.exposed.names_of(engine, seen.owner))
            for mark in self.exposed.methods_of(engine, seen.owner):
                rule, name = below(prefix, mark.url), f"{endpoint}.{mark.method}"
                for bound in engine.points_to(engine.attribute(site, view, mark.method)):
                    given: dict[str, object] = {
                        "endpoint": name,
                        "methods": mark.methods,
                        "hooks": hooks,
                    }
                    self.flask.add_view_rule(engine, site, application, rule, bound, given)
        for mark in PROVIDED.get(base, ()):
            if mark.method not in own:
                rule, name = below(prefix, mark.url), f"{endpoint}.{mark.method}"
                place = self._provide(engine, site, view, mark.method, endpoint)
                self.flask.rules.add_of_extension(
                    site, application, rule, name, mark.methods, place.variant, hooks
                )

    def _endpoint(self, engine: Engine, view: int, base: str) -> str:
        """What the blueprint of a view is called: given, or after its model or class."""
        given = self._made.get(view, (None, None))[0]
        if given:
            return given
        if base == INDEX:
            return "admin"
        if base in (MODEL_VIEW, "BaseModelView"):
            names = [engine.name_of(model) for model in self._known_models(engine, view)]
        else:
            names = [self._class_name(engine, view)]
        return names[0].rsplit(".", 1)[-1].lower() if names else "{}"

    @staticmethod
    def _class_name(engine: Engine, view: int) -> str:
        seen = engine.values.view(view)
        return engine.name_of(seen.owner) if seen.kind == Kind.INSTANCE else str(seen.parts[0])

    def _prefix(self, admin: int, view: int, base: str, endpoint: str) -> str | None:
        """The URL of a view, as `BaseView._get_view_url` puts it together."""
        of_admin = self._urls.get(admin, "/admin")
        url = self._made.get(view, (None, None))[1]
        if url is None:
            if base == INDEX:
                url = of_admin
            else:
                url = f"/{endpoint}" if of_admin == "/" else f"{of_admin}/{endpoint}"
        elif not url.startswith("/"):
            url = f"{of_admin}/{url}"
        return None if url == "/" else url

    def _overrides(
        self, engine: Engine, site: CallSite, view: int, names: Iterable[str]
    ) -> tuple[int, ...]:
        """The methods of those names that the view's class has in the project; they are called."""
        seen = engine.values.view(view)
        found: list[int] = []
        for name in names if seen.kind == Kind.INSTANCE else ():
            if engine.class_attribute(seen.owner, name) is None:
                continue
            for bound in engine.points_to(engine.attribute(site, view, name)):
                nothing = engine.slot("flask_admin", "nothing")
                row = engine.slot("flask_admin", "row", view)
                models = self._known_models(engine, view)
                engine.add(row, *(engine.values.instance(model) for model in models))
                at = TAKES_MODEL.get(name, -1)
                engine.invoke(site, bound, [nothing] * at + [row] if at >= 0 else [], edge=False)
                found.append(bound)
        return tuple(found)

    def _provide(
        self, engine: Engine, site: CallSite, view: int, method: str, endpoint: str
    ) -> Provided:
        seen = engine.values.view(view)
        if seen.kind == Kind.INSTANCE:
            file, line, _ = engine.file_of(seen.owner)
            name = f"{engine.name_of(seen.owner)}.{method}"
        else:
            file, line, name = site.file, site.line, f"{site.function}.{endpoint}.{method}"
        place = self._provided.get((name, endpoint))
        if place is None:
            place = Provided(name, endpoint, site.module, file, line)
            self._provided[name, endpoint] = place
        self._do(engine, place, view, method)
        for bound in self._overrides(engine, site, view, CALLED.get(method, ())):
            place.calls(bound)
        return place

    def _do(self, engine: Engine, place: Site, view: int, method: str) -> None:
        """What a page does to the rows of its view's model."""
        models = self._known_models(engine, view)
        needed = NEEDS.get(method, "")
        if not models or (needed and not self._has(engine, view, needed)):
            return
        deeds: dict[str, Callable[[Engine, Site, Iterable[int]], None]] = {
            "create_view": self.records.create,
            "edit_view": self.records.change,
            "ajax_update": self.records.change,
            "delete_view": self.records.delete,
            "action_view": self.records.delete,
        }
        overridden = {
            "create_view": "create_model",
            "edit_view": "update_model",
            "delete_view": "delete_model",
        }
        self.records.show(engine, place, models)
        own = self._has(engine, view, overridden.get(method, ""))
        if method in deeds and not own and self._allowed(engine, view, ALLOWS.get(method, "")):
            deeds[method](engine, place, models)

    @staticmethod
    def _has(engine: Engine, view: int, name: str) -> bool:
        seen = engine.values.view(view)
        return (
            bool(name)
            and seen.kind == Kind.INSTANCE
            and engine.class_attribute(seen.owner, name) is not None
        )

    def _allowed(self, engine: Engine, view: int, name: str) -> bool:
        """Whether a class does not say `can_create = False` and the like."""
        if not self._has(engine, view, name):
            return True
        variable = engine.class_attribute(engine.values.view(view).owner, name)
        held = [engine.values.view(each).parts for each in engine.points_to(variable or 0)]
        return held != [(False,)]

    # -- results --------------------------------------------------------------------------------

    def finish(self, analysis: Analysis) -> None:
        assert analysis.engine is not None
        for place in self._provided.values():
            analysis.provided[place.variant] = place.provided(analysis.engine)
