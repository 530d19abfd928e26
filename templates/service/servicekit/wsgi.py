"""`gunicorn servicekit.wsgi:application`: the monolith's application, answering as a service."""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from servicekit import frameworks, health, logs, metrics, scope
from servicekit import sqlalchemy as database
from servicekit.errors import DependencyUnavailable, OwnershipViolation
from servicekit.replicas import replicas
from servicekit.settings import settings

Headers = List[Tuple[str, str]]
_log = logs.logger("web")

_DRAINED = 64 << 20
"""Bytes of an unread request body that are read before an answer begins."""


class Web:
    """Catch-up, request id, refusals and metrics around an application."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._owners = settings().owners()
        self._strict = {o for o in self._owners if _has(o, "strict")}
        self._session = {o for o in self._owners if _has(o, "session")}

    def __call__(
        self, environ: Dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        page = health.page(environ.get("PATH_INFO", ""))
        if page is not None:
            status, kind, body = page
            start_response("%d %s" % (status, "OK"), _typed(kind, body))
            return [body]
        unit = scope.Scope(scope.new_id(environ.get("HTTP_X_REQUEST_ID")))
        environ["HTTP_X_REQUEST_ID"] = unit.request_id
        exchange = _Exchange(environ, start_response, unit)
        with scope.unit(unit):
            return self._answer(exchange)

    def _answer(self, exchange: _Exchange) -> Iterable[bytes]:
        environ = exchange.environ
        endpoint = self._application.endpoint_of(environ)
        exchange.endpoint = endpoint or ""
        service = self._application.foreign_service(endpoint, environ["REQUEST_METHOD"])
        if service:
            body = {"error": "misdirected request", "service": service}
            return exchange.replace("421 Misdirected Request", body)
        try:
            exchange.unit.stale = self._catch_up(endpoint, environ)
            self._application.begin(environ)
            answered = self._application.wsgi(environ, exchange.start)
            if exchange.unit.violation is None:
                return exchange.send(answered)
            _close(answered)
            raise exchange.unit.violation
        except OwnershipViolation as error:
            body = {"error": "ownership violation", "table": error.table, "service": error.owner}
            return exchange.replace("500 Internal Server Error", body)
        except DependencyUnavailable as error:
            _log.warning("dependency unavailable", dependency=error.service, why=str(error))
            body = {"error": "dependency unavailable", "service": error.service}
            return exchange.replace("503 Service Unavailable", body)

    def _catch_up(self, endpoint: Optional[str], environ: Dict[str, Any]) -> Dict[str, float]:
        """What lies under `routes` says whom the route reads of; anything else may read of all."""
        known = settings().part
        route = known("routes").get(endpoint or "") or known("kept_routes").get(endpoint or "")
        reads = set(self._owners if route is None else route.get("replicas_of", []))
        owners = reads & self._strict
        if "HTTP_COOKIE" in environ or "HTTP_AUTHORIZATION" in environ:
            owners |= reads & self._session
        drain = [] if route is None else route.get("commands_of", [])
        return replicas().catch_up(owners, drain) if owners or drain else {}


class _Exchange:
    """One request and its answer: the status is kept back until the application has finished."""

    def __init__(
        self, environ: Dict[str, Any], start_response: Callable[..., Any], unit: scope.Scope
    ) -> None:
        self.environ = environ
        self.unit = unit
        self.endpoint = ""
        self._start_response = start_response
        self._began = time.perf_counter()
        self._status = "500 Internal Server Error"
        self._headers: Headers = []
        self._written: List[bytes] = []

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[..., Any]:
        """`start_response` as the application sees it."""
        self._status, self._headers = status, list(headers)
        return self._written.append

    def send(self, answered: Iterable[bytes]) -> Iterable[bytes]:
        """Start the answer, and pass the body on as it comes."""
        if isinstance(answered, (list, tuple)):
            self._begin()
            return self._written + list(answered)
        return self._stream(answered)

    def _stream(self, answered: Iterable[bytes]) -> Iterable[bytes]:
        """Generators run while the body is sent: they are part of the same unit of work."""
        rest = iter(answered)
        first = next(rest, b"")
        self._begin()
        return _Body(self.unit, self._written + [first], rest, answered)

    def replace(self, status: str, body: Dict[str, Any]) -> Iterable[bytes]:
        """Answer with JSON of servicekit's own instead."""
        data = json.dumps(body).encode()
        self._status, self._headers = status, _typed("application/json", data)
        self._begin()
        return [data]

    def _drain(self) -> None:
        """Read what the application left of the request's body.

        A server that closes with unread data resets the connection, and the gateway takes the
        reset for a failure of the service instead of reading its answer.
        """
        body, left = self.environ.get("wsgi.input"), _DRAINED
        while body is not None and left > 0:
            part = body.read(min(left, 1 << 16))
            if not part:
                return
            left -= len(part)

    def _begin(self) -> None:
        self._drain()
        extra = [("X-Request-Id", self.unit.request_id), ("X-Served-By", settings().name)]
        if self.unit.stale:
            late = ", ".join("%s;%s" % (o, _seconds(s)) for o, s in self.unit.stale.items())
            extra.append(("X-Replica-Stale", late))
        self._start_response(self._status, self._headers + extra)
        method = self.environ["REQUEST_METHOD"]
        metrics.requests.labels(method, self.endpoint, self._status[:3]).inc()
        taken = time.perf_counter() - self._began
        metrics.request_seconds.labels(method, self.endpoint).observe(taken)


class _Body:
    """A streamed body, iterated within its unit of work, that closes what it came from."""

    def __init__(
        self, unit: scope.Scope, first: List[bytes], rest: Iterator[bytes], source: Any
    ) -> None:
        self._unit, self._first, self._rest, self._source = unit, first, rest, source

    def __iter__(self) -> Iterator[bytes]:
        yield from (each for each in self._first if each)
        while True:
            with scope.resumed(self._unit):
                part = next(self._rest, None)
            if part is None:
                return
            yield part

    def close(self) -> None:
        with scope.resumed(self._unit):
            _close(self._source)


def _close(answered: Any) -> None:
    close = getattr(answered, "close", None)
    if close is not None:
        close()


def _seconds(age: float) -> str:
    return "unknown" if age == float("inf") else "%d" % age


def _typed(kind: str, body: bytes) -> Headers:
    return [("Content-Type", kind), ("Content-Length", str(len(body)))]


def _has(owner: str, freshness: str) -> bool:
    tables = settings().replicas_of(owner).values()
    return any(table.get("freshness", "strict") == freshness for table in tables)


def build() -> Web:
    """Load the application of the manifest, with all hooks set before."""
    logs.configure()
    database.install()
    return Web(frameworks.load())


def __getattr__(name: str) -> Any:
    """`application` is made when a worker asks for it, never in a process that only imports."""
    if name == "application":
        try:
            globals()[name] = made = build()
        except AttributeError as error:  # which would mean that there is no `application` here
            raise RuntimeError("the application cannot be made: %s" % error) from error
        return made
    raise AttributeError(name)
