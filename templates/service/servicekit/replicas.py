"""The consumer: copies of other services' tables, kept equal to their owners' by their feeds.

A cursor (epoch, seq) per owner lies in replicas.db and moves in the same transaction as the rows,
so that every event is applied exactly once, by whichever process of the service comes first.
Only whole transactions are applied: all pages up to one head, then one commit.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple
from urllib.parse import quote

from servicekit import metrics
from servicekit.errors import DependencyUnavailable
from servicekit.logs import logger
from servicekit.peers import Line, Unreachable, ask
from servicekit.replica_rows import NeedsSnapshot, Writer, fill, lines
from servicekit.settings import settings
from servicekit.sqlite import immediate, of_thread, quoted

TOO_FAR_BEHIND = 50000
"""Events after which a snapshot is cheaper than catching up."""

_FIRST_COPY_SECONDS = 20.0

_log = logger("replicas")


class Consumer:
    """The replicas of one owner, in this process."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.tables: Dict[str, Any] = settings().replicas_of(owner)
        self._mark = settings().file("current-" + owner)
        self._marked = 0.0
        self._turn = threading.Condition()
        self._started = 0
        self._finished = 0
        self._running = False
        self._failure: Optional[Unreachable] = None
        self._outcome: Optional[Unreachable] = None
        self._cursor: Optional[Tuple[str, int]] = None
        self._began = 0.0
        self._line = Line(owner, "feed")

    def catch_up(self, timeout: float, drain: bool = False) -> None:
        """Make the replicas hold all that the owner had committed when this was called.

        At most one round trip is under way per owner and process: who comes while one is, waits for
        the next, since that one may have been answered before the commit that he must see. Raises
        `Unreachable`.
        """
        needed, leads = self.join()
        if leads:
            self.send(timeout, drain)
            failure = self.finish(timeout, drain)
        else:
            failure = self.wait(needed, timeout, drain)
        if failure is not None:
            raise failure

    def join(self) -> Tuple[int, bool]:
        """The round that a caller who comes now needs, and whether he leads it.

        A leader calls `send` and then `finish`, whatever happens in between; all others `wait`.
        """
        with self._turn:
            needed = self._started + 1
            return needed, self._lead()

    def send(self, timeout: float, drain: bool) -> None:
        """Ask the owner for what came after the cursor; a failure is kept for `finish`."""
        self._failure = None
        self._began = time.time()
        try:
            self._cursor = self._read_cursor()
            epoch, seq = self._cursor or ("", 0)
            if self._cursor is not None or not self.tables:
                self._line.send(self._path(epoch, seq, None, drain), timeout)
        except (Unreachable, sqlite3.Error) as error:
            self._failure = _unreachable(error)

    def finish(self, timeout: float, drain: bool) -> Optional[Unreachable]:
        """Take the owner's answer and apply it; why that was not possible, or None."""
        try:
            if self._failure is None:
                self._round(timeout, drain)
        except (Unreachable, sqlite3.Error, ValueError, KeyError) as error:
            self._failure = _unreachable(error)
            if not isinstance(error, Unreachable):
                _log.error(
                    "replicas cannot be brought up to date", owner=self.owner, why=str(error)
                )
        except BaseException:
            self._failure = Unreachable("the thread that asked was ended", sent=True)
            raise
        finally:
            failure = self._failure
            if failure is not None:
                self._line.close()
            with self._turn:
                self._outcome = failure
                self._running = False
                self._finished = self._started
                self._turn.notify_all()
        metrics.catch_ups.labels(self.owner, "failed" if failure else "current").inc()
        if failure is None:
            self._mark_current(self._began)
        return failure

    def wait(self, needed: int, timeout: float, drain: bool) -> Optional[Unreachable]:
        """Wait for a round that somebody else leads, or lead it when nobody does."""
        with self._turn:
            while self._finished < needed and not self._lead():
                self._turn.wait()
            if self._finished >= needed:
                return self._outcome
        self.send(timeout, drain)
        return self.finish(timeout, drain)

    def _lead(self) -> bool:
        if self._running:
            return False
        self._running = True
        self._started += 1
        return True

    def holds(self, epoch: str, head: int) -> bool:
        """Whether the cursor has reached a position."""
        found = self._read_cursor()
        return found is not None and found[0] == epoch and found[1] >= head

    def misses(self) -> bool:
        """Whether no copy was taken yet, by any process of this service."""
        return self._read_cursor() is None

    def age(self) -> float:
        """Seconds since any process of this service last knew the replicas to be current."""
        try:
            return max(0.0, time.time() - os.stat(self._mark).st_mtime)
        except OSError:
            return float("inf")

    def _mark_current(self, at: float) -> None:
        """The time lies in a file's date, since every process and a restarted one asks for it."""
        if at - self._marked > 0.2:
            self._marked = at
            with open(self._mark, "a"):
                os.utime(self._mark, (at, at))

    def _read_cursor(self) -> Optional[Tuple[str, int]]:
        row = of_thread(settings().file("replicas.db")).execute(
            "SELECT epoch, seq FROM _cursors WHERE owner = ?", (self.owner,)
        )
        found: Optional[Tuple[str, int]] = row.fetchone()
        return found

    def _round(self, timeout: float, drain: bool) -> None:
        connection = of_thread(settings().file("replicas.db"))
        if not self.tables:
            self._line.receive(timeout)
            return
        if self._cursor is None:
            self._take_snapshot(connection, timeout)
            return
        try:
            self._follow(connection, self._cursor[0], self._cursor[1], timeout)
        except NeedsSnapshot as why:
            _log.warning("taking a new snapshot", owner=self.owner, why=str(why))
            self._take_snapshot(connection, timeout)

    def _path(self, epoch: str, after: int, upto: Optional[int], drain: bool) -> str:
        path = "/feed/events?epoch=%s&after=%d&tables=%s" % (
            quote(epoch),
            after,
            quote(",".join(self.tables)),
        )
        if upto is not None:
            path += "&upto=%d" % upto
        return path + ("&drain=1" if drain else "")

    def _follow(self, connection: sqlite3.Connection, epoch: str, seq: int, timeout: float) -> None:
        pages: List[Dict[str, Any]] = []
        after, upto = seq, None
        while upto is None or after < upto:
            if pages:
                self._line.send(self._path(epoch, after, upto, False), timeout)
            status, body = self._line.receive(timeout)
            if status == 410:
                raise NeedsSnapshot("the owner does not know the cursor")
            if status != 200:
                raise Unreachable("feed answers %d" % status, sent=True)
            page = json.loads(body)
            upto = page["end"] if upto is None else upto
            after = page["next"]
            pages.append(page)
            if upto - seq > TOO_FAR_BEHIND:
                raise NeedsSnapshot("%d events behind" % (upto - seq))
        if upto > seq:
            self._apply(connection, epoch, pages, upto)

    def _apply(
        self, connection: sqlite3.Connection, epoch: str, pages: List[Dict[str, Any]], upto: int
    ) -> None:
        applied = 0
        with immediate(connection):
            row = connection.execute(
                "SELECT epoch, seq FROM _cursors WHERE owner = ?", (self.owner,)
            ).fetchone()
            if row is None or row[0] != epoch or row[1] >= upto:
                return  # another process of this service was faster
            connection.execute("UPDATE _gate SET open = 1")
            for page in pages:
                writers = {
                    table: Writer(connection, table, columns, self.tables[table]["key"])
                    for table, columns in page["columns"].items()
                }
                for event in page["events"]:
                    if event["seq"] > row[1]:
                        writers[event["table"]].apply(event)
                        applied += 1
            connection.execute("UPDATE _cursors SET seq = ? WHERE owner = ?", (upto, self.owner))
            connection.execute("UPDATE _gate SET open = 0")
        metrics.events_applied.labels(self.owner).inc(applied)

    def _take_snapshot(self, connection: sqlite3.Connection, timeout: float) -> None:
        path = "/feed/snapshot?tables=" + quote(",".join(self.tables))
        answer = ask(self.owner, "feed", "GET", path, timeout=max(30.0, timeout), stream=True)
        try:
            if answer.status != 200:
                raise Unreachable("snapshot answers %d" % answer.status, sent=True)
            stream = lines(answer)
            first = json.loads(next(stream, b"{}"))
            with immediate(connection):
                connection.execute("UPDATE _gate SET open = 1")
                for table in self.tables:
                    connection.execute("DELETE FROM " + quoted(table))
                complete = False
                for line in stream:
                    batch = json.loads(line)
                    complete = complete or bool(batch.get("end"))
                    if "table" in batch:
                        fill(connection, batch)
                if not complete:
                    raise Unreachable("the snapshot broke off", sent=True)
                connection.execute(
                    "INSERT OR REPLACE INTO _cursors VALUES (?, ?, ?)",
                    (self.owner, first["epoch"], first["head"]),
                )
                connection.execute("UPDATE _gate SET open = 0")
        finally:
            answer.release_conn()
        metrics.snapshots.labels(self.owner).inc()


class Replicas:
    """All replicas of this service, in this process."""

    def __init__(self) -> None:
        own = settings()
        self._consumers: Dict[str, Consumer] = {}
        for name in list(own.owners()) + [n for n in own.peers if n != own.name]:
            self._consumers.setdefault(name, Consumer(name))

    def consumer(self, owner: str) -> Optional[Consumer]:
        """The consumer of an owner's feed, if it is a sibling."""
        return self._consumers.get(owner)

    def wait_for_copies(self) -> None:
        """Wait until a first copy of every owner was taken, unless that takes too long.

        An application may read while it is made, and fill what it finds empty.
        """
        end = time.monotonic() + _FIRST_COPY_SECONDS
        for consumer in self._consumers.values():
            while consumer.tables and consumer.misses() and time.monotonic() < end:
                try:
                    consumer.catch_up(_FIRST_COPY_SECONDS)
                except Unreachable:
                    time.sleep(0.1)

    def reach(self, owner: str, epoch: str, head: int, timeout: float) -> None:
        """Make the replicas of one owner hold all up to a position. Raises `Unreachable`."""
        consumer = self._consumers.get(owner)
        if consumer is not None and consumer.tables and not consumer.holds(epoch, head):
            consumer.catch_up(timeout)

    def catch_up(
        self, owners: Iterable[str], drain: Iterable[str] = (), timeout: Optional[float] = None
    ) -> Dict[str, float]:
        """Catch up with several owners at the same time, one round trip each.

        Gives {owner: age in seconds} of those that are away; what is held of them is served. Raises
        `DependencyUnavailable` for an owner that is late, not away, where the plan says `refuse`.
        """
        draining = set(drain)
        chosen = {o: self._consumers[o] for o in {*owners, *draining} if o in self._consumers}
        limit = settings().feed_timeout if timeout is None else timeout
        stale: Dict[str, float] = {}
        for consumer, failure in _all_at_once(chosen.values(), draining, limit):
            if failure is None:
                continue
            refuse = any(t.get("when_late") == "refuse" for t in consumer.tables.values())
            if refuse and failure.late:
                raise DependencyUnavailable(consumer.owner, "its feed is late")
            if consumer.tables:
                stale[consumer.owner] = consumer.age()
        return stale


def _all_at_once(
    consumers: Iterable[Consumer], draining: Set[str], timeout: float
) -> List[Tuple[Consumer, Optional[Unreachable]]]:
    """One round of each: all requests are sent before the first answer is waited for.

    What this thread leads it finishes before it waits for others, so that no two wait in a circle.
    """
    joined = [(each, *each.join()) for each in consumers]
    leading = [each for each, _, leads in joined if leads]
    for each in leading:
        each.send(timeout, each.owner in draining)
    outcomes: List[Tuple[Consumer, Optional[Unreachable]]] = []
    for each in leading:
        outcomes.append((each, each.finish(timeout, each.owner in draining)))
    for each, needed, leads in joined:
        if not leads:
            outcomes.append((each, each.wait(needed, timeout, each.owner in draining)))
    return outcomes


def _unreachable(error: Exception) -> Unreachable:
    return error if isinstance(error, Unreachable) else Unreachable(repr(error), sent=True)


_lock = threading.Lock()
_of_process: Dict[int, Replicas] = {}


def replicas() -> Replicas:
    """The replicas as this process sees them (a forked child starts anew)."""
    pid = os.getpid()
    with _lock:
        if pid not in _of_process:
            _of_process.clear()
            _of_process[pid] = Replicas()
        return _of_process[pid]
