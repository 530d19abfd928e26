"""Resources that an API extension registers: Flask-RESTful and Flask-RESTX."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.frameworks import CallSite, Engine, Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.values import Kind

_API = "flask_restful:api"


class FlaskRestful(Framework):
    """The plug-in: gives each resource's rules to the Flask plug-in."""

    name = "flask_restful"
    externals = ("flask_restful", "flask_restx")

    def __init__(self, flask: Flask) -> None:
        self.flask = flask
        self._apis: dict[int, tuple[tuple[int, ...], str]] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name.rsplit(".", 1)[-1] == "Api":
            self.seen = True
            value = engine.values.opaque(_API, site.key)
            self._apis[value] = (site.argument(0, "app"), site.text(1, "prefix") or "")
            variable = site.argument_variable(0, "app")
            if variable is not None:
                engine.flow(variable, engine.slot("flask_restful", "app", value))
            return (value,)
        if view.kind != Kind.BOUND or engine.values.name(view.owner) != _API:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if method == "init_app":
            variable = site.argument_variable(0, "app")
            if variable is not None:
                engine.flow(variable, engine.slot("flask_restful", "app", view.owner))
        elif method == "add_resource":
            self._add(engine, site, view.owner, site.argument(0), 1)
        elif method in {"resource", "route"}:
            return (engine.values.opaque("flask_restful:decorator", view.owner, site.key),)
        return ()

    def _add(
        self, engine: Engine, site: CallSite, api: int, resources: Iterable[int], start: int
    ) -> None:
        _, prefix = self._apis.get(api, ((), ""))
        rules = [
            rule for position in range(start, site.positional) for rule in site.texts(position)
        ]
        for owner in engine.points_to(engine.slot("flask_restful", "app", api)):
            for class_ in resources:
                if engine.values.kind(class_) != Kind.CLASS:
                    continue
                name = engine.name_of(class_).rsplit(".", 1)[-1].lower()
                endpoint = site.text(-1, "endpoint") or name
                for rule in rules:
                    self.flask.add_resource_rule(
                        engine, site, owner, prefix + rule, endpoint, class_
                    )
