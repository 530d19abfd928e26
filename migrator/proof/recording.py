"""A recording proxy on loopback: what passes through it is kept, and nothing of it is changed."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from migrator.proof.exchange import NO_ANSWER, Exchange, Headers

HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
"""Headers of one connection, never passed on (RFC 9110, section 7.6.1)."""

CHUNK = 1 << 16


class RecordingProxy:
    """Passes every request on to `upstream` and keeps both sides in `exchanges`.

    One proxy can serve several runs: `upstream` may be changed and `take()` empties the record, so
    that the application is at the same address in each run. `plain` asks for answers that are not
    compressed, whatever the client takes. Use it as a context manager.
    """

    def __init__(self, port: int = 0, timeout: float = 60.0, *, plain: bool = False) -> None:
        self.upstream = ""
        self.timeout = timeout
        self.plain = plain
        self.before: Callable[[], None] = lambda: None
        """Called before each request is passed on."""
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address to send requests to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self) -> list[Exchange]:
        """The exchanges so far in order of arrival; the record begins anew."""
        with self._lock:
            taken, self._exchanges = self._exchanges, []
        return sorted(taken, key=lambda exchange: exchange.ordinal)

    def take_answered(self) -> list[Exchange]:
        """The exchanges that have their answer, in order of arrival; the others stay."""
        with self._lock:
            taken = [each for each in self._exchanges if each.status]
            self._exchanges = [each for each in self._exchanges if not each.status]
        return taken

    def latest(self) -> Exchange | None:
        """The exchange that arrived last; the record stays as it is."""
        with self._lock:
            return self._exchanges[-1] if self._exchanges else None

    def begin(self, exchange: Exchange) -> None:
        """A request has arrived: give it its place in the order."""
        with self._lock:
            exchange.ordinal = len(self._exchanges)
            self._exchanges.append(exchange)

    def __enter__(self) -> RecordingProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not wait for its answer is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    owner: RecordingProxy
    protocol_version = "HTTP/1.1"
    # Answers leave in one piece and at once: else each waits for the client's delayed ACK.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _pass_on(self) -> None:
        headers = _end_to_end(list(self.headers.items()))
        if self.owner.plain:
            headers = [each for each in headers if each[0].lower() != "accept-encoding"]
        exchange = Exchange(
            ordinal=0,
            method=self.command,
            target=self.path,
            request_headers=headers,
            request_body=self._read_body(),
            started=time.time(),
        )
        self.owner.begin(exchange)
        self.owner.before()
        send(self.owner.upstream, exchange, self.owner.timeout)
        self._answer(exchange)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, exchange: Exchange) -> None:
        self.send_response_only(exchange.status)
        bodiless = exchange.method == "HEAD" or exchange.status in (204, 304)
        for name, value in exchange.headers:
            if name.lower() != "content-length" or bodiless:
                self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(exchange.body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(exchange.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _pass_on

    def log_message(self, format: str, *args: object) -> None:
        pass


def send(upstream: str, exchange: Exchange, timeout: float) -> None:
    """Send the request of `exchange` to `upstream` and fill in the answer.

    A server that cannot be reached or breaks off becomes NO_ANSWER, with the reason as body.
    """
    address = urlsplit(upstream)
    connection = http.client.HTTPConnection(
        address.hostname or "127.0.0.1", address.port, timeout=timeout
    )
    begun = time.monotonic()
    try:
        connection.putrequest(
            exchange.method, exchange.target, skip_host=True, skip_accept_encoding=True
        )
        names = set()
        for name, value in exchange.request_headers:
            names.add(name.lower())
            if name.lower() != "content-length":
                connection.putheader(name, value)
        if "host" not in names:
            connection.putheader("Host", address.netloc)
        if exchange.request_body or "content-length" in names:
            connection.putheader("Content-Length", str(len(exchange.request_body)))
        connection.putheader("Connection", "close")
        connection.endheaders()
        _send_body(connection, exchange.request_body)
        answer = connection.getresponse()
        exchange.body = answer.read()
        exchange.status = answer.status
        exchange.headers = _end_to_end(answer.getheaders())
    except (OSError, http.client.HTTPException) as error:
        exchange.status = NO_ANSWER
        exchange.headers = []
        exchange.body = f"{type(error).__name__}: {error}".encode()
    finally:
        exchange.elapsed = time.monotonic() - begun
        connection.close()


def _send_body(connection: http.client.HTTPConnection, body: bytes) -> None:
    # A server may answer (413) and stop reading before the body is through: the answer counts.
    try:
        for start in range(0, len(body), CHUNK):
            connection.send(body[start : start + CHUNK])
    except (BrokenPipeError, ConnectionResetError):
        pass


def _end_to_end(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
