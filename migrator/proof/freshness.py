"""Replicas follow their owners: reads of own writes by concurrent clients, none stale.

A *canary* is a text in an owner's row that shows in an answer of another service, which can only
have it from its replica. Writers change the row in the owner's database, as a transaction of the
owner's does, and then ask the other service: the answer must have the new text.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from migrator.model.manifest import ReplicaTable, ServiceManifest
from migrator.proof.exchange import NO_ANSWER, Exchange
from migrator.proof.outage import Probe, ask
from migrator.proof.tables import Row

ROWS = 40
"""Rows of a table that are tried as canaries."""
SECONDS = 20.0
"""For a read."""
PATIENCE = 60.0
"""Seconds for a read that was not answered in time, when it is asked again."""


class Canary(msgspec.Struct, kw_only=True):
    """A text column of an owner's row, and a request to another service that shows it."""

    owner: str
    reader: str
    table: str
    column: str
    rowid: int
    text: str
    probe: Probe

    @property
    def value(self) -> tuple[str, str, str, int]:
        """What is written to."""
        return (self.owner, self.table, self.column, self.rowid)


class _Marks:
    """What each client wrote last into one value."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.of_client: dict[int, str] = {}


class Pairs(msgspec.Struct, kw_only=True):
    """What came of writing and then reading."""

    pairs: int = 0
    stale: list[str] = []
    canaries: int = 0


Ask = Callable[[Probe, float], Exchange]
"""Asks the request of a probe again, and waits for the answer as many seconds."""


def patient(url: str, forget: Callable[[], object]) -> Ask:
    """Asks at `url`, and where the status is another once more, after what `forget` does.

    What is asked again and again runs into limits of rates.
    """

    def ask_again(probe: Probe, seconds: float) -> Exchange:
        answer = ask(probe.request, url, seconds)
        if answer.status in (probe.answer.status, NO_ANSWER):
            return answer
        forget()
        return ask(probe.request, url, seconds)

    return ask_again


def find_canaries(
    asked: Ask,
    manifests: dict[str, ServiceManifest],
    databases: dict[str, Path],
    probes: list[Probe],
) -> list[Canary]:
    """At most one canary for each replicated column, found by trying.

    A text by which another canary's page finds its row (a name in a path) is none: while it is
    changed, that page is not there.
    """
    found: list[Canary] = []
    for reader, manifest in sorted(manifests.items()):
        pages = [
            each
            for each in probes
            if each.service == reader and each.request.method == "GET" and each.answer.status == 200
        ]
        for table, replica in sorted(manifest.replicas.items()):
            fresh = [each for each in pages if _catches_up(replica, each)]
            if fresh:
                found.extend(
                    _canaries_of(asked, databases[replica.owner], replica.owner, table, fresh)
                )
    return [each for each in found if not _hides(each, found, asked, databases)]


def _catches_up(replica: ReplicaTable, page: Probe) -> bool:
    """Whether a request must show what its client has just written at the owner."""
    if replica.freshness == "session":
        sent = {name.lower() for name, _ in page.request.request_headers}
        return bool(sent & {"cookie", "authorization"})
    return replica.freshness == "strict"


def _hides(canary: Canary, others: list[Canary], asked: Ask, databases: dict[str, Path]) -> bool:
    """Whether what is written of others no longer shows in their pages while this one is changed.

    Its page may not be answered then, or be that of something that is not found.
    """
    with _changed(canary, "canary", databases):
        return any(
            not _shown(each, asked, databases) for each in others if each.value != canary.value
        )


def _shown(canary: Canary, asked: Ask, databases: dict[str, Path]) -> bool:
    mark = f"shown{canary.rowid}x"
    with _changed(canary, mark, databases):
        return mark.encode() in asked(canary.probe, SECONDS).body


@contextmanager
def _changed(canary: Canary, mark: str, databases: dict[str, Path]) -> Iterator[None]:
    """The canary with a mark behind its text, as long as the block runs."""
    write = partial(_write, databases[canary.owner], canary.table, canary.column)
    write([(f"{canary.text} {mark}", canary.rowid)])
    try:
        yield
    finally:
        write([(canary.text, canary.rowid)])


def _canaries_of(
    asked: Ask, database: Path, owner: str, table: str, pages: list[Probe]
) -> list[Canary]:
    found = []
    for column in _text_columns(database, table):
        rows = _rows(database, table, column)
        marks = {rowid: f"canary{rowid}x{len(text)}x" for rowid, text in rows}
        try:
            _write(database, table, column, [(f"{text} {marks[i]}", i) for i, text in rows])
        except sqlite3.IntegrityError:
            continue
        try:
            found.extend(_showing(asked, pages, owner, table, column, rows, marks))
        finally:
            _write(database, table, column, [(text, rowid) for rowid, text in rows])
    return found


def _showing(
    asked: Ask,
    pages: list[Probe],
    owner: str,
    table: str,
    column: str,
    rows: list[tuple[int, str]],
    marks: dict[int, str],
) -> list[Canary]:
    for page in pages:
        body = asked(page, SECONDS).body
        for rowid, text in rows:
            if marks[rowid].encode() in body:
                return [
                    Canary(
                        owner=owner,
                        reader=page.service,
                        table=table,
                        column=column,
                        rowid=rowid,
                        text=text,
                        probe=page,
                    )
                ]
    return []


def read_own_writes(
    asked: Ask, databases: dict[str, Path], canaries: list[Canary], clients: int, pairs: int
) -> Pairs:
    """`clients` concurrent clients make `pairs` writes in all, and read each back at once."""
    result = Pairs(canaries=len(canaries))
    if not canaries:
        return result
    # Several readers may show one value: its writers share a lock and the marks in it.
    values = {canary.value: _Marks() for canary in canaries}

    def client(number: int) -> list[str]:
        stale = []
        for turn in range(pairs // clients):
            canary = canaries[(number + turn) % len(canaries)]
            mark = f"own{number}x{turn}x"
            marks = values[canary.value]
            with marks.lock:
                marks.of_client[number] = mark
                text = " ".join([canary.text, *marks.of_client.values()])
                database = databases[canary.owner]
                _write(database, canary.table, canary.column, [(text, canary.rowid)])
            answer = asked(canary.probe, SECONDS)
            if answer.status == NO_ANSWER:  # on a busy machine: it says nothing of what is read
                answer = asked(canary.probe, PATIENCE)
            if mark.encode() not in answer.body:
                said = (
                    f"no answer, {answer.body.decode(errors='replace')}"
                    if answer.status == NO_ANSWER
                    else f"status {answer.status}, without what was just written"
                )
                stale.append(
                    f"{canary.owner}.{canary.table}.{canary.column} read through "
                    f"{canary.reader} {canary.probe.request.target}: {said}"
                )
        return stale

    with ThreadPoolExecutor(clients) as pool:
        for stale in pool.map(client, range(clients)):
            result.stale.extend(stale)
    result.pairs = pairs // clients * clients
    for canary in canaries:
        row = (canary.text, canary.rowid)
        _write(databases[canary.owner], canary.table, canary.column, [row])
    return result


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text_columns(database: Path, table: str) -> list[str]:
    """Columns of text that are neither key nor foreign key."""
    with closing(sqlite3.connect(database, timeout=30)) as db:
        info = db.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
        foreign = {row[3] for row in db.execute(f"PRAGMA foreign_key_list({_quoted(table)})")}
    return [
        name
        for _, name, declared, _, _, key in info
        if not key and name not in foreign and any(t in declared.upper() for t in ("CHAR", "TEXT"))
    ]


def _rows(database: Path, table: str, column: str) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(database, timeout=30)) as db:
        rows: list[Row] = db.execute(
            f"SELECT rowid, {_quoted(column)} FROM {_quoted(table)}"
            f" WHERE typeof({_quoted(column)}) = 'text' ORDER BY rowid LIMIT {ROWS}"
        ).fetchall()
    return [(int(str(rowid)), str(text)) for rowid, text in rows]


def _write(database: Path, table: str, column: str, values: list[tuple[str, int]]) -> None:
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as db:
        db.execute("PRAGMA recursive_triggers = ON")
        db.execute("BEGIN IMMEDIATE")
        db.executemany(f"UPDATE {_quoted(table)} SET {_quoted(column)} = ? WHERE rowid = ?", values)
        db.execute("COMMIT")
