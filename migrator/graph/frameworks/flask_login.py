"""Who is signed in: Flask-Login's `current_user`, Flask-JWT-Extended's, Flask-HTTPAuth's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_CURRENT = frozenset(
    {
        "flask_login.current_user",
        "flask_login.utils.current_user",
        "flask_jwt_extended.current_user",
        "flask_jwt_extended.get_current_user",
        "flask_security.current_user",
    }
)
_LOADERS = frozenset(
    {
        "user_loader", "request_loader", "header_loader", "user_lookup_loader",
        "user_loader_callback_loader", "verify_password", "verify_token", "get_user_roles",
    }
)  # fmt: skip
_OTHER_HOOKS = frozenset(
    {
        "unauthorized_handler", "needs_refresh_handler", "error_handler", "expired_token_loader",
        "invalid_token_loader", "unauthorized_loader", "revoked_token_loader",
        "user_lookup_error_loader",
    }
)  # fmt: skip
_CHECKS = frozenset(
    {"token_in_blocklist_loader", "token_in_blacklist_loader", "token_verification_loader"}
)
"""What is asked of every token, before the user is loaded."""
_OF_NEW_TOKENS = frozenset(
    {"user_identity_loader", "additional_claims_loader", "user_claims_loader"}
)
"""What a token says is asked of these when it is made."""
_GUARDS = frozenset(
    {
        "login_required", "fresh_login_required", "jwt_required", "jwt_optional",
        "fresh_jwt_required", "jwt_refresh_token_required", "auth_required", "authenticate",
    }
)  # fmt: skip
_DECORATOR = "flask_login:hook"
_GUARD = "flask_login:guard"
_OBJECT = "flask_login.current_user._get_current_object"


class FlaskLogin(Framework):
    """The plug-in: a use of `current_user` calls the loader."""

    name = "flask_login"
    externals = (
        "flask_login", "flask_jwt_extended", "flask_httpauth", "flask_security",
        "apifairy.authenticate", "apifairy.decorators.authenticate", "apiflask.HTTPTokenAuth",
        "apiflask.HTTPBasicAuth", "apiflask.security",
    )  # fmt: skip

    def __init__(self) -> None:
        self._loaders: set[int] = set()
        self._checks: set[int] = set()
        self._hooks: set[int] = set()
        self.guarded: set[int] = set()
        self.loads: list[Callable[[Engine, Site], None]] = []
        """Packages that load the user themselves: what they do where it is asked for."""

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        if name in _CURRENT and not name.endswith("get_current_user"):
            return (engine.values.opaque("flask_login:current_user"), *self.users(engine))
        return None

    def users(self, engine: Engine) -> tuple[int, ...]:
        """What the loaders give."""
        return engine.points_to(engine.slot("flask_login", "users"))

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            last = view.name.rsplit(".", 1)[-1]
            if last in _GUARDS:
                return self.guard(engine, site)
            if last in {"login_user", "logout_user", "verify_jwt_in_request"}:
                if last == "verify_jwt_in_request":
                    self._run(engine, site, "checks", ())
                self._load(engine, site)
                return ()
            if last in {"create_access_token", "create_refresh_token"}:
                given = site.argument_variable(0, "identity")
                self._run(engine, site, "of new tokens", () if given is None else (given,))
                return None
            if last == "get_current_user":
                self._load(engine, site)
                return self.users(engine)
            return None
        if view.kind == Kind.OPAQUE:
            if view.name == _GUARD:
                self.guard(engine, site)
            elif view.name == _DECORATOR:
                for function in site.argument(0):
                    self._register(engine, site, str(view.parts[0]), function)
            return site.argument(0)
        if view.kind == Kind.BOUND:
            method = engine.values.name(view.function).rsplit(".", 1)[-1]
            if method in _LOADERS | _CHECKS | _OF_NEW_TOKENS | _OTHER_HOOKS:
                functions = [each for each in site.argument(0) if _is_code(engine, each)]
                for function in functions:
                    self._register(engine, site, method, function)
                if functions or site.decorates:
                    return functions
                return (engine.values.opaque(_DECORATOR, method, site.key),)
            if method == "login_required":
                return self.guard(engine, site)
            if view.function == engine.values.external(_OBJECT):
                return self.users(engine)
            if method == "current_user":
                # Flask-HTTPAuth's only tells whom the guard has loaded.
                return self.users(engine)
        return None

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        if engine.values.view(receiver).tag == "flask_login:current_user":
            self._load(engine, site)
            if name == "_get_current_object":
                return (engine.values.bound(receiver, engine.values.external(_OBJECT)),)
            return ()
        return None

    def guard(self, engine: Engine, site: CallSite) -> Iterable[int]:
        """The user is loaded before the view that is decorated here."""
        functions = [each for each in site.argument(0) if _is_code(engine, each)]
        self.guarded.update(functions)
        if functions or site.decorates:
            return functions
        return (engine.values.opaque(_GUARD, site.key),)

    def _register(self, engine: Engine, site: CallSite, method: str, function: int) -> None:
        self.seen = True
        if method not in _OF_NEW_TOKENS:
            self._hooks.add(function)
        result = engine.invoke(site, function, [], edge=False)
        if method in _LOADERS:
            self._loaders.add(function)
            engine.flow(result, engine.slot("flask_login", "users"))
            engine.add(engine.slot("flask_login", "loaders"), function)
        elif method in _CHECKS:
            self._checks.add(function)
            engine.add(engine.slot("flask_login", "checks"), function)
        elif method in _OF_NEW_TOKENS:
            engine.add(engine.slot("flask_login", "of new tokens"), function)

    def _run(self, engine: Engine, site: Site, hooks: str, given: tuple[int, ...]) -> None:
        for hook in engine.points_to(engine.slot("flask_login", hooks)):
            engine.invoke(site, hook, given)

    def _load(self, engine: Engine, site: Site) -> None:
        """The user is loaded here, if this request has not done so yet."""
        self._run(engine, site, "loaders", ())
        for load in self.loads:
            load(engine, site)

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        names = {engine.name_of(each) for each in self._hooks}
        analysis.program.hooks = tuple(sorted({*analysis.program.hooks, *names}))
        loaders = tuple(
            sorted(self._checks, key=engine.name_of) + sorted(self._loaders, key=engine.name_of)
        )
        guarded = {engine.name_of(each) for each in self.guarded}
        for name, views in analysis.handlers.items():
            if any(engine.name_of(view) in guarded for view in views):
                analysis.around[name] = (*analysis.around.get(name, ()), *loaders)
        direct = {view for views in analysis.handlers.values() for view in views}
        for function in sorted(self.guarded - direct):
            for place in engine.beginnings(function):  # within other decorators
                for loader in loaders:
                    place.calls(loader)


def _is_code(engine: Engine, value: int) -> bool:
    return engine.values.kind(value) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL, Kind.CLASS)
