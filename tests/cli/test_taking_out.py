"""A service taken out beside the remainder, while it answers: scaled, routed, and taken back."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from migrator.model.errors import ConfigurationError, OperationError
from migrator.operation.control import Route, Scale, ask
from migrator.operation.division import Division
from migrator.operation.move import join_data
from migrator.operation.ports import free_port
from migrator.operation.routes import Switch

LENDING = Path(__file__).parent.parent / "assets" / "lending"


def migrator(*arguments: object, code: int = 0, seconds: int = 200) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "migrator", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("steps") / "app"
    shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    tables = {"people": "borrower,journal", "bench": "tool,repair", "loans": "loan,fee"}
    owned = [part for name in tables for part in ("--own", f"{name}={tables[name]}")]
    migrator("propose", root, *owned)
    plan = root / "migrator.plan.yaml"
    # The order is the architect's: people first.
    order = iter((2, 3, 1))
    lines = plan.read_text().splitlines()
    plan.write_text(
        "\n".join(
            f"    order: {next(order)}" if line.startswith("    order: ") else line
            for line in lines
        )
        + "\n"
    )
    return root


@contextmanager
def running(services: Path) -> Iterator[int]:
    """`migrator up` in the background; the gateway's port."""
    port = free_port()
    with (services.parent / "up.log").open("w") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "migrator", "up", str(services), "--port", str(port)],
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 120
        while not (services / ".migrator/control.json").is_file():
            said = (services.parent / "up.log").read_text()
            assert up.poll() is None and time.monotonic() < end, said
            time.sleep(0.1)
        yield port
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    assert not (services / ".migrator/control.json").exists()


class Clients:
    """Threads that read and write on kept connections until they are told to stop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self.answers: Counter[tuple[str, str]] = Counter()
        self.enrolled: list[str] = []
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(4)]

    def _ask(self, client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        number = 0
        while not self._stop.is_set():
            number += 1
            card = f"card-{client}-{number}"
            try:
                if number % 3:
                    connection.request("GET", "/borrowers/N100" if number % 2 else "/tools")
                else:
                    body = json.dumps({"card": card, "name": "Jo", "pin": "1"})
                    headers = {"Content-Type": "application/json"}
                    connection.request("POST", "/borrowers", body, headers)
                answer = connection.getresponse()
                answer.read()
                kind = "read" if number % 3 else "write"
                self.answers[kind, f"{answer.status} {answer.getheader('X-Served-By')}"] += 1
                if answer.status == 201:
                    self.enrolled.append(card)
            except (OSError, http.client.HTTPException) as error:
                self.answers["lost", repr(error)] += 1
                connection.close()
            time.sleep(0.02)

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def route(services: Path, **switch: Any) -> None:
    ask(services, Route(service="people", switch=Switch(**switch)))


def served_by(port: int, path: str, **headers: str) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={k.replace("_", "-"): headers[k] for k in headers})
        answer = connection.getresponse()
        answer.read()
        return answer.getheader("X-Served-By") or ""


def cards(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {card for (card,) in connection.execute("SELECT card FROM borrower")}


def test_a_step_while_it_answers_and_back_again(app: Path) -> None:
    services = app.parent / "services"
    migrator("generate", app, "--step", 1, "-o", services)
    manifest = json.loads((services / "remainder/service.json").read_text())
    assert {"borrower", "journal"} <= set(manifest["kept_routes"])
    assert {"borrower", "journal"} <= set(manifest["replicas"])
    on = ("--services", services)
    with running(services) as port, Clients(port) as clients:
        grown = json.loads(migrator("scale", "people", 3, *on, "--json"))
        assert len(grown["services"]["people"]) == 3
        assert len(ask(services, Scale(service="people", processes=1)).services["people"]) == 1

        assert served_by(port, "/borrowers/N100") == "people"
        route(services, to="remainder")
        assert served_by(port, "/borrowers/N100") == "remainder"

        # Each client stays on its side, and stays with the service when it gets more.
        migrator("route", "people", "--to", "service", "--percent", 30, "--cookie", "who", *on)
        sides = [{n: served_by(port, "/journal/N100", Cookie=f"who={n}") for n in range(60)}]
        sides.append({n: served_by(port, "/journal/N100", Cookie=f"who={n}") for n in range(60)})
        assert sides[0] == sides[1]
        assert 5 <= list(sides[0].values()).count("people") <= 35
        route(services, to="remainder", percent=40, cookie="who")
        more = {n: served_by(port, "/journal/N100", Cookie=f"who={n}") for n in range(60)}
        assert {n for n in more if sides[0][n] == "people"} < {
            n for n in more if more[n] == "people"
        }

        route(services, percent=0, header="X-Tester", value="yes")
        assert served_by(port, "/borrowers/N100") == "remainder"
        assert served_by(port, "/borrowers/N100", X_Tester="yes") == "people"
        assert served_by(port, "/tools", X_Tester="yes") == "remainder"

        mirrored = ("route", "people", "--mirror", "--seconds", 2, *on, "--json")
        report = json.loads(migrator(*mirrored))
        assert report["compared"] == report["equal"] > 0
        assert report["differences"] == []

        said = migrator("route", "people", "--to", "remainder", "--method", "POST", *on, code=2)
        assert "goes to the owner" in said
        with pytest.raises(ConfigurationError, match="nothing can be routed"):
            ask(services, Route(service="remainder", switch=Switch()))
    answers = clients.answers
    assert {told.split()[0] for kind, told in answers if kind == "read"} == {"200"}, answers
    assert {told for kind, told in answers if kind == "write"} == {"201 people"}, answers
    assert not [told for kind, told in answers if kind == "lost"], answers
    # The switch outlives the run.
    assert json.loads((services / ".migrator/routes.json").read_text())["people"]["value"] == "yes"

    # The step is taken back: what was written in between is all there.
    written = set(clients.enrolled)
    assert len(written) > 20
    alone = app.parent / "alone"
    migrator("generate", app, "--step", 0, "-o", alone)
    moved = json.loads(migrator("move-data", services, alone, "--json"))
    assert moved["owners"]["borrower"] == "remainder"
    assert written <= cards(alone / ".migrator/data/remainder/service.db")
    said = migrator("up", services, "--port", free_port(), code=1)
    assert f"was moved to {alone}" in said
    whole = app.parent / "monolith"
    assert sum(join_data(alone, whole).tables.values()) == sum(moved["tables"].values())
    assert written <= cards(whole / "database.sqlite")


def test_nothing_runs_there(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="nothing runs in"):
        ask(tmp_path, Scale(service="people", processes=2))


@pytest.mark.slow
def test_every_step_is_proven_and_taken_back(app: Path, tmp_path: Path) -> None:
    """The whole roadmap, there and back to the monolith; each step is told when it was walked."""
    output = tmp_path / "walk"
    walk = [sys.executable, "-m", "migrator", "verify", str(app), "--services", str(output)]
    with subprocess.Popen([*walk, "--steps"], stdout=subprocess.PIPE, text=True) as verify:
        assert verify.stdout
        told = [(line, time.monotonic()) for line in verify.stdout]
    assert verify.returncode == 0, told
    assert [line[:24] for line, _ in told] == [
        "ok    step 0 (remainder)",
        "ok    step 1 (people, re",
        "ok    step 2 (bench, peo",
        "ok    step 3 (bench, loa",
        "ok    back from step 3 t",
        "ok    back from step 2 t",
        "ok    back from step 1 t",
        "ok    back from step 0 t",
        "proven: each step runs, ",
    ]
    assert told[-1][1] - told[0][1] > 5, "all was told at the end"
    proof = json.loads((output / ".migrator" / "steps.json").read_text())
    assert [each["services"] for each in proof["steps"]] == [
        ["remainder"],
        ["people", "remainder"],
        ["bench", "people", "remainder"],
        ["bench", "loans", "people"],
    ]
    for each in proof["steps"]:
        assert each["forward"]["equal"] == each["forward"]["requests"] > 100
        assert each["forward"]["table_differences"] == []
        assert each["back"]["asked"] == each["back"]["equal"] > 10
        assert each["back"]["written"] > 0
    # What is left of the walk can be started: its data went on in no folder that is gone.
    assert not Division(output / ".migrator/steps/.migrator/data").moved_to
