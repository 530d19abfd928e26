"""What was read is read again, request for request, whoever asked it and in whichever replay."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from migrator.proof.exchange import Exchange
from migrator.proof.reading import Reading


class _Application(BaseHTTPRequestHandler):
    """Answers who asks, from what it holds of them."""

    held: dict[str, str] = {}

    def do_GET(self) -> None:
        body = self.held[self.headers["Cookie"]].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    _Application.held = {"ann": "4 loans", "bob": "2 loans", "cyd": "none"}
    with ThreadingHTTPServer(("127.0.0.1", 0), _Application) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def asked(who: str, place: int) -> Exchange:
    return Exchange(
        ordinal=place,
        method="GET",
        target="/loans",
        request_headers=[("Cookie", who)],
        status=200,
        place=place,
    )


def test_two_replays_with_the_same_places_are_told_apart(url: str) -> None:
    reading = Reading.of([asked("ann", 0), asked("bob", 1), asked("cyd", 0)], url)
    again = reading.compared(url, set(), url)
    assert (again.requests, again.equal, again.differences) == (3, 3, [])


def test_what_was_lost_in_between_differs(url: str) -> None:
    reading = Reading.of([asked("ann", 0), asked("bob", 0)], url)
    _Application.held["bob"] = "1 loan"
    again = reading.compared(url, set(), url)
    assert (again.requests, again.equal) == (2, 1)
    assert [(each.monolith, each.services) for each in again.differences] == [("2 loans", "1 loan")]
