"""Hooks of Flask: functions that run around requests, for errors, and in templates."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from migrator.graph.analysis import Analysis
from migrator.graph.protocol import CallSite, Engine
from migrator.graph.web.views import is_code

HOOK = "flask:hook"
"""A decorator that registers a hook: its receiver, method, name and place."""

_OWN_HOOKS = {
    "before_request": "request",
    "after_request": "request",
    "teardown_request": "request",
    "context_processor": "template",
    "url_value_preprocessor": "request",
    "url_defaults": "request",
    "errorhandler": "error",
    "register_error_handler": "error",
}
"""Hooks of the application, or of one blueprint's routes."""
_WIDE_HOOKS = {
    "before_app_request": "request",
    "after_app_request": "request",
    "teardown_app_request": "request",
    "teardown_appcontext": "request",
    "before_first_request": "request",
    "before_app_first_request": "request",
    "app_context_processor": "template",
    "app_errorhandler": "error",
    "app_url_value_preprocessor": "request",
    "app_url_defaults": "request",
    "template_filter": "template",
    "template_global": "template",
    "template_test": "template",
    "add_template_filter": "template",
    "add_template_global": "template",
    "add_template_test": "template",
    "app_template_filter": "template",
    "app_template_global": "template",
    "app_template_test": "template",
    "add_app_template_filter": "template",
    "add_app_template_global": "template",
    "add_app_template_test": "template",
    "shell_context_processor": "shell",
    "make_shell_context": "shell",
}
"""Hooks of the whole application, wherever they are registered."""


class Hooks:
    """All hooks of a program, by function, method that registered it, and receiver."""

    def __init__(self) -> None:
        self._hooks: dict[tuple[int, str, Hashable], str] = {}

    @staticmethod
    def is_method(name: str) -> bool:
        """Whether a method of an application or blueprint registers a hook."""
        return name in _WIDE_HOOKS or name in _OWN_HOOKS

    def register(
        self, engine: Engine, site: CallSite, receiver: int, method: str
    ) -> Iterable[int] | None:
        """`@app.before_request`, `@bp.errorhandler(404)`, `app.register_error_handler(404, f)`."""
        position = 1 if method == "register_error_handler" else 0
        functions = [each for each in site.argument(position, "f") if is_code(engine, each)]
        if not functions and not site.decorates:
            named_as = site.text(0, "name") or ""
            return (engine.values.opaque(HOOK, receiver, method, named_as, site.key),)
        named_as = site.text(1, "name") or ""
        for function in functions:
            self.add(engine, site, receiver, method, function, named_as)
        return functions

    def decorate(self, engine: Engine, site: CallSite, hook: int) -> tuple[int, ...]:
        """What such a method gave is applied to a function."""
        receiver, method, named_as, _ = engine.values.view(hook).parts
        for function in site.argument(0):
            self.add(engine, site, receiver, str(method), function, str(named_as))
        return site.argument(0)

    def add(
        self,
        engine: Engine,
        site: CallSite,
        receiver: Hashable,
        method: str,
        function: int,
        named_as: str,
    ) -> None:
        """A function is a hook of its receiver."""
        if not is_code(engine, function):
            return
        self._hooks[(function, method, receiver)] = f"{site.file}:{site.line}"
        result = engine.invoke(site, function, [], edge=False)
        name = named_as or engine.name_of(function).rsplit(".", 1)[-1]
        for what in ("filter", "global", "test"):
            if f"template_{what}" in method:
                engine.add(engine.slot("jinja", what, name), function)
        if "context_processor" in method:
            engine.flow(result, engine.slot("jinja", "context"))
            engine.add(engine.slot("jinja", "processor"), function)

    def around(self, engine: Engine, scaffolds: set[Hashable]) -> list[int]:
        """The hooks around routes that were registered through these."""
        found = {
            function
            for function, method, receiver in self._hooks
            if _WIDE_HOOKS.get(method, "") in {"request", "error"}
            or (receiver in scaffolds and _OWN_HOOKS.get(method, "") in {"request", "error"})
        }
        return sorted(found, key=engine.name_of)

    def finish(self, analysis: Analysis, engine: Engine) -> None:
        """Say which hooks there are, and which run after the handler or instead of it."""
        for function, method, _ in self._hooks:
            if method.startswith(("after_", "teardown_")):
                analysis.after.add(function)
            elif "error" in method:
                analysis.aside.add(function)
        names = {engine.name_of(function) for function, _, _ in self._hooks}
        analysis.program.hooks = tuple(sorted({*analysis.program.hooks, *names}))
