"""One unit of work (a request, a call, a command): its id, its keys, and what went wrong in it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
import uuid
from collections import Counter
from typing import Any, Callable, Dict, Iterator, List, Optional

_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Scope:
    """`violation` remembers an error that application code swallowed all the same."""

    def __init__(self, request_id: str, trail: str = "", deadline: Optional[float] = None) -> None:
        self.request_id = request_id
        self.trail = trail or request_id
        self.deadline = deadline
        self.violation: Optional[BaseException] = None
        self.stale: Dict[str, float] = {}
        self.values: Dict[str, Any] = {}
        self._ordinals: Counter = Counter()

    def key(self, site: str) -> str:
        """The idempotency key of the next call from `site`: request id, call site, ordinal.

        `trail` sets the calls that a call makes apart from those of the request itself.
        """
        self._ordinals[site] += 1
        return "%s/%s/%d" % (self.trail, site, self._ordinals[site])

    def remaining(self, most: float) -> float:
        """Seconds until the deadline of this unit, at most `most`."""
        if self.deadline is None:
            return most
        return max(0.0, min(most, self.deadline - time.time()))


_local = threading.local()
on_start: List[Callable[[], None]] = []
"""Run whenever a unit of work begins: what is kept per request empties itself here."""


def current() -> Scope:
    """The unit of work of this thread; outside of one, each call makes a fresh id."""
    found = getattr(_local, "scope", None)
    return found if found is not None else Scope(new_id())


def active() -> Optional[Scope]:
    """The unit of work of this thread, or None."""
    return getattr(_local, "scope", None)


@contextlib.contextmanager
def unit(scope: Scope) -> Iterator[Scope]:
    """Run the block as one unit of work of this thread."""
    before = getattr(_local, "scope", None)
    _local.scope = scope
    try:
        for reset in on_start:
            reset()
        yield scope
    finally:
        _local.scope = before


@contextlib.contextmanager
def resumed(scope: Scope) -> Iterator[None]:
    """Go on with a unit of work that has begun before: a body that is sent piece by piece."""
    before = getattr(_local, "scope", None)
    _local.scope = scope
    try:
        yield
    finally:
        _local.scope = before


def new_id(given: Optional[str] = None) -> str:
    """A request id: the given one if it is a sane one, or a new one."""
    return given if given and _SAFE.fullmatch(given) else uuid.uuid4().hex
