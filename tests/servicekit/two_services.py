"""Two hand-made services as real processes: built from tests/assets/servicekit and the template."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "tests" / "assets" / "servicekit"
KIT = ROOT / "templates" / "service" / "servicekit"
CREDENTIAL = "secret of the tests"


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Service:
    """One service; processes are named web-1, web-2, calls, feed."""

    def __init__(self, name: str, folder: Path, python: str) -> None:
        self.name = name
        self.folder = folder / name
        self.data = self.folder / "data"
        self.python = python
        self.ports = {process: free_port() for process in ("web-1", "web-2", "calls", "feed")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment: dict[str, str] = {}
        source = self.folder / "src"
        shutil.copytree(ASSETS / "monolith", source)
        shutil.copytree(ASSETS / name, self.folder, dirs_exist_ok=True)
        shutil.copytree(KIT, source / "servicekit", ignore=shutil.ignore_patterns("__pycache__"))

    def connect(self, peers: dict[str, dict[str, str]]) -> None:
        self.environment = {
            "PATH": os.pathsep.join([str(Path(self.python).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONHASHSEED": "0",
            "SERVICE_NAME": self.name,
            "SERVICE_MANIFEST": str(self.folder / "service.json"),
            "SERVICE_DATA": str(self.data),
            "SERVICE_PEERS": json.dumps({n: p for n, p in peers.items() if n != self.name}),
            "SERVICE_CREDENTIAL": CREDENTIAL,
            "SERVICE_CALL_DEADLINE": "2",
            "SERVICE_GRACE": "2",
            "DATABASE_URL": f"sqlite:///{self.data}/service.db",
        }

    def address(self, process: str) -> str:
        return f"http://127.0.0.1:{self.ports[process]}"

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder / "src",
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    def migrate(self, *arguments: str) -> None:
        done = self.run("-m", "servicekit.migrate", *arguments)
        assert done.returncode == 0, done.stderr

    def start(self, *names: str) -> None:
        """Start processes (all without names) and wait until they are ready."""
        for name in names or ("feed", "calls", "web-1"):
            command = [self.python, "-m", "servicekit.feed"]
            if name != "feed":
                module = "calls_server" if name == "calls" else "wsgi"
                command = [self.python, "-m", "gunicorn", "-c", "python:servicekit.gunicorn_conf"]
                command.append(f"servicekit.{module}:application")
            environment = {
                **self.environment,
                "SERVICE_PORT": str(self.ports[name]),
                "SERVICE_INSTANCE": name,
            }
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    command,
                    cwd=self.folder / "src",
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def wait_ready(self, *names: str) -> None:
        deadline = time.time() + 40
        for name in names or tuple(self.processes):
            while True:
                try:
                    answer = ask(self.address(name) + "/_service/ready")
                    if answer.status == 200:
                        break
                    why = answer.body.decode()
                except OSError as error:
                    why = str(error)
                assert time.time() < deadline, f"{name}: {why}\n{self.log(name)[-3000:]}"
                time.sleep(0.05)

    def kill(self, *names: str) -> None:
        """`kill -9` of the whole group, and wait until the port is free."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for name in names:
            while _answers(self.ports[name]):
                time.sleep(0.02)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def rows(self, sql: str, file: str = "service.db") -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.data / file, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def execute(self, sql: str, file: str = "service.db") -> None:
        connection = sqlite3.connect(self.data / file, timeout=10)
        connection.execute("PRAGMA recursive_triggers = ON")
        with connection:
            connection.execute(sql)
        connection.close()


class System:
    """Both services, running."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.accounts = Service("accounts", folder, python)
        self.orders = Service("orders", folder, python)
        self.services = (self.accounts, self.orders)
        peers = {
            s.name: {"calls": s.address("calls"), "feed": s.address("feed")} for s in self.services
        }
        for service in self.services:
            service.connect(peers)

    def __enter__(self) -> System:
        try:
            for service in self.services:
                service.migrate()
                service.start()
            for service in self.services:
                service.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        for service in self.services:
            service.kill()

    def member(self, email: str) -> int:
        answer = self.post(self.accounts, "/members", email=email)
        assert answer.status == 201, answer
        return int(answer.json["id"])

    def post(self, service: Service, path: str, process: str = "web-1", **body: Any) -> Answer:
        return ask(service.address(process) + path, "POST", body)

    def get(self, service: Service, path: str, process: str = "web-1", **headers: str) -> Answer:
        return ask(service.address(process) + path, headers=headers)

    def case(self, name: str, **body: Any) -> Any:
        answer = self.post(self.orders, "/cases/" + name, **body)
        assert answer.status == 200, answer
        return answer.json


def ask(
    url: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None
) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def eventually(condition: Any, seconds: float = 8.0) -> None:
    """Wait until `condition()` holds."""
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "it never came true"
        time.sleep(0.03)


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
