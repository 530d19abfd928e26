"""The monolith itself: installed, with a fresh database, started, tested, and asked for facts."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from migrator.generation.templating import template_folder
from migrator.model.distributions import Installed
from migrator.model.errors import OperationError
from migrator.model.progress import Progress, Silent, step
from migrator.model.schema import Schema, SchemaObject
from migrator.model.settings import Run
from migrator.operation.application import Placeholders, monolith_variables
from migrator.operation.environment import Environment, installed
from migrator.operation.pickled import pickled_names
from migrator.operation.ports import HOST, free_port, require_free
from migrator.operation.process import Process, Processes
from migrator.operation.readiness import accepts, refuses_nonsense, wait_until
from migrator.operation.seeded import keep, program_digest
from migrator.operation.side import Side
from migrator.operation.start_state import (
    StartState,
    make_start_state,
    monolith_environment,
    note_opened,
    private_folder,
    seed_state,
)
from migrator.operation.tree import copy_project

THREADS = 8

_SCATTER = """

_served = post_worker_init


def post_worker_init(worker):
    import random

    held = [bytes(size) for size in range(0, 480, 8) for _ in range(2000)]
    random.shuffle(held)
    del held[::2]
    worker.scattered = held
    _served(worker)
"""
"""Of small blocks of memory of all sizes every other one is free, in no order."""


def read_installed(root: Path, run: Run, progress: Progress | None = None) -> Installed:
    """Interpreter and distributions of the monolith's environment."""
    return installed(monolith_environment(root, run, progress))


def read_schema(root: Path, run: Run, progress: Progress | None = None) -> Schema:
    """What `migrate`, `seed` and a first start make in an empty SQLite database (`schema_of`).

    What `seed` puts into it tells which code the rows name (`pickled_names`). Kept under
    `.migrator/` for as long as no file of the program changes. Raises OperationError when `migrate`
    fails or makes no table.
    """
    kept = private_folder(root) / f"schema-{program_digest(root, run)}.json"
    if kept.is_file():
        return msgspec.json.decode(kept.read_bytes(), type=Schema)
    with _temporary(root) as folder:
        state = make_start_state(root, run, folder, progress, seed=False)
        try:
            seed_state(root, run, state, progress)
            keep(state, root, run)
        except OperationError as error:
            (progress or Silent()).warn(f"{error.message}: whether its rows name code is not known")
        # As it starts an application may make what `migrate` has not made.
        schema = schema_of(state.database)
        schema = msgspec.structs.replace(schema, pickled=pickled_names(state.database))
    for old in kept.parent.glob("schema-*.json"):
        old.unlink(missing_ok=True)
    kept.write_bytes(msgspec.json.encode(schema))
    return schema


def schema_of(database: Path) -> Schema:
    """The schema of an SQLite database: tables and views as they were made, then the rest.

    Indexes follow by table and name, since an ORM makes them in whatever order its sets have.
    """
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        ).fetchall()
    first = [row for row in rows if row[0] in ("table", "view")]
    position = {row[1]: number for number, row in enumerate(first)}
    rest = [row for row in rows if row[0] not in ("table", "view")]
    rest.sort(key=lambda row: (row[0], position.get(row[2], len(first)), row[1]))
    return Schema(
        objects=tuple(
            SchemaObject(type=type, name=name, table=table, sql=sql)
            for type, name, table, sql in first + rest
        )
    )


class RunningMonolith(Side):
    """The monolith, started: a context manager.

    It runs in its own environment and in a copy of its sources, with data in `folder` copied from
    `start_state` (migrated and seeded anew without one): its companions, its other processes, and
    one gunicorn process with threads for the web. `outside_url` is what it takes for its own
    address where that is not `base_url`, as behind a recording proxy. `scattered`: its objects lie
    at random places in memory, so that what depends on their order (a set of them) shows. Raises
    OperationError with the log's tail when a process does not start.
    """

    def __init__(
        self,
        root: Path,
        run: Run,
        folder: Path,
        progress: Progress | None = None,
        *,
        port: int = 0,
        outside_url: str = "",
        start_state: StartState | None = None,
        scattered: bool = False,
    ) -> None:
        self.port = port or free_port()
        self.base_url = f"http://{HOST}:{self.port}"
        """Where it listens."""
        super().__init__(root.resolve(), run, outside_url or self.base_url, progress)
        self.folder = folder.resolve()
        self._start_state = start_state
        self._scattered = scattered
        self._state = StartState(self.folder / "state")

    @property
    def database(self) -> Path:
        """The file of its database."""
        return self._state.database

    @property
    def data(self) -> Path:
        """Its `{data}` folder."""
        return self._state.data

    @property
    def project(self) -> Path:
        """The copy of its sources that it runs in, with what it has written there."""
        return self.folder / "sources"

    @property
    def logs(self) -> Path:
        """Folder of its processes' logs."""
        return self.folder / "logs"

    @property
    def _tested_in(self) -> Path:
        return self.folder

    def __enter__(self) -> RunningMonolith:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._start_state is not None:
            self._start_state.copy_to(self._state.folder)
        else:
            make_start_state(
                self.root,
                self.run,
                self._state.folder,
                self._progress,
                base_url=self.outside_url,
            )
        self._state.lay_into(copy_project(self.root, self.project))
        self._begin()
        return self

    def _begin(self) -> None:
        self._running = self._stack.enter_context(Processes(self.folder / "processes.json"))
        try:
            require_free(self.port)
            with step(self._progress, "Start the monolith"):
                self._start(self._running)
        except BaseException:
            self._stack.close()
            raise

    def stop(self) -> None:
        """Stop all its processes. The database stays where it is."""
        self._stack.close()
        self._running = None

    def restart(self) -> None:
        """Stop all its processes and start them again, at the same data and address."""
        self.stop()
        self._begin()

    def check(self) -> None:
        """Raise OperationError for a process that has ended by itself."""
        if self._running is not None:
            self._running.check()

    def _start(self, processes: Processes) -> None:
        given = Placeholders(
            data=self.data, base_url=self.outside_url, port=self.port, ports=self.ports
        )
        variables = monolith_variables(
            self.project, self.run, self.environment, self.database, given
        ) | note_opened(self.root, self.project)
        start_companions(
            self.project, self.run, self.environment, processes, self.logs, given, variables
        )
        web = self._start_web(processes, variables)
        wait_until(web, lambda: refuses_nonsense(self.port), self.run.startup_seconds)
        for name, command in self.run.processes.items():
            processes.start(
                name,
                given.fill(command),
                environment=variables,
                folder=self.project,
                log=self.logs / f"{name}.log",
            )
        processes.check()

    def _start_web(self, processes: Processes, variables: dict[str, str]) -> Process:
        configuration = self.folder / "gunicorn.conf.py"
        # A configuration of the application's own would start it in another way than services.
        served = (template_folder() / "monolith" / "gunicorn.conf.py").read_text(encoding="utf-8")
        configuration.write_text(served + (_SCATTER if self._scattered else ""), encoding="utf-8")
        command = [
            # Before 20.1 `python -m gunicorn` is none.
            *(str(self.environment.python), "-m", "gunicorn.app.wsgiapp"),
            *("--config", str(configuration.absolute())),
            *("--bind", f"{HOST}:{self.port}"),
            *("--workers", "1", "--worker-class", "gthread", "--threads", str(THREADS)),
            *("--timeout", "300", "--graceful-timeout", "5"),
            self.run.application,
        ]
        return processes.start(
            "web",
            command,
            environment=variables,
            folder=self.project,
            log=self.logs / "web.log",
            port=self.port,
        )


def start_companions(
    root: Path,
    run: Run,
    environment: Environment,
    processes: Processes,
    logs: Path,
    given: Placeholders,
    variables: dict[str, str],
) -> None:
    """Start the simulated outside systems, and wait until they listen where they are told to."""
    for name, command in run.companions.items():
        companion = processes.start(
            name,
            given.fill(command),
            environment=variables,
            folder=root,
            log=logs / f"{name}.log",
        )
        for port_name in re.findall(r"\{port:([^{}]+)\}", command):
            listens = partial(accepts, given.ports[port_name])
            wait_until(companion, listens, run.startup_seconds)


@contextmanager
def _temporary(root: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="run-", dir=private_folder(root)) as folder:
        yield Path(folder) / "state"
