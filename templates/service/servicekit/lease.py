"""What must run in one process of the service at a time, though several are started.

A lease is a kernel lock on a file in the service's folder. Unlike a row with an expiry it cannot be
held by two at once, and a killed holder loses it at that moment.
"""

from __future__ import annotations

import fcntl
import functools
import glob
import hashlib
import os
import re
import threading
import time
import uuid
from typing import IO, Any, Callable, Dict, Optional, Tuple

from servicekit.errors import DependencyUnavailable
from servicekit.logs import logger
from servicekit.settings import settings

_PAUSE = 1.0

_guard = threading.Lock()
_held: Dict[str, Tuple[int, IO[str]]] = {}
_turns: Dict[str, threading.Lock] = {}


def hold(name: str, wait: bool = True) -> bool:
    """Take a lease for the rest of this process' life; False if another has it and not `wait`."""
    with _guard:
        turn = _turns.setdefault(name, threading.Lock())
    with turn:  # one thread of this process asks the kernel, the others share its answer
        if _mine(name):
            return True
        stream = open(_path(name), "a")  # noqa: SIM115
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            stream.close()
            return False
        stream.truncate(0)
        stream.write("%s %d\n" % (settings().instance, os.getpid()))
        stream.flush()
        _held[name] = (os.getpid(), stream)
        return True


def only_one(
    name: str, target: Optional[Callable[..., Any]] = None, wait: bool = True
) -> Callable[..., Any]:
    """`target`, run in one process of the service only: the first that calls, until it ends.

    In the others the call waits for the lease, or returns None with `wait=False`. Without `target`
    it is a decorator. While a sibling that it needs is away it is started again: nobody else would.
    """
    if target is None:
        return lambda function: only_one(name, function, wait)

    @functools.wraps(target)
    def leased(*args: Any, **kwargs: Any) -> Any:
        while hold(name, wait):
            try:
                return target(*args, **kwargs)
            except DependencyUnavailable as error:
                logger("lease").warning("starting again", lease=name, why=str(error))
                time.sleep(_PAUSE)
        return None

    return leased


def _mine(name: str) -> bool:
    # A forked child has the file but not the lock: record locks belong to a process.
    return name in _held and _held[name][0] == os.getpid()


def _path(name: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return settings().file("lease-%s-%s" % (readable, digest))


_marks: Dict[int, Tuple[str, IO[str]]] = {}


def process_mark() -> str:
    """A name of this process that `is_alive` knows for as long as it lives."""
    pid = os.getpid()
    with _guard:
        if pid not in _marks:
            mark, stream = uuid.uuid4().hex, None
            while stream is None or os.fstat(stream.fileno()).st_nlink == 0:
                # Made but not yet locked, it looks like that of a dead process for a moment.
                stream = open(settings().file("process-" + mark), "a")  # noqa: SIM115
                fcntl.lockf(stream, fcntl.LOCK_EX)
            _marks[pid] = (mark, stream)
        return _marks[pid][0]


def is_alive(mark: str) -> bool:
    """Whether the process that made this mark lives; the mark of a dead one is removed."""
    if _marks.get(os.getpid(), ("",))[0] == mark:
        return bool(mark)
    path = settings().file("process-" + mark)
    if not mark or not os.path.exists(path):
        return False
    with open(path, "a") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        os.remove(path)
    return False


def forget_dead() -> None:
    """Remove the marks of processes that have ended."""
    for path in glob.glob(settings().file("process-*")):
        is_alive(os.path.basename(path)[len("process-") :])
