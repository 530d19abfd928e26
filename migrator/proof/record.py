"""Recording a running application: a proxy in front of it, until its user has done with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from migrator.model.errors import ConfigurationError, Place
from migrator.model.program import Program
from migrator.model.progress import Progress
from migrator.model.settings import Run
from migrator.operation.monolith import RunningMonolith
from migrator.operation.seeded import start_state
from migrator.operation.start_state import (
    StartState,
    copy_database,
    private_folder,
)
from migrator.proof.binding import recorded_steps
from migrator.proof.exchange import NO_ANSWER, Exchange
from migrator.proof.probing import send_all
from migrator.proof.recorded import FORMAT, VERSION, Header, RecordedTraffic, save, save_secrets
from migrator.proof.recording import RecordingProxy
from migrator.proof.routes import paths_of_routes

FAILED = 500

Use = Callable[[str], None]
"""What is done while the proxy stands at the address that is given."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it."""

    traffic: RecordedTraffic
    bound: int
    """Values of requests that are taken from earlier answers."""
    start_state: Path | None
    failed: list[str]
    """Requests that were answered with 5xx."""
    log: Path | None = None
    """What the monolith said, kept where any of them failed."""


def record_monolith(
    root: Path,
    run: Run,
    target: Path,
    use: Use,
    progress: Progress,
    *,
    port: int = 0,
    secrets: Path | None = None,
    program: Program | None = None,
) -> Recorded:
    """Start the monolith in `root` from a fresh state, and record what is asked of it.

    The state is kept beside `target`, so that a replay starts from the same rows. With `program`
    every GET route of it is asked at the end (`ask_routes`). Its log is kept where it does not
    start, or fails in any answer.
    """
    state = StartState(_state_folder(target))
    with RecordingProxy(port, plain=True) as proxy:
        start_state(root, run, state.folder, progress, base_url=proxy.url)
        running = private_folder(root) / "record"
        with RunningMonolith(
            root, run, running, progress, outside_url=proxy.url, start_state=state
        ) as monolith:
            proxy.upstream = monolith.base_url
            use(proxy.url)
            if program is not None:
                ask_routes(program, state.database, proxy)
        recorded = _written(proxy, target, root.name, state, secrets)
        if recorded.failed:
            return replace(recorded, log=monolith.logs / "web.log")
        shutil.rmtree(running, ignore_errors=True)
        return recorded


def record_running(
    upstream: str,
    target: Path,
    use: Use,
    *,
    database: Path | None = None,
    port: int = 0,
    secrets: Path | None = None,
    program: Program | None = None,
) -> Recorded:
    """Record what is asked of an application that runs at `upstream`.

    `database` is its SQLite file; as it is now, it becomes the state that a replay starts from.
    With it and `program` every GET route of it is asked at the end (`ask_routes`).
    """
    if urlsplit(upstream).scheme != "http" or not urlsplit(upstream).hostname:
        raise ConfigurationError(
            f"{upstream} is no address that a proxy can stand in front of",
            hint="name the application's own port, such as --upstream http://127.0.0.1:5000",
        )
    state = None
    if database is not None:
        state = _copied(database, _state_folder(target))
    with RecordingProxy(port, plain=True) as proxy:
        proxy.upstream = upstream
        use(proxy.url)
        if program is not None and state is not None:
            ask_routes(program, state.database, proxy)
        return _written(proxy, target, upstream, state, secrets)


def ask_routes(program: Program, database: Path, proxy: RecordingProxy) -> None:
    """Ask every GET route, by the parameters' types, as the client of the last request."""
    last = proxy.latest()
    headers = [("Accept", "*/*")]
    if last is not None:
        headers += [
            (name, value)
            for name, value in last.request_headers
            if name.lower() in ("cookie", "authorization", "user-agent")
        ]
    send_all(
        [
            Exchange(ordinal=0, method="GET", target=path, request_headers=headers)
            for path in paths_of_routes(program, database)
        ],
        proxy.url,
    )


def _state_folder(target: Path) -> Path:
    return target.with_name(f"{target.stem}.start").resolve()


def _copied(database: Path, folder: Path) -> StartState:
    if not database.is_file():
        raise ConfigurationError(
            "there is no such database",
            place=Place(str(database)),
            hint="name the SQLite file that the running application uses",
        )
    state = StartState(folder)
    shutil.rmtree(folder, ignore_errors=True)
    state.data.mkdir(parents=True)
    copy_database(database, state.database)
    return state


def _written(
    proxy: RecordingProxy,
    target: Path,
    application: str,
    state: StartState | None,
    secrets: Path | None,
) -> Recorded:
    steps, taken = recorded_steps(proxy.take(), proxy.url)
    header = Header(
        format=FORMAT,
        version=VERSION,
        application=application,
        start_state=state.folder.name if state else "",
        secrets=len(taken),
    )
    traffic = RecordedTraffic(header=header, steps=steps)
    save(traffic, target)
    if secrets is not None:
        save_secrets(taken, secrets)
    bound = sum(value.answer is not None for step in steps for value in step.values.values())
    failed = [
        f"{'no answer' if s.status == NO_ANSWER else s.status} {s.method} {s.target}"
        for s in steps
        if s.status >= FAILED
    ]
    return Recorded(traffic, bound, state.folder if state else None, failed)
