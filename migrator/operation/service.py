"""One generated service, running: its environment, its databases and its processes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from migrator.model.errors import OperationError, Place
from migrator.model.manifest import ServiceManifest
from migrator.model.progress import Progress
from migrator.operation import shared_folders
from migrator.operation.application import Placeholders, base_variables, sqlite_url
from migrator.operation.environment import Environment, make_environment
from migrator.operation.ports import HOST, free_port
from migrator.operation.process import Process, Processes
from migrator.operation.readiness import answers, wait_until
from migrator.operation.split import load_files, load_tables
from migrator.operation.start_state import StartState, copy_database
from migrator.operation.tree import lay_over

MANIFEST = "service.json"
Value = TypeVar("Value")
GRACE = 5
"""Seconds that a process has for what it is at when it is asked to stop."""

_GUNICORN = "exec gunicorn -c python:servicekit.gunicorn_conf"
_CALLS = "calls"
_FEED = "feed"


class RunningService:
    """A service's processes on this machine: `web-1`..`web-N`, `calls`, `feed`, and its workers.

    Workers are named as in the manifest, with `-1`..`-N`. Ports stay the same over restarts.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        logs: Path,
        processes: Processes,
        instances: int,
    ) -> None:
        self.manifest = read_manifest(folder)
        self.name = self.manifest.name
        self.folder = folder
        self.data = data
        """Its private folder: databases, and `files`, which is the application's `{data}`."""
        self.folders = data.parent / shared_folders.NAME
        """Where the folders of files lie, its own and those of siblings."""
        self.logs = logs
        self.credential = ""
        self.peers: dict[str, dict[str, str]] = {}
        self.environment: Environment | None = None
        self._processes = processes
        self._instances = instances
        self._running: dict[str, Process] = {}
        self._started = False
        self._web = [f"web-{number}" for number in range(1, instances + 1)]
        self.ports = {name: free_port() for name in (*self._web, _CALLS, _FEED)}
        self.placeholders = Placeholders(data=data / "files", base_url="")

    @property
    def web(self) -> list[str]:
        """Names of the web processes."""
        return list(self._web)

    @property
    def servers(self) -> list[str]:
        """Addresses of the web processes, for the gateway."""
        return self.addresses(self._web)

    def addresses(self, names: Iterable[str]) -> list[str]:
        """Addresses of some of the web processes."""
        return [f"{HOST}:{self.ports[name]}" for name in names]

    @property
    def address(self) -> dict[str, str]:
        """What siblings know of it."""
        return {kind: f"http://{HOST}:{self.ports[kind]}" for kind in (_CALLS, _FEED)}

    @property
    def database(self) -> Path:
        """The file of its owned tables."""
        return self.data / "service.db"

    @property
    def running(self) -> dict[str, Process]:
        """Its processes by name, those that ended by themselves included."""
        return dict(self._running)

    @property
    def started(self) -> bool:
        """Whether it was started and not stopped."""
        return self._started

    def install(self, cache: Path, progress: Progress) -> None:
        """Make its virtual environment from its hash-pinned requirements."""
        self.environment = make_environment(
            cache,
            self.manifest.python,
            ["-r requirements.txt"],
            self.folder,
            progress,
            task=f"Install {self.name}",
            hashes=True,
        )

    def migrate(self, *, new_epoch: bool = False) -> None:
        """Make or check its databases. With `new_epoch` siblings take new snapshots of it."""
        log = self.logs / "migrate.log"
        code = self._processes.run(
            f"{self.name} migrate",
            "exec python -m servicekit.migrate" + (" --new-epoch" if new_epoch else ""),
            environment=self._variables("migrate", 0),
            folder=self.folder / "src",
            log=log,
        )
        if code:
            raise OperationError(
                f"the databases of {self.name} cannot be made",
                place=Place(f"{self.name}/migrations"),
                hint=f"its whole log: {log}",
                log_tail=log.read_text(encoding="utf-8", errors="replace")[-4000:],
            )

    def load(self, start: StartState) -> None:
        """Start its data anew with its share of the monolith's."""
        shutil.rmtree(self.data, ignore_errors=True)
        load_files(start.data, self.data / "files", self.manifest)
        self.migrate()
        load_tables(start.database, self.database, self.name, self.manifest.tables)

    def start(self) -> None:
        """Start all its processes that do not run, without waiting."""
        (self.data / "files").mkdir(parents=True, exist_ok=True)
        for name in self._names():
            if name not in self._running or not self._running[name].running:
                self.start_process(name)
        self._started = True

    def start_process(self, name: str) -> None:
        """Start one of its processes, after clearing away what is left of it."""
        ended = self._running.pop(name, None)
        if ended is not None:
            self._processes.kill(ended)
        port = self.ports.get(name, 0)
        self._running[name] = self._processes.start(
            f"{self.name} {name}",
            self._command(name),
            environment=self._variables(name, port),
            folder=self.folder / "src",
            log=self.logs / f"{name}.log",
            port=port,
        )

    def wait(self, siblings: int = 0) -> None:
        """Wait until web, calls and feed are ready; OperationError with the log's tail if not.

        `siblings` is how many other processes start at the same time, and share the processors.
        """
        self._wait_for(self._running, siblings)

    def _wait_for(self, names: Iterable[str], siblings: int) -> None:
        for name in list(names):
            port = self.ports.get(name)
            if port is not None:
                wait_until(
                    self._running[name],
                    partial(answers, port, "/_service/ready"),
                    self.manifest.startup_seconds + siblings,
                )

    def stop(self, *, grace: float | None = None) -> None:
        """Stop all its processes; what runs `grace` seconds later is killed."""
        self._started = False
        self._processes.stop_each(self._running.values(), grace=grace)
        self._running.clear()

    def add_web(self, count: int) -> list[str]:
        """Start web processes until there are `count`, and wait until they are ready; their names.

        When one does not start, those that were added are stopped again and OperationError says
        why.
        """
        added = [f"web-{number}" for number in range(len(self._web) + 1, count + 1)]
        try:
            for name in added:
                self.ports[name] = free_port()
                self._web.append(name)
                self.start_process(name)
            self._wait_for(added, len(added))
        except OperationError:
            self.drop_web(added)
            raise
        return added

    def drop_web(self, names: Collection[str]) -> None:
        """Stop web processes for good, each after what it is at."""
        gone = [process for name in names if (process := self._running.pop(name, None))]
        self._web = [name for name in self._web if name not in names]
        self._processes.stop_each(gone)
        for name in names:
            self.ports.pop(name, None)

    def kill(self, name: str) -> None:
        """`kill -9` of one process with all its children."""
        process = self._running.get(name)
        if process is None:
            raise OperationError(
                f"{self.name} runs no process {name}", hint=f"it has {', '.join(self._names())}"
            )
        self._processes.kill(process)
        del self._running[name]

    def missing(self) -> list[str]:
        """Names of the processes that should run and do not: ended by themselves, or killed.

        None when the service was stopped.
        """
        if not self._started:
            return []
        return [
            name
            for name in self._names()
            if name not in self._running or not self._running[name].running
        ]

    def forget_rate_limits(self) -> None:
        """Forget how often clients have asked."""
        state = self.data / "state.db"
        if self.manifest.rate_limits and state.is_file():
            with closing(sqlite3.connect(state, timeout=15)) as opened, opened:
                for name in self.manifest.rate_limits:
                    opened.execute("DELETE FROM _items WHERE name = ?", (name,))

    def backup(self, folder: Path) -> None:
        """Copy what cannot be had again: owned tables, shared state and files."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("service.db", "state.db"):
            if (self.data / name).is_file():
                copy_database(self.data / name, folder / name)
        if (self.data / "files").is_dir():
            shutil.copytree(self.data / "files", folder / "files", symlinks=True)
        for path in self._owned_folders():
            lay_over(self.folders / path, folder / shared_folders.NAME / path)

    def _owned_folders(self) -> list[str]:
        return [path for path, used in self.manifest.folders.items() if used.owner == self.name]

    def restore(self, folder: Path) -> None:
        """Put a backup in place of the data, under a new epoch; replicas are filled anew.

        The service must be stopped.
        """
        if not (folder / "service.db").is_file():
            raise OperationError(f"{folder} holds no backup of {self.name}")
        shutil.rmtree(self.data, ignore_errors=True)
        left_out = shutil.ignore_patterns(shared_folders.NAME)
        shutil.copytree(folder, self.data, symlinks=True, ignore=left_out)
        for path in self._owned_folders():
            shutil.rmtree(self.folders / path, ignore_errors=True)
            lay_over(folder / shared_folders.NAME / path, self.folders / path)
        self.migrate(new_epoch=True)

    def _names(self) -> list[str]:
        workers = [
            f"{name}-{number}"
            for name in self.manifest.processes
            for number in range(1, self._instances + 1)
        ]
        return [_FEED, _CALLS, *self._web, *workers]

    def _command(self, name: str) -> str:
        if name == _FEED:
            return "exec python -m servicekit.feed"
        if name == _CALLS:
            return f"{_GUNICORN} servicekit.calls_server:application"
        if name in self._web:
            return f"{_GUNICORN} servicekit.wsgi:application"
        command = self.manifest.processes[name.rpartition("-")[0]]
        return f"exec python -m servicekit.run {self.placeholders.fill(command)}"

    def _variables(self, instance: str, port: int) -> dict[str, str]:
        if self.environment is None:
            raise OperationError(f"{self.name} is not installed")
        given = self.placeholders
        return {
            **base_variables(self.environment),
            **given.fill_all(self.manifest.environment),
            "PYTHONPATH": str(self.folder / "src"),
            "SERVICE_NAME": self.name,
            "SERVICE_MANIFEST": str(self.folder / MANIFEST),
            "SERVICE_DATA": str(self.data),
            "SERVICE_FILES": str(self.placeholders.data),
            "SERVICE_FOLDERS": str(self.folders),
            "SERVICE_PEERS": json.dumps(self.peers),
            "SERVICE_CREDENTIAL": self.credential,
            "SERVICE_PUBLIC_URL": given.base_url,
            "SERVICE_HOST": HOST,
            "SERVICE_GRACE": str(GRACE),
            "SERVICE_PORT": str(port),
            "SERVICE_INSTANCE": instance,
            "SERVICE_SIBLING_INSTANCES": str(self._instances),
            self.manifest.database_variable: sqlite_url(self.database),
        }


def read_manifest(folder: Path) -> ServiceManifest:
    """`service.json` of a generated service."""
    return read_json(folder / MANIFEST, ServiceManifest)


def read_json(path: Path, type: type[Value]) -> Value:
    """A generated JSON file, decoded; OperationError with the way out when it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type)
    except OSError as error:
        raise OperationError(
            f"cannot be read: {error.strerror}",
            place=Place(str(path)),
            hint="`migrator generate` makes it",
        ) from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise OperationError(
            f"is not what this version of migrator generates: {error}",
            place=Place(str(path)),
            hint="generate the services again: `migrator generate`",
        ) from error
