"""`python -m servicekit.alone`: the service in one process, against recorded answers of the others.

For working on one service: start it under a debugger, set a breakpoint, ask it with a browser. No
sibling, gateway or worker process is needed. `recorded/` beside `service.json` holds the rows that
it begins with, its siblings' tables, and what they answered (`migrator up --record-siblings` writes
it); without it, own tables and copies are empty, and calls are answered with 503.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import ThreadingMixIn
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

_EPOCH = "recorded"


class Siblings:
    """What siblings answered: their tables as they were before calls, then what these changed."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._snapshots: Dict[str, List[Dict[str, Any]]] = {}
        self._columns: Dict[str, Dict[str, List[str]]] = {}
        self._events: Dict[str, List[Dict[str, Any]]] = {}
        self._calls: Dict[Tuple[str, str], List[Dict[str, Any]]] = {}
        self._heads: Dict[str, int] = {}
        self._begins: Dict[str, int] = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                for line in stream:
                    self._take(json.loads(line))
        self._begins.update(self._heads)
        for owner, events in self._events.items():
            self._heads[owner] = max(self._heads.get(owner, 0), self._before_calls(owner, events))

    def _before_calls(self, owner: str, events: List[Dict[str, Any]]) -> int:
        """How far the owner's feed was before the first call: nobody here had a part in that."""
        calls = [each for (name, _), said in self._calls.items() if name == owner for each in said]
        if not calls:
            return max(int(event["seq"]) for event in events)
        return min(int(each.get("known", 0)) for each in calls)

    def _take(self, said: Dict[str, Any]) -> None:
        owner = said["owner"]
        if "batch" in said:
            self._snapshots.setdefault(owner, []).append(said["batch"])
        elif "head" in said:
            self._heads[owner] = said["head"]
        elif "event" in said:
            self._events.setdefault(owner, []).append(said["event"])
            self._columns.setdefault(owner, {})[said["event"]["table"]] = said["columns"]
        else:
            self._calls.setdefault((owner, said["call"]), []).append(said)

    def snapshot(self, owner: str, tables: List[str]) -> bytes:
        """All rows of some tables, as a feed's snapshot."""
        lines: List[Any] = [{"epoch": _EPOCH, "head": self._begins.get(owner, 0)}]
        lines += [b for b in self._snapshots.get(owner, []) if b["table"] in tables]
        return b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, {"end": True}])

    def events(self, owner: str, after: int, tables: List[str]) -> Dict[str, Any]:
        """What calls that were answered so far have changed."""
        head = self._heads.get(owner, 0)
        found = [
            event
            for event in self._events.get(owner, [])
            if after < event["seq"] <= head and event["table"] in tables
        ]
        columns = self._columns.get(owner, {})
        position = {"epoch": _EPOCH, "head": head, "end": head, "next": head}
        return {**position, "columns": columns, "events": found}

    def call(self, owner: str, function: str, items: Any) -> Tuple[int, Dict[str, Any]]:
        """The recorded answer to these arguments that was not given yet, else the last of them.

        Where nobody asked with these arguments, the next answer of the function.
        """
        with self._lock:
            recorded = self._calls.get((owner, function), [])
            same = [each for each in recorded if each["items"] == items]
            fresh = [each for each in same or recorded if not each.get("given")]
            chosen = fresh[:1] or same[-1:] or recorded[-1:]
            if not chosen:
                told = "no answer of %s to %s was recorded" % (owner, function)
                print("alone: %s, asked with %s" % (told, json.dumps(items)), file=sys.stderr)
                return 424, {"service": owner}
            (found,) = chosen
            if not same:
                given = json.dumps(found["items"])
                told = "nobody asked %s with %s" % (function, json.dumps(items))
                print("alone: %s: the answer to %s is given" % (told, given), file=sys.stderr)
            found["given"] = True
            answer = dict(found["answer"])
            if "head" in answer:
                head = max(self._heads.get(owner, 0), answer["head"])
                self._heads[owner] = head
                answer.update(epoch=_EPOCH, head=head)
            return found["status"], answer


class _Server(ThreadingHTTPServer):
    """Stands in for one sibling."""

    daemon_threads = True

    def __init__(self, siblings: Siblings, owner: str) -> None:
        self.siblings, self.owner = siblings, owner
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    """Answers `/feed/...` and `/calls/...`."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        owner = self.server.owner
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        tables = asked.get("tables", "").split(",")
        if path == "/feed/snapshot":
            self._send(200, self.server.siblings.snapshot(owner, tables))
        elif path == "/feed/events":
            if asked.get("epoch") not in (None, "", _EPOCH):
                self._send(410, b"{}")
                return
            after = int(asked.get("after", "0"))
            self._send(200, _json(self.server.siblings.events(owner, after, tables)))
        else:
            self._send(200, _json(self.server.siblings.events(owner, 0, [])))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if self.path.startswith("/calls/"):
            function = self.path[len("/calls/") :]
            status, answer = self.server.siblings.call(
                self.server.owner, function, body.get("items")
            )
            self._send(status, _json(answer))
        else:
            self._send(200, b"{}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The application's own requests are what is looked at."""


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def _with_whole_bodies(application: Callable[..., Any]) -> Callable[..., Any]:
    """wsgiref gives a request's body without its end: who reads on would wait for ever."""

    def bounded(environ: Dict[str, Any], start_response: Callable[..., Any]) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        return application(environ, start_response)

    return bounded


def prepare(root: str, data: str, base_url: str) -> None:
    """Set the environment of this process, and make the databases in `data` where there are none.

    `root` is the folder of `service.json`.
    """
    with open(os.path.join(root, "service.json"), encoding="utf-8") as stream:
        manifest = json.load(stream)
    recorded = os.path.join(root, "recorded")
    siblings = Siblings(os.path.join(recorded, "siblings.jsonl"))
    peers = {}
    for part in ("replicas", "calls"):
        for each in manifest[part].values():
            if each["owner"] not in peers:
                url = "http://127.0.0.1:%d" % _Server(siblings, each["owner"]).server_port
                peers[each["owner"]] = {"calls": url, "feed": url}
    files = os.path.join(data, "files")
    if os.path.isdir(os.path.join(recorded, "files")) and not os.path.isdir(files):
        shutil.copytree(os.path.join(recorded, "files"), files)
    os.makedirs(files, exist_ok=True)
    os.environ.update(_environment(manifest, root, data, files, base_url))
    os.environ["SERVICE_PEERS"] = json.dumps(peers)
    # Siblings' positions are those of this recording: copies are filled from it anew.
    for name in os.listdir(data):
        if name.startswith("replicas.db"):
            os.remove(os.path.join(data, name))
    _migrate(os.path.join(recorded, "own.sql"))


def _environment(
    manifest: Dict[str, Any], root: str, data: str, files: str, base_url: str
) -> Dict[str, str]:
    ports: Dict[str, int] = {}

    def fill(match: Any) -> str:
        if match.group(1) == "data":
            return files
        if match.group(1) == "base_url":
            return base_url
        return str(ports.setdefault(match.group(2), _free_port()))

    pattern = r"\{(data|base_url|port:?([\w.-]*))\}"
    given = {
        name: os.environ.get(name) or re.sub(pattern, fill, value)
        for name, value in manifest["environment"].items()
    }
    return {
        **given,
        "SERVICE_NAME": manifest["name"],
        "SERVICE_MANIFEST": os.path.join(root, "service.json"),
        "SERVICE_DATA": data,
        "SERVICE_CREDENTIAL": "of nobody",
        "SERVICE_PUBLIC_URL": base_url,
        # A breakpoint must not make anybody give up.
        "SERVICE_CALL_DEADLINE": "3600",
        "SERVICE_FEED_TIMEOUT": "60",
        manifest["database_variable"]: "sqlite:///" + os.path.join(data, "service.db"),
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _migrate(rows: str) -> None:
    from servicekit.migrate import migrate, statements
    from servicekit.replicas import replicas
    from servicekit.settings import settings

    database = settings().file("service.db")
    new = not os.path.exists(database)
    migrate(settings())
    if new and os.path.exists(rows):
        connection = sqlite3.connect(database, isolation_level=None)
        with open(rows, encoding="utf-8") as stream:
            connection.execute("BEGIN")
            for statement in statements(stream.read()):
                connection.execute(statement)
            connection.execute("COMMIT")
        connection.close()
        migrate(settings(), new_epoch=True)
    replicas().catch_up(settings().owners(), timeout=60.0)


def main(arguments: Optional[List[str]] = None) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m servicekit.alone", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: a free one")
    parser.add_argument("--data", help="keep the data there; default: begin anew each time")
    chosen = parser.parse_args(arguments)
    root = os.environ.get("SERVICE_ROOT") or os.path.dirname(os.getcwd())
    port = chosen.port or _free_port()
    base_url = "http://127.0.0.1:%d" % port
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.abspath(chosen.data or folder)
        os.makedirs(data, exist_ok=True)
        prepare(root, data, base_url)
        from servicekit.wsgi import build

        application = _with_whole_bodies(build())
        server = make_server("127.0.0.1", port, application, _Threads, WSGIRequestHandler)
        print("alone at %s" % base_url, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()


if __name__ == "__main__":
    main()
