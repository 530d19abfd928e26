"""`gunicorn servicekit.calls_server:application`: runs functions for siblings, each call once.

`POST /calls/<dotted function>`, `POST /commands` (deferred, in order), `POST /cancel`. A call is
one transaction that also holds its key, a digest of what was asked and the answer, so that a call
that comes twice is answered twice and done once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from servicekit import (
    frameworks,
    health,
    invocation,
    logs,
    metrics,
    outbox,
    scope,
    sessions,
    transaction,
)
from servicekit import sqlalchemy as database
from servicekit.errors import (
    CannotCross,
    ConstraintRefused,
    DependencyUnavailable,
    OwnershipViolation,
    RowConflict,
)
from servicekit.feed import authorized
from servicekit.peers import Unreachable
from servicekit.replicas import replicas
from servicekit.settings import settings
from servicekit.sqlite import immediate, of_thread
from servicekit.undo import undo_rows

Answer = Tuple[int, Dict[str, Any]]
_COMMAND_SECONDS = 30.0
_log = logs.logger("calls_server")


class _Refused(Exception):
    """An answer that is not stored, since nothing was done."""

    def __init__(self, status: int, body: Dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class _Cancelled(Exception):
    """The caller has given up."""


class CallsServer:
    """The WSGI application of a calls process."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._running: Dict[str, threading.Lock] = {}
        self._cancellable: Set[str] = set()
        self._cancelled: Set[str] = set()

    def __call__(
        self, environ: Dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        page = health.page(environ.get("PATH_INFO", ""))
        if page is None:
            status, body = self._checked(environ)
            page = status, "application/json", json.dumps(body).encode()
        headers = [("Content-Type", page[1]), ("Content-Length", str(len(page[2])))]
        start_response("%d Answer" % page[0], headers)
        return [page[2]]

    def _checked(self, environ: Dict[str, Any]) -> Answer:
        if not authorized(environ):
            return 401, {"error": "credential missing or wrong"}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        text = environ["wsgi.input"].read(length).decode("utf-8")
        caller, path = environ.get("HTTP_X_SERVICE", ""), environ["PATH_INFO"]
        request_id = scope.new_id(environ.get("HTTP_X_REQUEST_ID"))
        try:
            body = json.loads(text)
            if path.startswith("/calls/"):
                return self._call(path[len("/calls/") :], body, caller, request_id)
            if path == "/commands":
                return self._commands(body, caller)
            if path == "/cancel":
                return self._cancel(body)
        except _Refused as refused:
            return refused.status, refused.body
        except DependencyUnavailable as error:
            return 424, {"service": error.service}
        except OwnershipViolation as error:
            return 409, {"violation": [error.table, error.owner]}
        except ConstraintRefused as error:
            return 409, {"constraint": list(error.args)}
        except RowConflict as error:
            return 409, {"conflict": str(error)}
        except CannotCross as error:
            return 400, {"error": str(error)}
        except (sqlite3.Error, OSError) as error:
            _log.error("a call cannot be served", why=repr(error))
            return 500, {"error": repr(error)}
        except Exception as error:
            _log.error("a call cannot be served", why=repr(error), exc_info=True)
            return 500, {"error": repr(error)}
        return 404, {"error": "no such page"}

    def _call(self, function: str, body: Dict[str, Any], caller: str, request_id: str) -> Answer:
        served = invocation.served(function, caller)
        if served is None:
            return 404, {"error": "%s is not served to %s" % (function, caller)}
        asked = {name: body.get(name) for name in ("items", "context", "rows")}
        digest = _digest(function, asked)
        with self._one_at_a_time(body["key"]):
            known = self._known(body["key"], digest)
            if known is not None:
                return known
            self._reach(caller, body["position"])
            unit = scope.Scope(request_id, body["key"], body["deadline"])
            with self._cancellable_run(body["key"]):
                answer = self._run(served, body, digest, unit)
        metrics.served.labels(function, "exception" if "exception" in answer else "result").inc()
        return 200, answer

    def _run(
        self, served: invocation.Served, body: Dict[str, Any], digest: str, unit: scope.Scope
    ) -> Dict[str, Any]:
        """Run what a call asks for, in one transaction with its answer."""
        key = body["key"]
        job = invocation.Job(served, body)
        with scope.unit(unit), self._application.context(body.get("context"), job.codec) as restore:
            _take_over_database()
            open_call = transaction.begin(key, body["deadline"] - time.time())
            try:
                answer = job.run(restore)
                if unit.violation is not None:
                    raise unit.violation
                open_call.begin()
                if job.deferred and "exception" in answer:
                    open_call.inner_rollback()  # nobody is there who could decide otherwise
                answer["actions"] = open_call.actions
                answer["open"] = open_call.left_open() and not job.deferred
                answer["epoch"], answer["head"] = open_call.position()
                open_call.execute(
                    "INSERT INTO main._calls VALUES (?, ?, 'done', ?, ?)",
                    (key, digest, json.dumps(answer), time.time()),
                )
                self._make_final(key)
                open_call.commit()
            finally:
                transaction.finish()
                sessions.discard()
        return answer

    def _commands(self, commands: List[Dict[str, Any]], caller: str) -> Answer:
        """Apply deferred commands in order; what fails is recorded and not tried for ever."""
        consumer = replicas().consumer(caller)
        if consumer is not None and consumer.tables:
            try:
                consumer.catch_up(settings().call_deadline)
            except Unreachable as error:
                raise _Refused(503, {"error": str(error)}) from error
        self._catch_up_with_others(caller)
        for command in commands:
            body = json.loads(command["body"])
            body.update(key=command["key"], deadline=time.time() + _COMMAND_SECONDS)
            served = invocation.served(body["function"], caller)
            if served is None:
                # It stays with its caller, where it is counted as waiting, instead of being lost.
                _log.error("a command names what is not served", function=body["function"])
                raise _Refused(404, {"error": "%s is not served" % body["function"]})
            with self._one_at_a_time(command["key"]):
                if self._known(command["key"], "") is not None:
                    continue
                unit = scope.Scope(body["request_id"], command["key"], body["deadline"])
                self._apply(served, body, unit)
        return 200, {"done": len(commands)}

    def _apply(self, served: invocation.Served, body: Dict[str, Any], unit: scope.Scope) -> None:
        body["deferred"] = True
        try:
            answer = self._run(served, body, "", unit)
        except DependencyUnavailable as error:
            raise _Refused(503, {"error": str(error)}) from error
        except (OwnershipViolation, CannotCross, LookupError) as error:
            answer = {"exception": repr(error)}
            with immediate(of_thread(settings().file("service.db"))) as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO _calls VALUES (?, '', 'done', ?, ?)",
                    (body["key"], json.dumps(answer), time.time()),
                )
        outcome = "exception" if "exception" in answer else "result"
        metrics.served.labels(body["function"], outcome).inc()
        if outcome == "exception":
            _log.error(
                "a deferred command failed", function=body["function"], why=answer["exception"]
            )

    def _cancel(self, body: Dict[str, Any]) -> Answer:
        """Take a call back; one that is not known yet must never run."""
        key = body["key"]
        with self._lock:
            if key in self._cancellable:
                self._cancelled.add(key)
                return 200, {"state": "cancelled"}
        connection = of_thread(settings().file("service.db"))
        with self._one_at_a_time(key):
            known = connection.execute("SELECT state FROM _calls WHERE key = ?", (key,)).fetchone()
            if known is None:
                self._tombstone(key)
                return 200, {"state": "cancelled"}
            if known[0] == "done":
                with immediate(connection):
                    skipped = undo_rows(connection, key, everything=bool(body.get("everything")))
                    connection.execute("UPDATE _calls SET state = 'undone' WHERE key = ?", (key,))
                if skipped:
                    _log.warning("others changed what was to be undone", key=key, columns=skipped)
        now = outbox.position(connection)
        return 200, {"state": "undone", "epoch": now.epoch, "head": now.head}

    @staticmethod
    def _tombstone(key: str) -> None:
        """A cancelled call must not run when it comes again, or late."""
        of_thread(settings().file("service.db")).execute(
            "INSERT OR IGNORE INTO _calls VALUES (?, '', 'cancelled', '{}', ?)", (key, time.time())
        )

    def _known(self, key: str, digest: str) -> Optional[Answer]:
        """The answer to a call that was here before."""
        row = (
            of_thread(settings().file("service.db"))
            .execute("SELECT digest, state, answer FROM _calls WHERE key = ?", (key,))
            .fetchone()
        )
        if row is None:
            return None
        if row[1] != "done":
            return 409, {"error": "the call was %s" % row[1]}
        if row[0] != digest:
            return 409, {"error": "the key was used for another call"}
        return 200, json.loads(row[2])

    @contextlib.contextmanager
    def _one_at_a_time(self, key: str) -> Iterator[None]:
        """A call that is repeated while it still runs waits for its first run."""
        with self._lock:
            turn = self._running.setdefault(key, threading.Lock())
        try:
            with turn:
                yield
        finally:
            with self._lock:
                if not turn.locked():
                    self._running.pop(key, None)

    @contextlib.contextmanager
    def _cancellable_run(self, key: str) -> Iterator[None]:
        """Until a run begins to commit, whoever cancels it only has to say so."""
        with self._lock:
            self._cancellable.add(key)
        try:
            yield
        except _Cancelled as error:
            raise _Refused(409, {"error": "the call was cancelled"}) from error
        finally:
            with self._lock:
                self._cancellable.discard(key)
                cancelled = key in self._cancelled
                self._cancelled.discard(key)
            if cancelled:
                self._tombstone(key)

    def _make_final(self, key: str) -> None:
        """The call is about to commit: from now on it can only be undone."""
        with self._lock:
            if key in self._cancelled:
                raise _Cancelled
            self._cancellable.discard(key)

    def _reach(self, caller: str, position: List[Any]) -> None:
        try:
            replicas().reach(caller, position[0], position[1], settings().call_deadline)
        except Unreachable as error:
            raise DependencyUnavailable(caller, str(error)) from error
        self._catch_up_with_others(caller)

    @staticmethod
    def _catch_up_with_others(caller: str) -> None:
        """The caller may speak of rows of third services; one that is away is read as it was."""
        replicas().catch_up(set(settings().owners()) - {caller})


def _digest(function: str, asked: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([function, asked], sort_keys=True).encode()).hexdigest()


def _take_over_database() -> None:
    session = sessions.current() or sessions.make(transaction.is_own)
    if session is None:
        raise RuntimeError("the application has no session and no engine for this service's rows")
    transaction.take_over(session)


def build() -> CallsServer:
    """Load the application of the manifest for calls, with all hooks set before."""
    logs.configure()
    transaction.install()
    database.install()
    return CallsServer(frameworks.load())


def __getattr__(name: str) -> Any:
    """`application` is made when a worker asks for it, never in a process that only imports."""
    if name == "application":
        try:
            globals()[name] = made = build()
        except AttributeError as error:  # which would mean that there is no `application` here
            raise RuntimeError("the application cannot be made: %s" % error) from error
        return made
    raise AttributeError(name)
