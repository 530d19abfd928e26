"""Flask-OAuthlib's provider: what a token, a client, a grant is found and kept by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_ROLES = ("clientgetter", "usergetter", "tokengetter", "tokensetter", "grantgetter", "grantsetter")
_RUN = {
    "require_oauth": ("tokengetter",),
    "token_handler": _ROLES[:5],
    "revoke_handler": ("clientgetter", "tokengetter"),
    "authorize_handler": ("clientgetter", "tokensetter", "grantsetter"),
}
"""Decorators of the provider, to what they ask."""
_DELETES = {"token_handler": "grantgetter", "revoke_handler": "tokengetter"}
"""What is deleted by its own `delete` once it was found."""
_SHOWN = {"require_oauth": ("user", "client"), "revoke_handler": ("user",)}
"""What a token that was found is asked for."""
_GUARD = "flask_oauthlib:guard"


class FlaskOAuthlib(Framework):
    """The plug-in: functions that the provider decorates ask its getters before they run."""

    name = "flask_oauthlib"
    externals = ("flask_oauthlib",)

    def __init__(self, sqlalchemy: SQLAlchemy) -> None:
        self._sqlalchemy = sqlalchemy
        self._guarded: dict[tuple[str, int], None] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.name == _GUARD:
            return self._guard(engine, site, str(view.parts[0]))
        last = engine.values.name(view.function if view.kind == Kind.BOUND else callee)
        method = last.rsplit(".", 1)[-1]
        if method in _ROLES:
            return self._register(engine, site, method, site.argument(0))
        if method == "require_oauth":
            return (engine.values.opaque(_GUARD, method, site.key),)
        if method in _RUN:
            return self._guard(engine, site, method)
        if method == "verify_request":
            self._ask(engine, site, "require_oauth")
        for position, role in enumerate(("clientgetter", "tokengetter", "grantgetter", *_ROLES)):
            if role in site.keywords:
                self._register(engine, site, role, site.argument(-1, role))
            elif last.endswith("OAuth2RequestValidator.__init__") and position < 3:
                self._register(engine, site, role, site.argument(position))
        return None

    def _register(
        self, engine: Engine, site: CallSite, role: str, functions: tuple[int, ...]
    ) -> tuple[int, ...]:
        self.seen = True
        for function in functions:
            result = engine.invoke(site, function, [], edge=False)
            engine.add(engine.slot("flask_oauthlib", role), function)
            engine.flow(result, engine.slot("flask_oauthlib", "found", role))
            for found in engine.points_to(result):
                if engine.values.kind(found) == Kind.INSTANCE and role in _DELETES.values():
                    deletes = engine.attribute(site, found, "delete")
                    engine.flow(deletes, engine.slot("flask_oauthlib", "deletes", role))
                    for each in engine.points_to(deletes):
                        engine.invoke(site, each, [], edge=False)
        return functions

    def _guard(self, engine: Engine, site: CallSite, method: str) -> tuple[int, ...]:
        for function in site.argument(0):
            if engine.values.kind(function) == Kind.FUNCTION:
                self._guarded[(method, function)] = None
        return site.argument(0)

    def _ask(self, engine: Engine, site: Site, method: str) -> None:
        """What a decorator does first happens here."""
        for role in _RUN[method]:
            for function in engine.points_to(engine.slot("flask_oauthlib", role)):
                site.calls(function)
        if method in _DELETES:
            slot = engine.slot("flask_oauthlib", "deletes", _DELETES[method])
            for function in engine.points_to(slot):
                site.calls(function)
        for found in engine.points_to(engine.slot("flask_oauthlib", "found", "tokengetter")):
            if engine.values.kind(found) == Kind.INSTANCE:
                for name in _SHOWN.get(method, ()):
                    model = engine.values.view(found).owner
                    self._sqlalchemy.facts.note(site, "load", model, name, via="flask_oauthlib")

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        for method, function in self._guarded:
            for place in engine.beginnings(function):
                self._ask(engine, place, method)
