"""`python -m servicekit.feed`: this service's events for its siblings, by a process of its own.

The application's workers never serve it: replicas both ways would make them wait for each other.
In the background it keeps this service's replicas warm, delivers deferred commands, settles calls
that a crash left open, and forgets old events.
"""

from __future__ import annotations

import hmac
import json
import signal
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterable, List, Optional
from urllib.parse import parse_qs

from servicekit import health, logs, outbox
from servicekit.peers import Unreachable
from servicekit.relay import relay
from servicekit.replicas import replicas
from servicekit.settings import settings
from servicekit.settlement import settle_abandoned
from servicekit.sqlite import connect, of_thread

KEEP_EVENTS = 100000
_log = logs.logger("feed")
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 410: "Gone"}


def application(environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application of the feed."""
    path = environ.get("PATH_INFO", "")
    found = health.page(path)
    if found is not None:
        return _answer(start_response, *found)
    if not authorized(environ):
        return _json(start_response, 401, {"error": "credential missing or wrong"})
    query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    try:
        if path == "/feed/head":
            with_head = outbox.position(of_thread(settings().file("service.db")))
            return _json(start_response, 200, with_head._asdict())
        if path == "/feed/events":
            return _events(start_response, query, environ.get("HTTP_X_SERVICE", ""))
        if path == "/feed/snapshot":
            return _snapshot(start_response, query)
    except ValueError as error:
        return _json(start_response, 400, {"error": str(error)})
    except sqlite3.Error as error:
        _log.error("the feed cannot be read", why=repr(error))
        return _json(start_response, 500, {"error": repr(error)})
    return _json(start_response, 404, {"error": "no such page"})


def authorized(environ: Dict[str, Any]) -> bool:
    """Whether a request carries the credential of this system."""
    given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")
    return bool(settings().credential) and hmac.compare_digest(
        given, b"Bearer " + settings().credential.encode()
    )


def _tables(query: Dict[str, str]) -> List[str]:
    wanted = [table for table in query.get("tables", "").split(",") if table]
    owned = settings().part("tables")
    for table in wanted:
        if not owned.get(table, {}).get("published"):
            raise ValueError("table %s is not published by %s" % (table, settings().name))
    return wanted


def _events(
    start_response: Callable[..., Any], query: Dict[str, str], consumer: str
) -> Iterable[bytes]:
    if query.get("drain"):
        try:
            relay().deliver(consumer, settings().feed_timeout)
        except Unreachable as error:
            _log.warning("commands wait", owner=consumer, why=str(error))
    upto = query.get("upto")
    tables = _tables(query)
    if not tables:
        return _json(start_response, 200, {"events": []})
    found = outbox.events(
        of_thread(settings().file("service.db")),
        tables,
        query.get("epoch", ""),
        int(query.get("after", "0")),
        None if upto is None else int(upto),
    )
    if found is None:
        return _json(start_response, 410, {"error": "unknown position"})
    return _json(start_response, 200, found)


def _snapshot(start_response: Callable[..., Any], query: Dict[str, str]) -> Iterable[bytes]:
    lines = outbox.dump(settings().file("service.db"), _tables(query))
    first = next(lines)  # an unreadable database is an error here, not in the middle of a body
    start_response("200 OK", [("Content-Type", "application/x-ndjson")])
    return _chain(first, lines)


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterable[bytes]:
    yield first
    yield from rest


def _json(start_response: Callable[..., Any], status: int, body: Any) -> Iterable[bytes]:
    return _answer(start_response, status, "application/json", json.dumps(body).encode())


def _answer(
    start_response: Callable[..., Any], status: int, content_type: str, body: bytes
) -> Iterable[bytes]:
    line = "%d %s" % (status, _REASONS.get(status, "Error"))
    start_response(line, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def _repeat(seconds: float, work: Callable[[], None], name: str) -> None:
    """Do `work` for ever in a thread of its own; a failure is logged once until it is over."""

    def loop() -> None:
        failing: Optional[str] = None
        while True:
            try:
                work()
                failing = None
            except Exception as error:
                if failing != repr(error):
                    failing = repr(error)
                    _log.warning("background work fails", work=name, why=failing)
                time.sleep(0.5)
            time.sleep(seconds)

    threading.Thread(target=loop, name=name, daemon=True).start()


def _keep_warm(owner: str) -> Callable[[], None]:
    def work() -> None:
        consumer = replicas().consumer(owner)
        if consumer is not None:
            consumer.catch_up(timeout=5.0)

    return work


def _prune() -> None:
    connection = connect(settings().file("service.db"))
    try:
        outbox.prune(connection, KEEP_EVENTS)
        connection.execute("DELETE FROM _calls WHERE at < ?", (time.time() - 86400,))
        connection.execute("DELETE FROM _settled WHERE at < ?", (time.time() - 86400,))
        connection.execute(
            "DELETE FROM _undo WHERE NOT EXISTS (SELECT 1 FROM _calls WHERE _calls.key = _undo.key)"
        )
    finally:
        connection.close()


def start_background() -> None:
    """Start what the feed process does besides answering."""
    for owner in settings().owners():
        _repeat(0.5, _keep_warm(owner), "replicas of " + owner)
    _repeat(0.02, relay().deliver_all, "relay")
    _repeat(1.0, settle_abandoned, "settlement")
    _repeat(600.0, _prune, "pruning")


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to `application`. For short GETs it costs a fraction of a full server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        environ = {
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_AUTHORIZATION": self.headers.get("Authorization", ""),
            "HTTP_X_SERVICE": self.headers.get("X-Service", ""),
        }
        for part in application(environ, self._start):
            self.wfile.write(part)
        self.wfile.flush()

    def _start(self, status: str, headers: List[Any]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            self.close_connection = True  # the end of the body is the end of the connection
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are counted, not logged: there is one a page."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.warning("a request to the feed broke off", why=repr(sys.exc_info()[1]))


def main() -> None:
    """Serve until SIGTERM."""
    logs.configure()
    server = _Server((settings().host, settings().port), _Handler)
    start_background()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.2)
    server.server_close()


if __name__ == "__main__":
    main()
