"""Static files that extensions serve under an endpoint of their own: Bootstrap's."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_RULES = {
    "Bootstrap": "/static/bootstrap/<path:filename>",
    "Bootstrap4": "/bootstrap/static/<path:filename>",
    "Bootstrap5": "/bootstrap/static/<path:filename>",
}
"""Flask-Bootstrap has the first name, Bootstrap-Flask the others."""


class FlaskBootstrap(Framework):
    """The plug-in: gives the extension's rule to the Flask plug-in."""

    name = "flask_bootstrap"
    externals = ("flask_bootstrap",)

    def __init__(self, flask: Flask) -> None:
        self.flask = flask

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        name = engine.values.name(view.function) if view.kind == Kind.BOUND else view.name
        parts = name.split(".")
        rule = next((_RULES[part] for part in parts if part in _RULES), None)
        if rule is not None and (parts[-1] in _RULES or parts[-1] == "init_app"):
            self.seen = True
            for application in site.argument(0, "app"):
                self.flask.rules.add_of_extension(site, application, rule, "bootstrap.static")
        return None
