"""Flask-smorest: blueprints of an API, with schemas around their views."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.marshmallow import Marshmallow
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_API = "flask_smorest:api"


class FlaskSmorest(Framework):
    """The plug-in: its blueprints are Flask's; `response` dumps and `arguments` loads."""

    name = "flask_smorest"
    externals = ("flask_smorest", "flask_rest_api")

    def __init__(self, flask: Flask, marshmallow: Marshmallow) -> None:
        self.flask = flask
        self.marshmallow = marshmallow
        flask.decorators["response"] = self._response
        flask.decorators["alt_response"] = self._response
        flask.decorators["arguments"] = self._arguments

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            last = view.name.rsplit(".", 1)[-1]
            if last == "Blueprint":
                self.seen = True
                return (self.flask.new_blueprint(engine, site, None),)
            if last == "Api":
                api = engine.values.opaque(_API, site.key)
                self._on_application(engine, site, api)
                return (api,)
        if view.kind != Kind.BOUND or engine.values.name(view.owner) != _API:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if method == "init_app":
            self._on_application(engine, site, view.owner)
        elif method == "register_blueprint":
            for application in engine.points_to(self._applications(engine, view.owner)):
                self.flask.register(engine, site, application)
        return ()

    def _applications(self, engine: Engine, api: int) -> int:
        return engine.slot("flask_smorest", "app", api)

    def _on_application(self, engine: Engine, site: CallSite, api: int) -> None:
        variable = site.argument_variable(0, "app")
        if variable is not None:
            engine.flow(variable, self._applications(engine, api))

    def _response(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        """`@blueprint.response(200, Schema)`; before version 0.28 the schema came first."""
        schemas = (*site.argument(1, "schema"), *site.argument(0))
        return self.marshmallow.marshals(engine, schemas) or None

    def _arguments(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        return self.marshmallow.parses(engine, site.argument(0, "schema")) or None
