from __future__ import annotations

import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from migrator.model.errors import ConfigurationError, OperationError
from migrator.operation import ports
from migrator.operation.process import TOKEN
from migrator.operation.system import RunningSystem, read_system, reset_data


def rows(database: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(database) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


@contextmanager
def others_own(services: Path, *, note: str) -> Iterator[None]:
    """The table `note` is that of another service, or of none."""
    kept = {
        path: path.read_text()
        for name in ("authors", "notes")
        for path in (
            services / name / "service.json",
            services / name / "migrations/0001_schema.sql",
        )
    }
    texts = dict(kept)
    old, table = services / "notes", json.loads(kept[services / "notes/service.json"])["tables"]
    texts[old / "service.json"] = json.dumps(
        {**json.loads(kept[old / "service.json"]), "tables": {}}
    )
    texts[old / "migrations/0001_schema.sql"] = ""
    if note:
        new = services / note
        manifest = json.loads(kept[new / "service.json"])
        manifest["tables"] |= table
        texts[new / "service.json"] = json.dumps(manifest)
        texts[new / "migrations/0001_schema.sql"] += kept[old / "migrations/0001_schema.sql"]
    try:
        for path, text in texts.items():
            path.write_text(text)
        yield
    finally:
        for path, text in kept.items():
            path.write_text(text)


def ours(token: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN) == token:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_a_system_from_start_to_stop(notes_services: Path) -> None:
    reset_data(notes_services)
    with RunningSystem(notes_services, processes=2) as system:
        # The monolith's rows lie where their owner is, and reach the replica; that which it adds
        # where it finds none was there before any of the processes started.
        assert rows(system.databases["authors"], "author") == [(1, "Ada")]
        assert rows(system.databases["notes"], "note") == [(1, 1, "first")]
        assert requests.get(f"{system.gateway_url}/notes", timeout=5).json() == [["first", "Ada"]]
        # No event was made of them.
        assert rows(system.databases["authors"], "_outbox") == []
        # Files go to the service that names them.
        assert requests.get(f"{system.gateway_url}/paper", timeout=5).text == "blank"
        assert not list((system.service("authors").data / "files").iterdir())
        assert set(system.service("notes").running) == {
            *("feed", "calls", "web-1", "web-2", "clerk-1", "clerk-2")
        }
        suite = system.run_tests()
        assert suite.counts == {"passed": 2}, suite.log.read_text()

        token = system._running._state.token
        used = [port for service in system.services.values() for port in service.ports.values()]
        assert ours(token)
    assert not ours(token)
    assert all(ports.is_free(port) for port in [*used, system.port])
    # The data stays for the next time.
    with RunningSystem(notes_services) as again:
        assert len(rows(again.databases["authors"], "author")) == 2
    # When it is another owner's by now, it is divided anew, and no row is lost.
    with others_own(notes_services, note="authors"):
        RunningSystem(notes_services).prepare()
        data = notes_services / ".migrator/data"
        assert rows(data / "authors/service.db", "note") == [(1, 1, "first"), (2, 2, "x")]
    RunningSystem(notes_services).prepare()
    assert rows(data / "notes/service.db", "note") == [(1, 1, "first"), (2, 2, "x")]
    # Unless it is of other tables.
    with (
        others_own(notes_services, note=""),
        pytest.raises(ConfigurationError, match="the data has note, which no service") as caught,
    ):
        RunningSystem(notes_services).prepare()
    assert "--fresh" in caught.value.hint


def test_a_service_that_does_not_start(notes_services: Path) -> None:
    source = notes_services / "notes/src/pages.py"
    text = source.read_text()
    source.write_text("raise RuntimeError('no ink')\n" + text)
    try:
        system = RunningSystem(notes_services)
        with pytest.raises(OperationError, match=r"notes \S+ ended with code") as caught, system:
            pass
    finally:
        source.write_text(text)
    assert "no ink" in caught.value.log_tail
    assert ports.is_free(system.port)
    assert all(ports.is_free(p) for p in system.service("authors").ports.values())


def test_a_port_that_is_in_use(notes_services: Path) -> None:
    with socket.socket() as taken:
        taken.bind((ports.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OperationError, match=f"port {port} is in use"):
            RunningSystem(notes_services, port=port).__enter__()


@pytest.fixture(scope="module")
def system(notes_services: Path):
    reset_data(notes_services)
    with RunningSystem(notes_services) as running:
        yield running


def test_services_know_addresses_and_no_databases(system: RunningSystem) -> None:
    process = system.service("notes").running["web-1"]
    told = psutil.Process(process.pid).environ()
    others = str(system.service("authors").data)
    assert not [name for name, value in told.items() if others in value]
    assert "authors" in told["SERVICE_PEERS"]
    assert told["PYTHONHASHSEED"] == "0"
    opened = [file.path for file in psutil.Process(process.pid).open_files()]
    assert not [path for path in opened if path.startswith(others)]


def test_stop_kill_restore(system: RunningSystem) -> None:
    url = system.gateway_url
    assert requests.post(f"{url}/authors", json={"name": "Eve"}, timeout=5).status_code == 201
    system.backup("authors")

    system.stop_service("authors")
    assert requests.post(f"{url}/authors", json={"name": "Zoe"}, timeout=5).status_code == 503
    assert requests.get(f"{url}/notes", timeout=5).json() == [["first", "Ada"]]
    system.start_service("authors")
    assert requests.post(f"{url}/authors", json={"name": "Zoe"}, timeout=5).status_code == 201

    system.kill("notes", "web-1")
    assert requests.get(f"{url}/notes", timeout=5).status_code == 503
    assert system.revive() == ["notes web-1"]
    system.service("notes").wait()
    time.sleep(1.1)
    assert requests.get(f"{url}/notes", timeout=5).status_code == 200

    system.databases["authors"].write_bytes(b"garbage" * 5000)
    system.restore("authors")
    assert rows(system.databases["authors"], "author") == [(1, "Ada"), (2, "Eve")]
    requests.post(f"{url}/notes", json={"author": 2, "text": "second"}, timeout=5)
    assert requests.get(f"{url}/notes", timeout=5).json()[-1] == ["second", "Eve"]
    assert rows(system.service("notes").data / "replicas.db", "author")[-1] == (2, "Eve")

    with pytest.raises(ConfigurationError, match="no service nobody"):
        system.stop_service("nobody")
    with pytest.raises(OperationError, match="runs no process web-9"):
        system.kill("notes", "web-9")


def test_a_second_run_at_the_same_time_is_refused(system: RunningSystem) -> None:
    with pytest.raises(OperationError, match="in use by another run"):
        RunningSystem(system.output).__enter__()
    assert requests.get(f"{system.gateway_url}/notes", timeout=5).status_code == 200


def test_a_folder_without_services(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no generated services") as caught:
        read_system(tmp_path)
    assert "migrator generate" in caught.value.hint
