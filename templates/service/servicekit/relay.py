"""Delivers deferred commands to their owners: at least once, in order, one owner at a time.

A command is deleted after its owner has taken it; the owner knows its key and applies it once.
"""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from typing import DefaultDict

from servicekit import metrics
from servicekit.peers import Unreachable, ask
from servicekit.settings import settings
from servicekit.sqlite import of_thread

_BATCH = 50


class Relay:
    """The relay of this process."""

    def __init__(self) -> None:
        self._locks: DefaultDict[str, threading.Lock] = defaultdict(threading.Lock)
        self._seen = -1

    def deliver(self, owner: str, timeout: float) -> int:
        """Deliver all commands that wait for one owner; how many. Raises `Unreachable`."""
        connection = of_thread(settings().file("service.db"))
        delivered = 0
        with self._locks[owner]:
            while True:
                rows = connection.execute(
                    "SELECT id, key, body FROM _commands WHERE owner = ? ORDER BY id LIMIT ?",
                    (owner, _BATCH),
                ).fetchall()
                if not rows:
                    return delivered
                commands = [{"key": key, "body": body} for _, key, body in rows]
                answer = ask(owner, "calls", "POST", "/commands", commands, timeout)
                if answer.status != 200:
                    raise Unreachable("commands answer %d" % answer.status, sent=True)
                connection.executemany(
                    "DELETE FROM _commands WHERE id = ?", [(row[0],) for row in rows]
                )
                delivered += len(rows)
                metrics.commands.labels(owner).inc(len(rows))

    def deliver_all(self) -> None:
        """Deliver what waits for any owner; cheap when nobody has written since the last time."""
        connection = of_thread(settings().file("service.db"))
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._seen:
            return
        rows = connection.execute("SELECT owner, count(*) FROM _commands GROUP BY owner").fetchall()
        metrics.waiting_commands.set(sum(count for _, count in rows))
        failure = None
        for owner, _ in rows:
            try:
                self.deliver(owner, timeout=10.0)
            except Unreachable as error:  # the other owners need not wait for this one
                failure = error
        if failure is not None:
            raise failure
        self._seen = version


@functools.lru_cache(maxsize=1)
def relay() -> Relay:
    """The relay of this process."""
    return Relay()
