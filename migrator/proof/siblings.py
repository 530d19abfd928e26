"""What services ask each other, recorded, so that each can be worked on alone.

Between a service and each sibling stands a recording proxy. What a service begins with (its own
rows and files, the tables that siblings feed it) is taken when all are ready; the calls that it
makes, and what these change at siblings, as they come. `servicekit.alone` reads it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from migrator.operation.service import RunningService
from migrator.operation.system import RunningSystem
from migrator.proof.exchange import Exchange
from migrator.proof.recording import RecordingProxy

FOLDER = "recorded"
_FOLD_SECONDS = 1.0


class SiblingRecorder:
    """Stands between the services of one running system.

    Enter it first; give `between` to the system; `begin` when all are ready. On leaving, each
    service has its recording in `SERVICE/recorded`.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._proxies: dict[tuple[str, str, str], RecordingProxy] = {}
        self._said: dict[str, list[dict[str, Any]]] = {}
        self._heads: dict[tuple[str, str], list[tuple[float, int]]] = {}
        """How far a service knew an owner's feed, and when it was told."""
        self._folders: dict[str, Path] = {}
        self._stop = threading.Event()
        self._folding = threading.Thread(target=self._fold_on, daemon=True)
        self._lock = threading.Lock()

    def __enter__(self) -> SiblingRecorder:
        return self

    def between(self, service: str, sibling: str, kind: str, url: str) -> str:
        """The address of the proxy in front of a sibling's `calls` or `feed`, for one service."""
        proxy = self._stack.enter_context(RecordingProxy())
        proxy.upstream = url
        self._proxies[service, sibling, kind] = proxy
        return proxy.url

    def begin(self, system: RunningSystem) -> None:
        """Take what each service begins with; nothing may be asked of the system meanwhile."""
        for name, service in system.services.items():
            self._folders[name] = folder = service.folder / FOLDER
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if (service.data / "files").is_dir():
                shutil.copytree(service.data / "files", folder / "files")
            rows = _inserts(service.database, service.manifest.tables)
            (folder / "own.sql").write_text("".join(rows), encoding="utf-8")
            self._said[name] = []
            for owner in sorted({each.owner for each in service.manifest.replicas.values()}):
                head, batches = _snapshot(service, system.services[owner])
                self._heads[name, owner] = [(0.0, head)]
                self._said[name].append({"owner": owner, "head": head})
                self._said[name] += [{"owner": owner, "batch": batch} for batch in batches]
        self._fold()
        self._folding.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._folding.is_alive():
            self._folding.join()
        self._fold()
        self._stack.close()
        for name, folder in self._folders.items():
            lines = (json.dumps(said, separators=(",", ":")) + "\n" for said in self._said[name])
            (folder / "siblings.jsonl").write_text("".join(lines), encoding="utf-8")

    def _fold_on(self) -> None:
        while not self._stop.wait(_FOLD_SECONDS):
            self._fold()

    def _fold(self) -> None:
        """Keep of what passed since the last time what is new: feeds are asked all the time."""
        with self._lock:
            for (service, sibling, kind), proxy in self._proxies.items():
                for exchange in proxy.take_answered():
                    if service not in self._said or not exchange.body:
                        continue
                    if kind == "feed":
                        self._keep_events(service, sibling, exchange)
                    elif exchange.path.startswith("/calls/"):
                        self._keep_call(service, sibling, exchange)

    def _keep_events(self, service: str, owner: str, exchange: Exchange) -> None:
        if exchange.path != "/feed/events" or exchange.status != 200:
            return
        page = json.loads(exchange.body)
        heads = self._heads.setdefault((service, owner), [(0.0, 0)])
        for event in page.get("events", ()):
            if event["seq"] > heads[-1][1]:
                heads.append((exchange.started + exchange.elapsed, event["seq"]))
                columns = page["columns"][event["table"]]
                self._said[service].append({"owner": owner, "event": event, "columns": columns})

    def _keep_call(self, service: str, owner: str, exchange: Exchange) -> None:
        heads = self._heads.get((service, owner), [])
        self._said[service].append(
            {
                "owner": owner,
                # What came later may be what the call itself has changed.
                "known": max([0, *(seq for at, seq in heads if at < exchange.started)]),
                "call": exchange.path.removeprefix("/calls/"),
                # Not the context: it has the credentials of whoever asked.
                "items": json.loads(exchange.request_body).get("items"),
                "status": exchange.status,
                "answer": json.loads(exchange.body),
            }
        )


def _inserts(database: Path, tables: Iterable[str]) -> Iterator[str]:
    """The rows of tables as INSERT statements, values to the letter."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        for table in sorted(tables):
            name = '"' + table.replace('"', '""') + '"'
            info = db.execute(f"PRAGMA table_xinfo({name})").fetchall()
            columns = ['"' + c[1].replace('"', '""') + '"' for c in info if c[6] == 0]
            values = " || ', ' || ".join(f"quote({column})" for column in columns)
            into = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ("
            for (row,) in db.execute(f"SELECT {values} FROM {name}"):
                yield f"{into}{row});\n"


def _snapshot(service: RunningService, owner: RunningService) -> tuple[int, list[dict[str, Any]]]:
    """Head and batches of rows that an owner's feed gives a service."""
    tables = [t for t, r in service.manifest.replicas.items() if r.owner == owner.name]
    request = urllib.request.Request(
        f"{owner.address['feed']}/feed/snapshot?tables={quote(','.join(tables))}",
        headers={"Authorization": f"Bearer {service.credential}", "X-Service": service.name},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        lines = [json.loads(line) for line in answer.read().splitlines()]
    return lines[0]["head"], [line for line in lines if "table" in line]
