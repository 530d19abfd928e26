"""How a second command speaks to a running system: one request, one answer, over loopback.

`up` listens while its services run. Address and secret lie in `OUTPUT/.migrator/control.json`,
readable by its owner alone; both ends prove that they know the secret (the HMAC challenge of
`multiprocessing.connection`), and what they say then is JSON.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import msgspec

from migrator.model.errors import ConfigurationError, MigratorError, OperationError, Place
from migrator.model.private import PRIVATE
from migrator.operation.ports import HOST
from migrator.operation.routes import Switch
from migrator.operation.system import RunningSystem

_FILE = "control.json"


class Scale(msgspec.Struct, kw_only=True, tag=True):
    """Give a service that many web processes."""

    service: str
    processes: int


class Route(msgspec.Struct, kw_only=True, tag=True):
    """Let the gateway decide anew who answers the reads of a service."""

    service: str
    switch: Switch


class Ask(msgspec.Struct, kw_only=True, tag=True):
    """What runs?"""


class State(msgspec.Struct, kw_only=True):
    """What runs, after a request was followed."""

    url: str
    services: dict[str, list[str]]
    """Service to the addresses of its web processes."""
    switches: dict[str, Switch] = {}
    in_transition: list[str] = []
    remainder: str = ""


class Failure(msgspec.Struct, kw_only=True):
    """Why a request was not followed."""

    message: str
    hint: str = ""
    place: str = ""
    log_tail: str = ""
    wrong_use: bool = False


Request = Scale | Route | Ask


class Answer(msgspec.Struct, kw_only=True):
    """One of both."""

    state: State | None = None
    failure: Failure | None = None


class _Door(msgspec.Struct, kw_only=True):
    port: int
    secret: str
    pid: int


class Control:
    """Follows requests to a running system while it is entered; one at a time."""

    def __init__(self, system: RunningSystem) -> None:
        self._system = system
        self._file = system.folder / _FILE
        self._secret = secrets.token_hex(32)
        self._listener: Listener | None = None

    def __enter__(self) -> Control:
        self._listener = Listener((HOST, 0), authkey=self._secret.encode())
        address = self._listener.address
        door = _Door(port=int(address[1]), secret=self._secret, pid=os.getpid())
        part = self._file.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(msgspec.json.encode(door))
        part.replace(self._file)
        threading.Thread(target=self._serve, name="control", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _serve(self) -> None:
        while (listener := self._listener) is not None:
            try:
                with listener.accept() as connection:
                    connection.send_bytes(msgspec.json.encode(self._answer(connection)))
            # Somebody who does not know the secret, or who went away.
            except Exception:
                continue

    def _answer(self, connection: Connection) -> Answer:
        try:
            request = msgspec.json.decode(connection.recv_bytes(), type=Request)
            FOLLOW[type(request)](self._system, request)
            return Answer(state=_state(self._system))
        except MigratorError as error:
            return Answer(
                failure=Failure(
                    message=error.message,
                    hint=error.hint,
                    place=error.place.file if error.place else "",
                    log_tail=getattr(error, "log_tail", ""),
                    wrong_use=isinstance(error, ConfigurationError),
                )
            )
        except Exception as error:
            return Answer(failure=Failure(message=f"{type(error).__name__}: {error}"))


def _scale(system: RunningSystem, request: Scale) -> None:
    system.scale(request.service, request.processes)


def _route(system: RunningSystem, request: Route) -> None:
    system.route(request.service, request.switch)


FOLLOW: dict[type, Callable[[RunningSystem, object], None]] = {
    Scale: _scale,  # type: ignore[dict-item]
    Route: _route,  # type: ignore[dict-item]
    Ask: lambda system, request: None,
}


def _state(system: RunningSystem) -> State:
    return State(
        url=system.gateway_url,
        services={name: service.servers for name, service in system.services.items()},
        switches=system.switches,
        in_transition=system.system.in_transition,
        remainder=system.system.remainder,
    )


def ask(output: Path, request: Request) -> State:
    """Have a running system follow a request; what runs then.

    Raises OperationError when nothing runs there, and what the system itself raised.
    """
    file = output.resolve() / PRIVATE / _FILE
    try:
        door = msgspec.json.decode(file.read_bytes(), type=_Door)
        with Client((HOST, door.port), authkey=door.secret.encode()) as connection:
            connection.send_bytes(msgspec.json.encode(request))
            answer = msgspec.json.decode(connection.recv_bytes(), type=Answer)
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise OperationError(
            f"nothing runs in {output}", hint=f"start it first: migrator up {output}"
        ) from error
    if answer.state is not None:
        return answer.state
    failure = answer.failure or Failure(message="the running system gave no answer")
    place = Place(failure.place) if failure.place else None
    if failure.wrong_use:
        raise ConfigurationError(failure.message, place=place, hint=failure.hint)
    raise OperationError(failure.message, place=place, hint=failure.hint, log_tail=failure.log_tail)
