"""Flask-AppBuilder: view and API classes whose rules an `AppBuilder` registers.

The tables of its security (`ab_user` and the like) and the views on them are the package's own and
are left out, as are those of any package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import BASE, IMPLICIT
from migrator.graph.orm.queries import SESSION
from migrator.graph.protocol import CallSite, ClassView, Engine, Site, StoreSite
from migrator.graph.web.exposed import Exposed, Marked, below
from migrator.graph.web.provided import Provided, Records
from migrator.graph.web.views import texts_of

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_PACKAGE = "flask_appbuilder."
_BUILDER = f"{_PACKAGE}base.AppBuilder"
_INTERFACE = "flask_appbuilder:interface"

_CHARTS = (
    Marked("chart", "/chart/<group_by>", ("GET",)),
    Marked("chart", "/chart/", ("GET",)),
)
_FORM = (
    Marked("this_form_get", "/form", ("GET",)),
    Marked("this_form_post", "/form", ("POST",)),
)
_MODEL_VIEW = (
    Marked("list", "/list/", ("GET",)),
    Marked("show", "/show/<pk>", ("GET",)),
    Marked("add", "/add", ("GET", "POST")),
    Marked("edit", "/edit/<pk>", ("GET", "POST")),
    Marked("delete", "/delete/<pk>", ("GET", "POST")),
    Marked("download", "/download/<string:filename>", ("GET",)),
    Marked("action", "/action/<string:name>/<pk>", ("GET", "POST")),
    Marked("action_post", "/action_post", ("POST",)),
)
_PROVIDED: dict[str, tuple[Marked, ...]] = {
    "CompactCRUDMixin": (
        Marked("list", "/list/", ("GET", "POST")),
        Marked("add", "/add/", ("GET", "POST")),
        Marked("edit", "/edit/<pk>", ("GET", "POST")),
        Marked("delete", "/delete/<pk>", ("GET", "POST")),
    ),
    "MasterDetailView": (
        Marked("list", "/list/", ("GET",)),
        Marked("list", "/list/<pk>", ("GET",)),
    ),
    "MultipleView": (Marked("list", "/list/", ("GET",)),),
    "ModelView": _MODEL_VIEW,
    "GeneralView": _MODEL_VIEW,
    "SimpleFormView": _FORM,
    "PublicFormView": _FORM,
    "IndexView": (Marked("index", "/", ("GET",)),),
    "UtilView": (Marked("back", "/back", ("GET",)),),
    "LocaleView": (Marked("index", "/<string:locale>", ("GET",)),),
    "ChartView": _CHARTS,
    "BaseChartView": (),
    "GroupByChartView": _CHARTS,
    "DirectByChartView": _CHARTS,
    "DirectChartView": _CHARTS,
    "TimeChartView": (
        Marked("chart", "/chart/<group_by>/<period>", ("GET",)),
        Marked("chart", "/chart/", ("GET",)),
    ),
    "ModelRestApi": (
        Marked("info", "/_info", ("GET",)),
        Marked("get", "/<int:pk>", ("GET",)),
        Marked("get_list", "/", ("GET",)),
        Marked("post", "/", ("POST",)),
        Marked("put", "/<pk>", ("PUT",)),
        Marked("delete", "/<pk>", ("DELETE",)),
    ),
}
"""The methods of each base that answer, in `views`, `charts.views` and `api`."""
_APIS = frozenset({"BaseApi", "ModelRestApi"})
_EMPTY_BASES = {"IndexView": "", "UtilView": "", "LocaleView": "/lang"}
_OWN_VIEWS = (("IndexView", ""), ("UtilView", ""), ("LocaleView", "/lang"))
"""What every application has: its views, each with its URL."""

_CALLED: dict[str, tuple[str, ...]] = {
    "list": ("_list",),
    "show": ("_show", "pre_show"),
    "add": ("_add", "pre_add", "post_add", "process_form", "post_add_redirect"),
    "edit": (
        "_edit",
        "pre_update",
        "post_update",
        "prefill_form",
        "process_form",
        "post_edit_redirect",
    ),
    "delete": ("_delete", "pre_delete", "post_delete", "post_delete_redirect"),
    "get": ("pre_get", "get_headless"),
    "get_list": ("pre_get_list", "get_list_headless"),
    "post": ("pre_add", "post_add", "post_headless"),
    "put": ("pre_update", "post_update", "put_headless"),
    "info": ("info_headless",),
    "this_form_get": ("form_get",),
    "this_form_post": ("form_post",),
}
"""The methods that each of them calls, which a project's class may override."""
_DEEDS: dict[str, Literal["insert", "update", "delete"]] = {
    "add": "insert",
    "edit": "update",
    "delete": "delete",
    "delete_all": "delete",
}
"""What methods of a `SQLAInterface` do."""
_TAKES_ROW = frozenset(
    {"pre_add", "post_add", "pre_update", "post_update", "pre_delete", "post_delete"}
)


class FlaskAppBuilder(Framework):
    """The plug-in: gives the rules of all views and APIs to the Flask plug-in."""

    name = "flask_appbuilder"
    externals = ("flask_appbuilder",)

    def __init__(self, flask: Flask, sqlalchemy: SQLAlchemy) -> None:
        self.flask = flask
        self.exposed = Exposed("flask_appbuilder:expose")
        self.records = Records(sqlalchemy, "flask-appbuilder")
        self._provided: dict[str, Provided] = {}

    # -- values ---------------------------------------------------------------------------------

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        short = name.rsplit(".", 1)[-1]
        if short == "Model" and name in (f"{_PACKAGE}Model", f"{_PACKAGE}models.sqla.Model"):
            return (engine.values.opaque(BASE, IMPLICIT),)
        if short in ("SQLA", "SQLAlchemy") and ".sqla" in f".{name.lower()}":
            return (engine.values.external("flask_sqlalchemy.SQLAlchemy"),)
        if short == "AppBuilder":
            return (engine.values.external(_BUILDER),)
        return None

    def _bases(self, engine: Engine, class_: int) -> list[str]:
        """The package's own bases of a class by their short names."""
        names = [engine.values.name(base) for base in engine.bases(class_)]
        return [each.rsplit(".", 1)[-1] for each in names if each.startswith(_PACKAGE)]

    def _is_builder(self, engine: Engine, value: int) -> bool:
        if engine.values.is_instance_of(value, _BUILDER):
            return True
        view = engine.values.view(value)
        return view.kind == Kind.INSTANCE and "AppBuilder" in self._bases(engine, view.owner)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        values = engine.values
        view = values.view(callee)
        if view.kind == Kind.EXTERNAL:
            return self._call_outside(engine, site, view.name)
        if view.name == self.exposed.tag:
            return self.exposed.mark(engine, site, callee)
        if view.kind == Kind.CLASS and "SQLAInterface" in self._bases(engine, callee):
            return self._interface(engine, site)
        if view.kind != Kind.BOUND:
            return None
        method = values.name(view.function).rsplit(".", 1)[-1]
        if self._is_builder(engine, view.owner):
            return self._call_builder(engine, site, method)
        owner = values.view(view.owner)
        if owner.name == _INTERFACE:
            return self._call_interface(engine, site, int(str(owner.parts[0])), method)
        if owner.kind == Kind.INSTANCE:
            return self._call_view(engine, site, owner.owner, method)
        return None

    def _call_outside(self, engine: Engine, site: CallSite, name: str) -> Iterable[int] | None:
        short = name.rsplit(".", 1)[-1]
        if short in ("expose", "expose_api"):
            return self.exposed.decorator(engine, site)
        if short == "AppBuilder":
            self.seen = True
            self._add_own_views(engine, site)
        if short == "SQLAInterface":
            return self._interface(engine, site)
        return None

    def _interface(self, engine: Engine, site: CallSite) -> tuple[int, ...]:
        """`SQLAInterface(Model)`: the rows of a model."""
        models = (each for each in site.argument(0) if engine.values.kind(each) == Kind.CLASS)
        return tuple(engine.values.opaque(_INTERFACE, each) for each in models)

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        values = engine.values
        view = values.view(receiver)
        if view.name == _INTERFACE:
            if name == "obj":
                return (int(str(view.parts[0])),)
            if name == "session":
                return (values.opaque(SESSION),)
            return (values.bound(receiver, values.external(f"{_PACKAGE}interface.{name}")),)
        if self._is_builder(engine, receiver):
            if name in ("session", "get_session"):
                return (values.opaque(SESSION),)
            if name in ("app", "get_app"):
                return engine.points_to(engine.slot("flask", "applications"))
        elif name == "appbuilder" and view.kind in (Kind.INSTANCE, Kind.CLASS):
            return (values.external_instance(_BUILDER),)
        return None

    def store(
        self, engine: Engine, site: StoreSite, receiver: int, name: str, base: int
    ) -> bool | None:
        if name == "indexview" and self._is_builder(engine, receiver):
            self.seen = True
            engine.flow(site.variable, engine.slot("flask_appbuilder", "index"))
        return None

    # -- what project code calls ----------------------------------------------------------------

    def _call_interface(
        self, engine: Engine, site: CallSite, model: int, method: str
    ) -> Iterable[int] | None:
        row = engine.values.instance(model)
        if method in {"get", "query", "get_values", "apply_filters", "get_all"}:
            self.records.read(site, model)
            many = engine.container("builtins.list", site, row)
            return (row, many)
        if method in _DEEDS:
            self.records.do(site, model, _DEEDS[method])
        return None

    def _call_view(
        self, engine: Engine, site: CallSite, class_: int, method: str
    ) -> Iterable[int] | None:
        """What a project's class inherits and calls: `super().post()`, `self.render_template`."""
        if method == "render_template":
            renderer = engine.values.external("flask.render_template")
            template = site.argument_variable(0, "template")
            if template is not None:
                engine.invoke(site, renderer, [template], edge=False)
            return None
        public = method.removesuffix("_headless").lstrip("_")
        if public in _CALLED:
            self._do(engine, site, class_, public)
        return None

    # -- classes --------------------------------------------------------------------------------

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        self.seen = True

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return bool(self._bases(engine, class_))

    # -- rules ----------------------------------------------------------------------------------

    def _call_builder(self, engine: Engine, site: CallSite, method: str) -> Iterable[int] | None:
        if method in {"add_view", "add_view_no_menu", "add_api"}:
            given = site.text(1, "endpoint") if method == "add_view_no_menu" else None
            for value in site.argument(0, "baseview"):
                view = engine.values.view(value)
                class_ = value if view.kind == Kind.CLASS else view.owner
                if view.kind in (Kind.CLASS, Kind.INSTANCE):
                    self._register(engine, site, class_, given)
            return site.argument(0, "baseview")
        if method == "__init__":
            self._add_own_views(engine, site)
        return None

    def _add_own_views(self, engine: Engine, site: CallSite) -> None:
        index = engine.slot("flask_appbuilder", "index")
        engine.add(index, *site.argument(-1, "indexview"))
        own = [each for each in engine.points_to(index) if engine.values.kind(each) == Kind.CLASS]
        for view in own:
            self._register(engine, site, view, None)
        for application in engine.points_to(engine.slot("flask", "applications")):
            if own:
                self.flask.rules.drop(application, "IndexView.index")
            for name, prefix in _OWN_VIEWS:
                for mark in _PROVIDED[name]:
                    rule, endpoint = below(prefix, mark.url), f"{name}.{mark.method}"
                    self.flask.rules.add_of_extension(
                        site, application, rule, endpoint, mark.methods
                    )

    def _register(self, engine: Engine, site: CallSite, class_: int, given: str | None) -> None:
        bases = self._bases(engine, class_)
        if not bases:
            return
        short = engine.name_of(class_).rsplit(".", 1)[-1]
        endpoint, prefix = given or short, self._prefix(engine, class_, bases, short)
        instance = engine.values.instance(class_)
        served = self._served(engine, class_)
        own = set(self.exposed.names_of(engine, class_))
        provided = {
            mark: None
            for base in reversed(bases)
            for mark in _PROVIDED.get(base, ())
            if not any(mark.method == each.method for each in self._nearer(bases, base))
        }
        for application in engine.points_to(engine.slot("flask", "applications")):
            for mark in self.exposed.methods_of(engine, class_):
                if not served(mark.method):
                    continue
                rule = below(prefix, mark.url)
                options: dict[str, object] = {"endpoint": f"{endpoint}.{mark.method}"}
                options["methods"] = mark.methods
                for bound in engine.points_to(engine.attribute(site, instance, mark.method)):
                    self.flask.add_view_rule(engine, site, application, rule, bound, options)
            for mark in provided:
                if mark.method in own or not served(mark.method):
                    continue
                place = self._provide(engine, site, class_, mark.method, endpoint)
                self.flask.rules.add_of_extension(
                    site,
                    application,
                    below(prefix, mark.url),
                    f"{endpoint}.{mark.method}",
                    mark.methods,
                    place.variant,
                )

    @staticmethod
    def _nearer(bases: list[str], base: str) -> list[Marked]:
        """What bases that come first in the order of a class have."""
        before = bases[: bases.index(base)]
        return [mark for each in before for mark in _PROVIDED.get(each, ())]

    @staticmethod
    def _served(engine: Engine, class_: int) -> Callable[[str], bool]:
        """Which methods get rules: `attr in include_route_methods`, whatever that is."""

        def given(name: str) -> list[tuple[str, ...] | str]:
            variable = engine.class_attribute(class_, name)
            found: list[tuple[str, ...] | str] = []
            for value in engine.points_to(variable) if variable is not None else ():
                if engine.values.kind(value) == Kind.CONTAINER:
                    found.append(texts_of(engine, (value,)))
                elif (text := engine.values.text(value)) is not None:
                    found.append(text)
            return found

        only, left_out = given("include_route_methods"), given("exclude_route_methods")

        def served(method: str) -> bool:
            allowed = not only or any(method in each for each in only)
            return allowed and not any(method in each for each in left_out)

        return served

    def _prefix(self, engine: Engine, class_: int, bases: list[str], short: str) -> str:
        """`route_base`, or what `create_blueprint` makes of the class's or resource's name."""
        base = self._text(engine, class_, "route_base")
        if base is not None:
            return base
        if _APIS & set(bases):
            version = self._text(engine, class_, "version") or "v1"
            resource = self._text(engine, class_, "resource_name") or short
            return f"/api/{version}/{resource.lower()}"
        inherited = next((_EMPTY_BASES[each] for each in bases if each in _EMPTY_BASES), None)
        return inherited if inherited is not None else f"/{short.lower()}"

    @staticmethod
    def _text(engine: Engine, class_: int, name: str) -> str | None:
        variable = engine.class_attribute(class_, name)
        texts = [
            text
            for each in (engine.points_to(variable) if variable is not None else ())
            if (text := engine.values.text(each)) is not None
        ]
        return texts[0] if len(texts) == 1 else None

    # -- methods without code of the project ------------------------------------------------------

    def _models(self, engine: Engine, class_: int) -> list[int]:
        variable = engine.class_attribute(class_, "datamodel")
        held = engine.points_to(variable) if variable is not None else ()
        views = [engine.values.view(each) for each in held]
        return [int(str(view.parts[0])) for view in views if view.name == _INTERFACE]

    def _provide(
        self, engine: Engine, site: CallSite, class_: int, method: str, label: str
    ) -> Provided:
        name = f"{engine.name_of(class_)}.{method}"
        place = self._provided.get(name)
        if place is None:
            file, line, _ = engine.file_of(class_)
            place = self._provided[name] = Provided(name, label, site.module, file, line)
        self._do(engine, place, class_, method)
        instance = engine.values.instance(class_)
        row = engine.slot("flask_appbuilder", "row", class_)
        models = self._models(engine, class_)
        engine.add(row, *(engine.values.instance(model) for model in models))
        for called in _CALLED.get(method, ()):
            if engine.class_attribute(class_, called) is None:
                continue
            for bound in engine.points_to(engine.attribute(site, instance, called)):
                engine.invoke(site, bound, [row] if called in _TAKES_ROW else [], edge=False)
                place.calls(bound)
        return place

    def _do(self, engine: Engine, place: Site, class_: int, method: str) -> None:
        """What a method does to the rows of its class's model."""
        models = self._models(engine, class_)
        if method in {"list", "show", "get", "get_list", "info", "chart", "action", "action_post"}:
            self.records.show(engine, place, models)
        elif method in {"add", "post"}:
            self.records.create(engine, place, models)
        elif method in {"edit", "put"}:
            self.records.show(engine, place, models)
            self.records.change(engine, place, models)
        elif method == "delete":
            self.records.delete(engine, place, models)

    # -- results --------------------------------------------------------------------------------

    def finish(self, analysis: Analysis) -> None:
        assert analysis.engine is not None
        for place in self._provided.values():
            analysis.provided[place.variant] = place.provided(analysis.engine)
