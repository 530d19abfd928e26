"""Requests that are asked again while something is wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from migrator.proof.exchange import Exchange
from migrator.proof.outage import Probe, answers_as_before, ask, while_stopped


class Mill(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "5")
        if self.path == "/kept":
            self.send_header("Cache-Control", "public, max-age=60")
        self.end_headers()
        self.wfile.write(b"flour")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Mill, "status", 200)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mill)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "differs"), [(200, False), (429, False), (503, True)])
def test_a_limit_on_how_often_it_may_be_asked_is_no_difference(
    url: str, monkeypatch: pytest.MonkeyPatch, status: int, differs: bool
) -> None:
    request = Exchange(ordinal=0, method="GET", target="/", request_headers=[], request_body=b"")
    probe = Probe(request=request, answer=ask(request, url), service="mill", needs=[], noise=set())
    monkeypatch.setattr(Mill, "status", status)
    found = answers_as_before(probe, url)
    assert any(": status was" in each for each in found) is differs


@pytest.mark.parametrize(("path", "wrong"), [("/kept", 0), ("/", 1)])
def test_what_a_cache_may_keep_may_be_answered_without_the_service(
    url: str, path: str, wrong: int
) -> None:
    request = Exchange(ordinal=0, method="GET", target=path, request_headers=[], request_body=b"")
    probe = Probe(request=request, answer=ask(request, url), service="mill", needs=[], noise=set())
    stopped, problems = while_stopped("mill", [probe], url, {}, lambda: None)
    assert (len(problems), stopped.as_before) == (wrong, 1 - wrong)
