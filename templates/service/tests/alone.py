"""The service alone: an empty folder, a fresh database, and owners whose tables are empty.

No sibling is needed. What a sibling's feed answers is what its contract says: a position and rows.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(ROOT, "src")

with open(os.path.join(ROOT, "service.json"), encoding="utf-8") as stream:
    MANIFEST = json.load(stream)


def free_port():
    """A port on loopback that nobody listens on."""
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class EmptyOwner(BaseHTTPRequestHandler):
    """The feed of an owner that has no rows and no events."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/feed/snapshot":
            body = b'{"epoch": "empty", "head": 0}\n{"end": true}\n'
        elif path == "/feed/head":
            body = b'{"epoch": "empty", "head": 0}'
        else:
            body = json.dumps(
                {"epoch": "empty", "head": 0, "end": 0, "next": 0, "columns": {}, "events": []}
            ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


class Alone:
    """A folder, its environment variables, and the processes that were started in it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.owner = ThreadingHTTPServer(("127.0.0.1", 0), EmptyOwner)
        threading.Thread(target=self.owner.serve_forever, daemon=True).start()
        self.processes = []
        self.environment = self._environment()

    def _environment(self):
        data = self.folder.name
        feed = "http://127.0.0.1:%d" % self.owner.server_port
        owners = {replica["owner"] for replica in MANIFEST["replicas"].values()}
        ports = {}

        def fill(match):
            if match.group(1) == "data":
                return data
            if match.group(1) == "base_url":
                return "http://127.0.0.1"
            return str(ports.setdefault(match.group(2), free_port()))

        values = dict(os.environ)
        for name, value in MANIFEST["environment"].items():
            values[name] = re.sub(r"\{(data|base_url|port:?([\w.-]*))\}", fill, value)
        values.update(
            {
                "PYTHONPATH": SOURCE,
                "SERVICE_NAME": MANIFEST["name"],
                "SERVICE_MANIFEST": os.path.join(ROOT, "service.json"),
                "SERVICE_DATA": data,
                "SERVICE_PEERS": json.dumps({owner: {"feed": feed} for owner in owners}),
                "SERVICE_CREDENTIAL": "of the tests",
                "SERVICE_PUBLIC_URL": "http://127.0.0.1",
                "SERVICE_GRACE": "1",
                MANIFEST["database_variable"]: "sqlite:///" + os.path.join(data, "service.db"),
            }
        )
        return values

    def run(self, *arguments):
        """Run a Python command of the service to its end; its standard output."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=SOURCE,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError("%s:\n%s%s" % (arguments, done.stdout, done.stderr))
        return done.stdout

    def start(self, *commands):
        """Start servers of the service; their addresses once all of them answer."""
        started = [self._start(command) for command in commands]
        return [self._address(*each) for each in started]

    def _start(self, arguments):
        port = free_port()
        log = os.path.join(self.folder.name, "%d.log" % port)
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=SOURCE,
                env=dict(self.environment, SERVICE_PORT=str(port)),
                stdout=output,
                stderr=output,
            )
        self.processes.append(process)
        return process, port, log

    def _address(self, process, port, log):
        address = "http://127.0.0.1:%d" % port
        # Long, for a busy machine: who ends before is told at once.
        deadline = time.monotonic() + max(300, MANIFEST["startup_seconds"])
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                if self.get(address + "/_service/live", timeout=2)[0] == 200:
                    return address
            time.sleep(0.1)
        with open(log, encoding="utf-8", errors="replace") as output:
            raise AssertionError("%s did not start:\n%s" % (process.args, output.read()))

    @staticmethod
    def get(url, timeout=30):
        """Status and body of a page, whatever its status."""
        try:
            with urllib.request.urlopen(url, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self):
        """End all processes and remove the folder."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=30)
        self.owner.shutdown()
        self.owner.server_close()
        self.folder.cleanup()
