"""Texts by which it is seen whether own writes are read: none that hides another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from migrator.model.manifest import ReplicaTable, ServiceManifest
from migrator.proof.exchange import Exchange
from migrator.proof.freshness import Canary, find_canaries, patient, read_own_writes
from migrator.proof.outage import Probe

NAMELESS = ("/late", "/limited")
MOST = 5
ASKED: list[str] = []
"""Paths that were asked since limits were forgotten."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Pages of a table: a list of their slugs, and each by its slug; 200 also for none."""
    database = tmp_path / "service.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE page (id INTEGER PRIMARY KEY, slug TEXT, content TEXT)")
        db.execute("INSERT INTO page VALUES (1, 'about', 'All of it')")
        db.commit()

    class Pages(BaseHTTPRequestHandler):
        late = True

        def do_GET(self) -> None:
            if self.path == "/never" or (self.path == "/late" and Pages.late):
                Pages.late = False
                return
            with closing(sqlite3.connect(database)) as db:
                rows = db.execute("SELECT slug, content FROM page").fetchall()
            found = [content for slug, content in rows if self.path in (f"/page/{slug}", *NAMELESS)]
            body = " ".join([slug for slug, _ in rows] if self.path == "/" else found).encode()
            ASKED.append(self.path)
            limited = ASKED.count("/limited") > MOST
            self.send_response(429 if limited else 200)
            body = b"slow down" if limited else body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", database
    server.shutdown()
    server.server_close()


def probe(path: str) -> Probe:
    asked = Exchange(ordinal=0, method="GET", target=path, status=200)
    return Probe(request=asked, answer=asked, service="front", needs=[], noise=set())


@pytest.mark.parametrize(
    ("paths", "columns"), [(["/page/about", "/"], ["content"]), (["/"], ["slug"])]
)
def test_a_text_by_which_a_page_is_found_is_no_canary(
    site: tuple[str, Path], paths: list[str], columns: list[str]
) -> None:
    url, database = site
    front = ServiceManifest(
        name="front", application="x:y", replicas={"page": ReplicaTable(owner="pages", key=["id"])}
    )
    probes = [probe(path) for path in paths]
    found = find_canaries(patient(url, list), {"front": front}, {"pages": database}, probes)
    assert [each.column for each in found] == columns
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT * FROM page").fetchall() == [(1, "about", "All of it")]


@pytest.mark.parametrize(("path", "stale"), [("/late", False), ("/never", True)])
def test_a_read_without_an_answer_is_asked_again_before_it_counts(
    site: tuple[str, Path], path: str, stale: bool
) -> None:
    url, database = site
    seen = Canary(
        owner="pages", reader="front", table="page", column="content", rowid=1,
        text="All of it", probe=probe(path),
    )  # fmt: skip
    pairs = read_own_writes(patient(url, list), {"pages": database}, [seen], clients=1, pairs=1)
    assert (pairs.pairs, bool(pairs.stale)) == (1, stale)
    assert all("no answer, RemoteDisconnected" in words for words in pairs.stale)


@pytest.mark.parametrize(("forget", "stale"), [(ASKED.clear, False), (list, True)])
def test_a_read_that_runs_into_a_limit_is_asked_again_when_it_is_forgotten(
    site: tuple[str, Path], forget: Callable[[], object], stale: bool
) -> None:
    url, database = site
    ASKED.clear()
    seen = Canary(
        owner="pages", reader="front", table="page", column="content", rowid=1,
        text="All of it", probe=probe("/limited"),
    )  # fmt: skip
    pairs = read_own_writes(patient(url, forget), {"pages": database}, [seen], 2, 4 * MOST)
    assert (pairs.pairs, bool(pairs.stale)) == (4 * MOST, stale)
