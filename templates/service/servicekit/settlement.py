"""What becomes of a call at its owner when the caller's own transaction ends, or never does.

An intent is recorded before a call goes out, and a mark is written into the caller's transaction.
After a crash the mark tells whether that transaction was committed; if not, the call is undone.
"""

from __future__ import annotations

import time
from typing import Any, List, Tuple

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from servicekit.lease import forget_dead, is_alive, process_mark
from servicekit.logs import logger
from servicekit.peers import Unreachable, ask, json_of
from servicekit.replicas import replicas
from servicekit.settings import settings
from servicekit.sqlite import of_thread

_OPEN = "servicekit.open_calls"
_LONGEST = 600.0
_log = logger("settlement")


def install() -> None:
    """Watch how the transactions end that calls belong to."""
    event.listen(Session, "after_commit", _committed)
    event.listen(Session, "after_transaction_end", _ended)


def _state() -> Any:
    return of_thread(settings().file("state.db"))


def record(key: str, owner: str, pending: bool, expires: float) -> None:
    """A call is about to go out. `pending`: the caller has work that the callee may commit."""
    _state().execute(
        "INSERT OR REPLACE INTO _intents VALUES (?, ?, ?, ?, ?)",
        (key, owner, process_mark(), int(pending), expires),
    )


def drop(key: str) -> None:
    """Nothing is open any more."""
    _state().execute("DELETE FROM _intents WHERE key = ?", (key,))


def mark(session: Any, key: str) -> None:
    """Write into the session's transaction that the call belongs to it."""
    session.connection().execute(
        text("INSERT OR REPLACE INTO main._settled(key, at) VALUES (:key, :at)"),
        {"key": key, "at": time.time()},
    )


def follow(session: Any, key: str, owner: str) -> None:
    """Undo the call at its owner if the transaction that the session is in is rolled back."""
    mark(session, key)
    session.info.setdefault(_OPEN, []).append((key, owner, _innermost(session)))


def undo(key: str, owner: str, everything: bool) -> bool:
    """Take a call back: what it left open, or `everything`; the feed process goes on trying."""
    body = {"key": key, "everything": everything}
    try:
        answer = ask(owner, "calls", "POST", "/cancel", body, timeout=1.0)
        if answer.status != 200:
            raise Unreachable("cancel answers %d" % answer.status, sent=True)
        after = json_of(answer)
        if "head" in after:
            replicas().reach(owner, after["epoch"], after["head"], settings().feed_timeout)
    except Unreachable as error:
        _log.warning("a call is to be undone later", key=key, owner=owner, why=str(error))
        _state().execute(
            "UPDATE _intents SET process = '', pending = ? WHERE key = ?", (int(everything), key)
        )
        return False
    drop(key)
    return True


def settle_abandoned() -> None:
    """Finish or undo the calls of processes that died (the feed process does this)."""
    forget_dead()
    now = time.time()
    rows = _state().execute("SELECT key, owner, process, pending, expires FROM _intents").fetchall()
    for key, owner, process, pending, expires in rows:
        if is_alive(process) and now < expires + _LONGEST:
            continue
        service = of_thread(settings().file("service.db"))
        if service.execute("SELECT 1 FROM _settled WHERE key = ?", (key,)).fetchone():
            drop(key)
        elif undo(key, owner, everything=bool(pending)):
            _log.warning("a call of a process that died was undone", key=key, owner=owner)


def _innermost(session: Any) -> Any:
    """The transaction that work in the session belongs to now: a savepoint, or the root."""
    if hasattr(session, "get_nested_transaction"):
        return session.get_nested_transaction() or session.get_transaction()
    found = session.transaction
    while found is not None and not found.nested and found.parent is not None:
        found = found.parent
    return found


def _committed(session: Any) -> None:
    calls: List[Tuple[str, str, Any]] = session.info.pop(_OPEN, [])
    if not calls:
        return
    ended = _innermost(session)
    if ended is None or not ended.nested:
        for key, _, _ in calls:
            drop(key)
        return
    # A savepoint was released: what was called within it belongs to what is around it.
    session.info[_OPEN] = [
        (key, owner, ended.parent if within is ended else within) for key, owner, within in calls
    ]


def _ended(session: Any, ended: Any) -> None:
    """Rolled back or closed: what was committed is no longer listed."""
    calls: List[Tuple[str, str, Any]] = session.info.get(_OPEN, [])
    lost = [each for each in calls if each[2] is ended or ended.parent is None]
    if not lost:
        return
    session.info[_OPEN] = [each for each in calls if each not in lost]
    for key, owner, _ in reversed(lost):
        undo(key, owner, everything=False)
