"""The monolith is given the headers that services get from the gateway."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from migrator.facts.settings import load_run
from migrator.generation.gateway import TEMPLATE
from migrator.generation.templating import render
from migrator.operation.monolith import RunningMonolith
from migrator.operation.nginx import Gateway
from migrator.operation.ports import free_port
from migrator.operation.process import Processes

SAID = """

@app.route("/said", methods=["POST"])
def said():
    return jsonify([[name.title(), value] for name, value in request.headers])
"""
SENT = {"X-Forwarded-For": "10.1.2.3", "X-Tester": "yes", "Accept": "*/*", "Connection": "close"}


class _Said(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        said = json.dumps([[name.title(), value] for name, value in self.headers.items()])
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def through_the_gateway(folder: Path, host: str) -> list[list[str]]:
    template = folder / TEMPLATE
    template.parent.mkdir(parents=True)
    one = {"services": ["notes"], "default_service": "notes", "routes": [], "paths": []}
    template.write_text(render("gateway/nginx.conf.template.j2", **one, also={}, body_size="0"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Said)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = Gateway(folder, folder / "gateway", free_port())
    with Processes(folder / "processes.json") as processes:
        servers = {"notes": [f"127.0.0.1:{server.server_address[1]}"]}
        gateway.start(processes, servers, folder / "gateway.log")
        said = requests.post(f"{gateway.url}/said", headers={**SENT, "Host": host}, data="x=1")
        gateway.stop(processes)
    server.shutdown()
    return list(said.json())


def test_both_sides_get_the_same_headers(notes: Path, tmp_path: Path) -> None:
    source = notes / "pages.py"
    source.write_text(source.read_text() + SAID)
    with RunningMonolith(notes, load_run(notes), tmp_path / "run") as monolith:
        answer = requests.post(
            f"{monolith.base_url}/said", headers={**SENT, "Host": "here.test"}, data="x=1"
        )
        own, behind = answer.json(), through_the_gateway(tmp_path / "system", "here.test")
    assert [name for name, _ in own] == [name for name, _ in behind]
    different = {name for name, value in own if [name, value] not in behind}
    assert different == {"X-Request-Id"}
