"""Flask's part of the glue: loading, foreign routes, and the context that travels with a call."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import importlib
import io
import os
import weakref
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from servicekit.errors import CannotCross
from servicekit.settings import settings

_made: List[Any] = []
_BODY = {"form", "json", "data", "files", "values", "get_json", "get_data", "stream"}
_ADDRESS = "http://description.invalid"
"""Stands in a description for the address at which it is asked for."""
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Application:
    """A loaded application: `wsgi` is what the monolith would have served."""

    def __init__(self, wsgi: Callable[..., Any], app: flask.Flask) -> None:
        self.wsgi = wsgi
        self.app = app
        self._foreign = _add_foreign_routes(app)
        _share_random_settings(app)
        _describe(app)

    def begin(self, environ: Dict[str, Any]) -> None:
        """Run what waits for the first request of a process, in a request like this of nobody.

        It belongs to the process, of which there are many: what it does to a session is of no
        client. What fails is tried again by Flask within the request, as it always was.
        """
        begin = getattr(self.app, "try_trigger_before_first_request_functions", None)
        if begin is None or self.app._got_first_request or not self.app.before_first_request_funcs:
            return
        nobody = {key: value for key, value in environ.items() if key != "HTTP_COOKIE"}
        nobody.update({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
        with contextlib.suppress(Exception), self.app.request_context(nobody):
            begin()

    def endpoint_of(self, environ: Dict[str, Any]) -> Optional[str]:
        """The endpoint that a request will reach; None when it ends as 404, 405 or redirect."""
        try:
            server = self.app.config.get("SERVER_NAME")
            adapter = self.app.url_map.bind_to_environ(environ, server_name=server)
            return str(adapter.match()[0])
        except (HTTPException, RequestRedirect):
            return None

    def foreign_service(self, endpoint: Optional[str], method: str) -> str:
        """The service that answers this instead, or an empty string. OPTIONS is answered here."""
        return "" if method == "OPTIONS" else self._foreign.get(endpoint or "", "")

    @contextlib.contextmanager
    def context(self, captured: Optional[Dict[str, Any]], codec: Any) -> Iterator[Any]:
        """The application context of a served call, with the caller's request if there was one.

        Yields a function that restores what needs the database; run it inside the transaction.
        """
        if captured is None:
            with self.app.app_context():
                yield lambda: None
            return
        options: Dict[str, Any] = {
            "method": captured["method"],
            "path": captured["path"],
            "query_string": captured["query"],
            "base_url": captured["base"],
            "headers": [tuple(pair) for pair in captured["headers"]],
            "environ_base": {"REMOTE_ADDR": captured["remote"]},
        }
        if captured.get("body") is not None:
            options["data"] = base64.b64decode(captured["body"])
        with self.app.test_request_context(**options):
            yield lambda: _restore(captured, codec)


def load(reference: str) -> Application:
    """Import `module:attribute` or `module:factory()` and find the Flask application in it."""
    original = flask.Flask.__init__

    def remember(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _made.append(weakref.ref(self))

    flask.Flask.__init__ = remember  # type: ignore[method-assign]
    try:
        module_name, _, expression = reference.partition(":")
        name, call, _ = (expression or "application").partition("(")
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
        wsgi = found() if call else found
    finally:
        flask.Flask.__init__ = original  # type: ignore[method-assign]
    return Application(wsgi, _flask_of(wsgi))


def _share_random_settings(app: flask.Flask) -> None:
    """Keys that are drawn as a process starts are the same in all processes of all services.

    They last until the system is started anew, as they did in one process.
    """
    for name in settings().manifest.get("random_settings") or ():
        drawn = app.config.get(name)
        secret = settings().credential.encode()
        made = hmac.new(secret, name.encode(), hashlib.sha512)
        if isinstance(drawn, bytes):
            app.config[name] = made.digest()
        elif isinstance(drawn, str):
            app.config[name] = made.hexdigest()


def watch() -> None:
    """For processes that load the application by themselves: foreign routes can be linked to."""
    original = flask.Flask.app_context
    seen: Any = weakref.WeakSet()

    def app_context(self: Any) -> Any:
        if self not in seen:
            seen.add(self)
            _add_foreign_routes(self)
        return original(self)

    flask.Flask.app_context = app_context  # type: ignore[method-assign]


def _flask_of(wsgi: Any) -> flask.Flask:
    """The Flask application, also when a middleware has been put around it."""
    if isinstance(wsgi, flask.Flask):
        return wsgi
    alive = [app for app in (reference() for reference in _made) if app is not None]
    if not alive:
        raise TypeError("%r is no Flask application" % (wsgi,))
    return alive[-1]


def _add_foreign_routes(app: flask.Flask) -> Dict[str, str]:
    """Register siblings' routes, so that 405, OPTIONS, redirects and `url_for` are as before.

    Endpoints that the application still has stay as they are. Gives endpoint to service.
    """
    foreign: Dict[str, str] = {}
    has_rules = {rule.endpoint for rule in app.url_map.iter_rules() if not rule.build_only}
    for endpoint, route in settings().part("foreign_routes").items():
        if endpoint in has_rules:
            continue
        foreign[endpoint] = route["service"]
        for each in route["rules"]:
            methods = {method.upper() for method in each["methods"]}
            rule = app.url_rule_class(
                each["rule"],
                methods=methods | {"OPTIONS"},
                endpoint=endpoint,
                defaults=each.get("defaults") or None,
                strict_slashes=each.get("strict_slashes", True),
            )
            rule.provide_automatic_options = "OPTIONS" not in methods
            app.url_map.add(rule)
        app.view_functions.setdefault(endpoint, _misdirected)
    return foreign


def _describe(app: flask.Flask) -> None:
    """Pages of packages that describe the whole API go on doing so, as the monolith did."""
    own = settings()
    for endpoint, path in own.part("descriptions").items():
        if endpoint in app.view_functions:
            with open(os.path.join(os.path.dirname(own.manifest_path), path), "rb") as stream:
                app.view_functions[endpoint] = _description(stream.read().decode())


def _description(text: str) -> Callable[..., Any]:
    def describe(**arguments: Any) -> Any:
        request = flask.request
        said = text.replace(_ADDRESS, request.host_url.rstrip("/"))
        said = said.replace(_ADDRESS.partition("//")[2], request.host)
        return flask.Response(said, mimetype="application/json")

    return describe


def _misdirected(**arguments: Any) -> Any:
    """Never reached: the web process answers before the application and its hooks run."""
    return flask.Response("misdirected request", status=421)


def capture(names: Sequence[str], codec: Any) -> Optional[Dict[str, Any]]:
    """The request context of this thread as it travels; None when there is none.

    `names` are the manifest's `context`. Method, URL and headers always travel, with them cookie
    sessions, the signed-in user and the locale.
    """
    if not flask.has_request_context():
        return None
    request = flask.request
    captured: Dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "query": request.query_string.decode("latin-1"),
        "base": request.url_root,
        "remote": request.remote_addr or "127.0.0.1",
        "headers": [[k, v] for k, v in request.headers if k.lower() not in _HOP_BY_HOP],
        "g": {},
    }
    for name in names:
        parts = name.split(".")
        if parts[:2] == ["flask", "g"] and len(parts) > 2:
            if parts[2] in flask.g:
                captured["g"][parts[2]] = codec.encode(flask.g.get(parts[2]), name)
        elif parts[:2] == ["flask", "session"]:
            captured["session"] = codec.encode(dict(flask.session), name)
        elif parts[:2] == ["flask", "request"] and len(parts) > 2 and parts[2] in _BODY:
            captured["body"] = _body(name)
    return captured


def _body(name: str) -> str:
    request = flask.request
    data = request.get_data(cache=True)
    if not data and (request.form or request.files):
        raise CannotCross("%s: the form was parsed before its bytes could be kept" % name)
    return base64.b64encode(data).decode()


def _restore(captured: Dict[str, Any], codec: Any) -> None:
    for name, form in captured["g"].items():
        setattr(flask.g, name, codec.decode(form))
    if "session" in captured:
        flask.session.clear()
        flask.session.update(codec.decode(captured["session"]))
