"""Flask: applications, blueprints, routes, hooks, commands, and what belongs to the request."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.effects.url_map import Mapped
from migrator.graph.framework import Framework
from migrator.graph.frameworks.functools import original
from migrator.graph.frameworks.jinja import ENVIRONMENT
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site, StoreSite
from migrator.graph.web.hooks import HOOK, Hooks
from migrator.graph.web.rules import RESOURCE, Rules, options
from migrator.graph.web.views import (
    VIEW_CLASSES,
    construct_view,
    handler_of,
    is_view_class,
    methods_attribute,
)
from migrator.model.program import EntryPoint

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_APP = "flask:app"
_BLUEPRINT = "flask:blueprint"
_ROUTE = "flask:route"
_STATE = "flask:setup_state"
_CLI = "click:cli"
_CONFIG = "flask:config"
_REQUEST_OBJECTS = {
    "flask.g": "flask:g",
    "flask.request": "flask:request",
    "flask.session": "flask:session",
}
_APPLICATIONS = frozenset(
    {
        "flask.Flask", "flask.app.Flask", "apiflask.APIFlask", "apiflask.app.APIFlask",
        "flask_openapi3.OpenAPI",
    }
)  # fmt: skip
_BLUEPRINTS = frozenset(
    {
        "flask.Blueprint", "flask.blueprints.Blueprint", "apiflask.APIBlueprint",
        "apiflask.blueprint.APIBlueprint", "flask_openapi3.APIBlueprint",
    }
)  # fmt: skip


class Flask(Framework):
    """The plug-in; `url_map` computes endpoints and rules from what it collects."""

    name = "flask"
    externals = ("flask", *sorted(_APPLICATIONS | _BLUEPRINTS))
    registering = ("add_url_rule", "register_blueprint")

    def __init__(self) -> None:
        self.rules = Rules()
        self.hooks = Hooks()
        self._context: dict[str, set[str]] = {}
        self.environment: dict[str, set[str]] = {}
        self.decorators: dict[str, Callable[[Engine, CallSite], Iterable[int] | None]] = {}
        """Methods of blueprints that extensions add, which make decorators of views."""

    # -- values -----------------------------------------------------------------------------------

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        if name == "flask.current_app":
            return engine.points_to(engine.slot("flask", "applications"))
        tag = _REQUEST_OBJECTS.get(name)
        return None if tag is None else (engine.values.opaque(tag),)

    def _receiver(self, engine: Engine, value: int) -> str:
        """`app` or `blueprint` for the value of one, its subclasses included, else nothing."""
        view = engine.values.view(value)
        if view.kind == Kind.OPAQUE:
            return {_APP: "app", _BLUEPRINT: "blueprint"}.get(view.name, "")
        if view.kind == Kind.INSTANCE:
            names = {engine.values.name(base) for base in engine.bases(view.owner)}
            if names & _APPLICATIONS:
                return "app"
            if names & _BLUEPRINTS:
                return "blueprint"
        return ""

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            return self._call_outside(engine, site, view.name)
        if view.kind == Kind.CLASS:
            return self._construct(engine, site, engine.new_instance(site, callee))
        if view.kind == Kind.OPAQUE:
            return self._call_opaque(engine, site, callee)
        if view.kind == Kind.BOUND:
            method = engine.values.name(view.function).rsplit(".", 1)[-1]
            return self._call_method(engine, site, view.owner, method)
        return None

    def _construct(self, engine: Engine, site: CallSite, instance: int) -> Iterable[int] | None:
        which = self._receiver(engine, instance)
        if which == "app":
            self.new_application(engine, site, instance)
        elif which == "blueprint":
            self.new_blueprint(engine, site, instance)
        return None

    def _call_outside(self, engine: Engine, site: CallSite, name: str) -> Iterable[int] | None:
        if name in _APPLICATIONS:
            return (self.new_application(engine, site, None),)
        if name in _BLUEPRINTS:
            return (self.new_blueprint(engine, site, None),)
        if name == "flask.copy_current_request_context":
            return site.argument(0)
        if name == "flask.stream_with_context":
            return site.argument(0)
        return None

    def new_application(self, engine: Engine, site: CallSite, instance: int | None) -> int:
        self.seen = True
        value = engine.values.opaque(_APP, site.key) if instance is None else instance
        self.rules.new_application(site, value)
        engine.add(engine.slot("flask", "applications"), value)
        return value

    def new_blueprint(self, engine: Engine, site: CallSite, instance: int | None) -> int:
        """A blueprint is made here; `instance` where its class is the application's own."""
        self.seen = True
        value = engine.values.opaque(_BLUEPRINT, site.key) if instance is None else instance
        self.rules.new_blueprint(engine, site, value)
        return value

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        values = engine.values
        kind = values.kind(receiver)
        tag = values.view(receiver).tag
        if tag in {"flask:g", "flask:request", "flask:session"}:
            detail = f".{name}" if tag == "flask:g" else ""
            self._context.setdefault(site.function, set()).add(tag.replace(":", ".") + detail)
            return () if tag == "flask:g" else None
        if kind == Kind.CLASS and name == "as_view" and values.name(base) in VIEW_CLASSES:
            return (values.bound(receiver, values.external("flask.views.View.as_view")),)
        if name == "methods":
            return methods_attribute(engine, site, receiver)
        which = self._receiver(engine, receiver)
        if which:
            if name == "cli":
                return (values.opaque(_CLI, receiver),)
            if name == "config":
                return (values.opaque(_CONFIG),)
            if name == "jinja_env":
                return (values.opaque(ENVIRONMENT),)
            return (values.bound(receiver, values.external(f"flask:{which}.{name}")),)
        if tag == _STATE and name == "app":
            return engine.points_to(engine.slot("flask", "applications"))
        return None

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        tag = engine.values.view(receiver).tag
        if tag == _CONFIG and isinstance(key, str):
            self.environment.setdefault(key, set()).add(f"{site.file}:{site.line}")
            return self._configured(engine, site, key)
        if tag == "flask:session":
            self._context.setdefault(site.function, set()).add("flask.session")
        return None

    def _configured(self, engine: Engine, site: Site, key: str) -> tuple[int, ...]:
        """What the configuration classes and modules hold under a key."""
        found: list[int] = []
        given = list(engine.points_to(engine.slot("flask", "configuration")))
        for value in tuple(given):
            text = engine.values.text(value)
            if text is not None and "." in text and "{}" not in text:
                given += engine.resolve(text)
        for value in given:
            kind = engine.values.kind(value)
            if kind == Kind.CONTAINER:
                found += engine.points_to(engine.item(site, value, key))
            elif kind in (Kind.CLASS, Kind.INSTANCE, Kind.MODULE):
                found += engine.points_to(engine.attribute(site, value, key))
        return tuple(dict.fromkeys(found))

    def store(
        self, engine: Engine, site: StoreSite, receiver: int, name: str, base: int
    ) -> bool | None:
        tag = engine.values.view(receiver).tag
        if tag == "flask:g":
            self._written(site, f"flask.g.{name}")
        return None

    def store_item(
        self, engine: Engine, site: StoreSite, receiver: int, key: Hashable | None
    ) -> bool | None:
        if engine.values.view(receiver).tag == "flask:session":
            self._written(site, "flask.session")
        return None

    def _written(self, site: Site, what: str) -> None:
        self._context.setdefault(f"{site.function}\0write", set()).add(what)

    # -- methods ----------------------------------------------------------------------------------

    def _call_method(
        self, engine: Engine, site: CallSite, receiver: int, method: str
    ) -> Iterable[int] | None:
        values = engine.values
        tag = values.view(receiver).tag
        if tag == "flask:g" and method in {"get", "pop", "setdefault"}:
            key = site.text(0)
            default = site.argument(1, "default")
            return (*engine.points_to(engine.field(receiver, key)), *default) if key else default
        if tag == _CONFIG and method in {"get", "setdefault", "pop"}:
            key = site.text(0)
            if key:
                self.environment.setdefault(key, set()).add(f"{site.file}:{site.line}")
            return (*self._configured(engine, site, key or ""), *site.argument(1, "default"))
        if tag == _CONFIG and method in {"from_object", "from_mapping", "update"}:
            variable = site.argument_variable(0, "obj")
            if variable is not None:
                engine.flow(variable, engine.slot("flask", "configuration"))
            return ()
        if values.kind(receiver) == Kind.CLASS and method == "as_view":
            return (construct_view(engine, site, receiver),)
        if not self._receiver(engine, receiver):
            return None
        if method == "__init__":
            return self._construct(engine, site, receiver)
        if method == "route" or method in {"get", "post", "put", "patch", "delete"}:
            return (values.opaque(_ROUTE, receiver, method, site.key, options(engine, site, 0)),)
        if method == "add_url_rule":
            self.rules.add_url_rule(engine, site, receiver)
            return ()
        if method in {"register_blueprint", "register_api"}:
            self.register(engine, site, receiver)
            return ()
        if method in {"record", "record_once"}:
            variable = engine.slot("flask", "state")
            engine.add(variable, values.opaque(_STATE, receiver))
            for callback in site.argument(0):
                engine.invoke(site, callback, [variable], edge=False)
            return site.argument(0)
        if method == "endpoint" and tag != "flask:g":
            return (values.opaque("flask:endpoint", receiver, site.text(0) or "", site.key),)
        if self.hooks.is_method(method):
            return self.hooks.register(engine, site, receiver, method)
        extension = self.decorators.get(method)
        return None if extension is None else extension(engine, site)

    def _call_opaque(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.name == _ROUTE:
            receiver, method, key, options = view.parts
            found = site.argument(0)
            for function in found:
                self._route(engine, site, receiver, str(method), key, options, function)
            return found
        if view.name == HOOK:
            return self.hooks.decorate(engine, site, callee)
        if view.name == "flask:endpoint":
            self.endpoint_functions(engine, view.parts, site.argument(0))
            return site.argument(0)
        return None

    def endpoint_functions(
        self, engine: Engine, parts: tuple[Hashable, ...], functions: Iterable[int]
    ) -> None:
        """`@app.endpoint("name")` gives the view of rules that were added without one."""
        receiver, endpoint, _ = parts
        engine.add(engine.slot("flask", "endpoint", receiver, endpoint), *functions)

    def _route(
        self,
        engine: Engine,
        site: CallSite,
        receiver: Hashable,
        method: str,
        key: Hashable,
        options: Hashable,
        function: int,
    ) -> None:
        assert isinstance(options, tuple)
        given = dict(options)
        if method != "route":
            given["methods"] = (method.upper(),)
        for rule in given["rules"]:
            self.rules.add(engine, site, receiver, rule, given, function, key)

    def add_resource_rule(
        self,
        engine: Engine,
        site: CallSite,
        receiver: Hashable,
        rule: str,
        endpoint: str,
        view: int,
    ) -> None:
        """A rule that an extension registers for a view class (`Api.add_resource`)."""
        given = {**RESOURCE, "endpoint": endpoint}
        self.rules.add(engine, site, receiver, rule, given, view, site.key)

    def add_error_handler(
        self, engine: Engine, site: CallSite, receiver: Hashable, function: int
    ) -> None:
        """An error handler that an extension registers."""
        self.hooks.add(engine, site, receiver, "errorhandler", function, "")

    def add_view_rule(
        self,
        engine: Engine,
        site: CallSite,
        receiver: Hashable,
        rule: str,
        view: int,
        given: dict[str, object],
    ) -> None:
        """A rule that an extension registers for a method of a view of its own kind."""
        self.rules.add(engine, site, receiver, rule, {**RESOURCE, **given}, view, site.key)

    def register(self, engine: Engine, site: CallSite, receiver: int) -> None:
        """`application.register_blueprint(blueprint, ...)`."""
        self.rules.register(
            engine, site, receiver, lambda each: self._receiver(engine, each) == "blueprint"
        )

    # -- classes ----------------------------------------------------------------------------------

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return is_view_class(engine, class_)

    def instances_apart(self, engine: Engine, class_: int) -> bool:
        names = {engine.values.name(base) for base in engine.bases(class_)}
        return bool(names & (_APPLICATIONS | _BLUEPRINTS | VIEW_CLASSES))

    # -- results ----------------------------------------------------------------------------------

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        by_endpoint: dict[str, list[Mapped]] = {}
        for each in self.rules.mapped(engine):
            if not each.rule.build_only:
                by_endpoint.setdefault(each.endpoint, []).append(each)
        for endpoint, rules_of in by_endpoint.items():
            self._entry_point(analysis, engine, endpoint, rules_of)
        self.hooks.finish(analysis, engine)
        self._context_of_functions(analysis)
        analysis.program.unresolved += self.rules.unresolved(engine)
        for key, places in self.environment.items():
            known = analysis.program.environment.setdefault(key, [])
            known[:] = sorted({*known, *places})

    def _entry_point(
        self, analysis: Analysis, engine: Engine, endpoint: str, rules: list[Mapped]
    ) -> None:
        first = rules[0].rule
        hooks = self.hooks.around(engine, {key for each in rules for key in each.scaffolds})
        hooks += dict.fromkeys(hook for each in rules for hook in each.rule.hooks)
        views = {each.rule.view for each in rules if each.rule.view is not None}
        for each in rules:
            for key in each.scaffolds:
                own = each.endpoint.rsplit(".", 1)[-1]
                views |= set(engine.points_to(engine.slot("flask", "endpoint", key, own)))
        handler = next((each.rule.handler for each in rules if each.rule.handler), "")
        roots: list[int] = []
        for view in sorted(views):
            runs = handler_of(engine, view)
            handler = handler or engine.name_of(original(engine, runs))
            roots += (runs, *engine.points_to(engine.slot("flask", "wrappers", runs)))
        analysis.program.entry_points[f"route:{endpoint}"] = EntryPoint(
            name=f"route:{endpoint}",
            kind="route",
            handler=handler,
            file=first.file,
            line=first.line,
            framework="flask",
            endpoint=endpoint,
            routes=tuple(
                each.route
                for index, each in enumerate(rules)
                if each.route not in [other.route for other in rules[:index]]
            ),
            hooks=tuple(sorted({engine.name_of(hook) for hook in hooks})),
        )
        analysis.handlers[f"route:{endpoint}"] = tuple(roots)
        analysis.around[f"route:{endpoint}"] = tuple(hooks)

    def _context_of_functions(self, analysis: Analysis) -> None:
        for name, reads in self._context.items():
            function, written, _ = name.partition("\0")
            known = analysis.context_writes if written else analysis.context_reads
            known.setdefault(function, set()).update(reads)
