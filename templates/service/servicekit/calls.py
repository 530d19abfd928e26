"""Calling a function that runs at another service: what a cut function's body does.

return call("package.module.function", (positional, ...), {"keyword": ...})
"""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from circuitbreaker import CircuitBreaker, CircuitBreakerError

from servicekit import frameworks, metrics, outbox, scope, sessions, settlement
from servicekit.entities import Entities, adopt, expire_replicas
from servicekit.errors import (
    CannotCross,
    ConstraintRefused,
    DependencyUnavailable,
    OwnershipViolation,
    RemoteError,
    RowConflict,
)
from servicekit.logs import logger
from servicekit.peers import Unreachable, ask, json_of
from servicekit.replicas import replicas
from servicekit.settings import settings
from servicekit.sqlite import of_thread
from servicekit.values import Codec

_DOWN_SECONDS = 0.3
"""How long a refused connection is tried again: a restart, not an absence."""

_log = logger("calls")
_lock = threading.Lock()
_breakers: Dict[str, CircuitBreaker] = {}

Arguments = Tuple[Sequence[Any], Mapping[str, Any]]


def call(
    function: str, args: Sequence[Any] = (), kwargs: Optional[Mapping[str, Any]] = None
) -> Any:
    """Run `function` at its owner with these arguments; returns or raises what it does there.

    The owner's commits and rollbacks are repeated on the caller's session, since code relies on the
    callee's `commit()` to save its own changes. Raises `DependencyUnavailable` when the owner
    cannot be reached before the deadline, `CannotCross` for a value that cannot travel.
    """
    return _functions(function, [(args, kwargs or {})])[0]


def call_many(function: str, calls: Sequence[Arguments]) -> List[Any]:
    """The same function with several arguments in one request and one transaction, in order."""
    return _functions(function, calls) if calls else []


call.many = call_many  # type: ignore[attr-defined]


def _functions(function: str, calls: Sequence[Arguments]) -> List[Any]:
    outgoing = settings().part("calls")[function]
    entities = Entities()
    codec = Codec(entities)
    items = [
        {
            "args": [
                codec.encode(a, "%s: argument %d" % (function, i)) for i, a in enumerate(args)
            ],
            "kwargs": {
                k: codec.encode(v, "%s: argument %s" % (function, k)) for k, v in kw.items()
            },
        }
        for args, kw in calls
    ]
    context = frameworks.glue().capture(outgoing.get("context", []), codec)
    body = {"items": items, "context": context}
    answer = exchange(outgoing["owner"], function, body)
    session = sessions.current()
    for made, key in zip(entities.transients, answer["keys"]):
        if key is not None:
            adopt(session, made, codec.decode(key))
    decoder = Codec(Entities())
    for form in answer["changed"]:
        decoder.decode(form)
    if "exception" in answer:
        raise _rebuilt(decoder, answer["exception"])
    return [decoder.decode(result) for result in answer["results"]]


def exchange(owner: str, site: str, body: Dict[str, Any]) -> Dict[str, Any]:
    """Send one call and repeat its outcome on the caller's session; the decoded answer."""
    session = sessions.current()
    pending = session is not None and sessions.something_pending(session)
    unit = scope.current()
    key = unit.key(site)
    until = time.time() + unit.remaining(settings().call_deadline)
    now = outbox.position(of_thread(settings().file("service.db")))
    body.update(key=key, deadline=until, caller=settings().name, position=list(now))
    settlement.record(key, owner, pending, until)
    started = time.perf_counter()
    try:
        answer = _send(owner, site, body, until)
    except Unreachable as error:
        metrics.calls.labels(site, "unavailable").inc()
        if not error.sent or settlement.undo(key, owner, everything=True):
            settlement.drop(key)
        raise DependencyUnavailable(owner, str(error)) from error
    except BaseException:
        settlement.drop(key)  # the owner refused: nothing was done there
        raise
    metrics.call_seconds.labels(site).observe(time.perf_counter() - started)
    metrics.calls.labels(site, "exception" if "exception" in answer else "result").inc()
    _repeat(session, key, owner, answer, pending)
    _see(session, owner, answer)
    return answer


def _send(owner: str, site: str, body: Dict[str, Any], until: float) -> Dict[str, Any]:
    with _lock:
        breaker = _breakers.setdefault(
            owner,
            CircuitBreaker(
                failure_threshold=5,
                recovery_timeout=1,
                expected_exception=Unreachable,
                name="%s to %s" % (settings().name, owner),
            ),
        )
    try:
        answer = breaker.call(_attempts, owner, site, body, until)
    except CircuitBreakerError as error:
        raise Unreachable("it failed repeatedly a moment ago", sent=False) from error
    found: Dict[str, Any] = json_of(answer)
    if answer.status == 200:
        return found
    if answer.status == 424:
        raise DependencyUnavailable(found["service"])
    if "violation" in found:
        raise OwnershipViolation(*found["violation"])
    if "constraint" in found:
        raise ConstraintRefused(*found["constraint"])
    if "conflict" in found:
        raise RowConflict(found["conflict"])
    if answer.status == 409:
        raise DependencyUnavailable(owner, found.get("error", "cancelled"))
    raise CannotCross("%s at %s: %s" % (site, owner, found.get("error", answer.status)))


def _attempts(owner: str, site: str, body: Dict[str, Any], until: float) -> Any:
    """Try until the deadline, always with the same key: a time-out is an unknown outcome."""
    began, sent = time.time(), False
    while True:
        left = until - time.time()
        try:
            return ask(owner, "calls", "POST", "/calls/" + site, body, max(0.05, left * 0.6))
        except Unreachable as error:
            sent = sent or error.sent
            left = until - time.time()
            give_up = left < 0.1 if error.late else time.time() - began > _DOWN_SECONDS
            if give_up or left < 0.1:
                raise Unreachable(str(error), sent=sent, late=error.late) from error
        time.sleep(0.05)


def _repeat(session: Any, key: str, owner: str, answer: Dict[str, Any], pending: bool) -> None:
    """Do with the caller's session what the callee did with its own."""
    try:
        for action in answer["actions"] if session is not None else ():
            if action == "rollback":
                session.rollback()
                continue
            if pending:
                session.flush()
                settlement.mark(session, key)
            session.commit()
    except BaseException:
        settlement.undo(key, owner, everything=True)
        raise
    if answer["open"] and session is not None:
        settlement.follow(session, key, owner)
    else:
        settlement.drop(key)


def _see(session: Any, owner: str, answer: Dict[str, Any]) -> None:
    """Catch up to where the owner was after the call, and forget what was read before it."""
    if not settings().replicas_of(owner):
        return
    try:
        replicas().reach(owner, answer["epoch"], answer["head"], settings().feed_timeout)
    except Unreachable as error:
        _log.warning("the caller does not see the effect yet", owner=owner, why=str(error))
    if session is not None:
        expire_replicas(session, owner)


def _rebuilt(codec: Codec, form: Any) -> BaseException:
    if "remote" in form:
        return RemoteError(form["remote"])
    try:
        made = codec.decode(form)
    except (ImportError, AttributeError, TypeError) as error:
        return RemoteError("%s (%s)" % (form["$exception"]["class"], error))
    return made
