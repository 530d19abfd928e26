"""APIFlask: schemas and guards around views; its applications and blueprints are Flask's."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.flask_login import FlaskLogin
from migrator.graph.frameworks.marshmallow import Marshmallow
from migrator.graph.protocol import CallSite, Engine


class ApiFlask(Framework):
    """The plug-in: `output` dumps, `input` loads, `auth_required` asks who it is.

    Its `Schema` is marshmallow's, its `HTTPTokenAuth` and the like Flask-HTTPAuth's.
    """

    name = "apiflask"

    def __init__(self, flask: Flask, marshmallow: Marshmallow, login: FlaskLogin) -> None:
        self.marshmallow = marshmallow
        self.login = login
        flask.decorators["output"] = self._output
        flask.decorators["input"] = self._input
        flask.decorators["auth_required"] = login.guard

    def _output(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        return self.marshmallow.marshals(engine, site.argument(0, "schema")) or None

    def _input(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        return self.marshmallow.parses(engine, site.argument(0, "schema")) or None
