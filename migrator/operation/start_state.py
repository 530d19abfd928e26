"""What monolith and services start from: a migrated and seeded database, and its files."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from migrator.generation.templating import template_folder
from migrator.model.errors import OperationError, Place
from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, Silent, step
from migrator.model.settings import Run
from migrator.operation.application import Placeholders, monolith_variables
from migrator.operation.environment import Environment, make_environment
from migrator.operation.process import Processes, tail
from migrator.operation.tree import copy_project, files_of, is_state, keep, lay_over, written

OPENED = "opened.txt"
_SETTINGS = Place("pyproject.toml")
_TASKS = {
    "migrate": "Migrate the monolith's database",
    "seed": "Seed the monolith's database",
    "start": "Start the monolith for the first time",
}


@dataclass(frozen=True, slots=True)
class StartState:
    """Database and files of a freshly migrated and seeded application, to be copied from."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "database.sqlite"

    @property
    def data(self) -> Path:
        """What the application keeps in `{data}`."""
        return self.folder / "data"

    @property
    def project(self) -> Path:
        """What it wrote below its own sources; there may be no such folder."""
        return self.folder / "project"

    @property
    def _removed(self) -> Path:
        return self.folder / "removed"

    @property
    def removed(self) -> list[str]:
        """Files of its own sources that it took away."""
        noted = self._removed.read_text().splitlines() if self._removed.is_file() else []
        return [path for path in noted if not (self.project / path).exists()]

    def remove(self, paths: Collection[str]) -> None:
        """Note files below the sources that are there no more."""
        for path in paths:
            (self.project / path).unlink(missing_ok=True)
        if paths:
            gone = sorted({*self.removed, *paths})
            self._removed.write_text("".join(f"{path}\n" for path in gone))

    def lay_into(self, copied: Path) -> Path:
        """Make a copy of the sources what it was when this state was left."""
        lay_over(self.project, copied)
        for path in self.removed:
            (copied / path).unlink(missing_ok=True)
        return copied

    def copy_to(self, folder: Path) -> StartState:
        """A copy in a new folder, through SQLite's backup so that no journal is lost."""
        copied = StartState(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        copy_database(self.database, copied.database)
        shutil.copytree(self.data, copied.data)
        lay_over(self.project, copied.project)
        if self._removed.is_file():
            shutil.copy2(self._removed, copied._removed)
        return copied


def private_folder(root: Path) -> Path:
    """`.migrator` in the root, made with a `.gitignore` of its own."""
    folder = root.resolve() / PRIVATE
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return folder


def monolith_environment(root: Path, run: Run, progress: Progress | None = None) -> Environment:
    """The monolith's virtual environment, with gunicorn and `pkg_resources` in any case.

    Virtual environments held setuptools by themselves up to Python 3.11, and what was pinned then
    relies on it (Flask 1 finds the commands of extensions through it).
    """
    environment = make_environment(
        private_folder(root) / "environments",
        run.python,
        run.install,
        root,
        progress,
        task="Install the monolith",
        ensure=("gunicorn", "setuptools<81"),
    )
    lead_to_instance(environment.folder)
    return environment


def lead_to_instance(environment: Path) -> None:
    """Have every Python of an environment keep its data where the running instance does.

    The database that FIXED_DATABASE means, and stores of caches below CACHE_FOLDER. It also notes
    which files of its sources it reads (`note_opened`).
    """
    kit = template_folder() / "service" / "servicekit"
    sources = {
        "fixed_database": kit / "fixed_database.py",
        **{
            name: template_folder() / "monolith" / f"{name}.py"
            for name in ("cache_folder", "opened_files")
        },
    }
    for folder in environment.glob("lib/python*/site-packages"):
        package = folder / "_instance_data"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        shutil.copy(kit / "on_import.py", package / "on_import.py")
        lines = ""
        for name, source in sources.items():
            shutil.copy(source, package / f"{name}.py")
            module = f"_instance_data.{name}"
            lines += f"import {module}; {module}.install_from_environment()\n"
        (folder / "_instance_data.pth").write_text(lines)


def note_opened(root: Path, copied: Path) -> dict[str, str]:
    """Variables by which a process in a copy of the sources notes which of their files it reads."""
    return {"OPENED_FILES": str(private_folder(root) / OPENED), "OPENED_BELOW": str(copied)}


def opened_files(root: Path) -> list[str]:
    """The files of the sources that the monolith was ever seen to read, relative to `root`."""
    noted = private_folder(root) / OPENED
    lines = noted.read_text(encoding="utf-8").splitlines() if noted.is_file() else []
    return sorted({line for line in lines if (root / line).is_file()})


def make_start_state(
    root: Path,
    run: Run,
    folder: Path,
    progress: Progress | None = None,
    *,
    seed: bool = True,
    base_url: str = "http://localhost",
) -> StartState:
    """Migrate and seed a new database in `folder`. OperationError with the log's tail if not."""
    state = StartState(folder.resolve())
    shutil.rmtree(state.folder, ignore_errors=True)
    state.data.mkdir(parents=True)
    command = run.migrate or _import_command(run.application)
    log = _fill(root, run, state, "migrate", command, progress, base_url)
    _require_tables(state.database, run, log)
    if seed:
        seed_state(root, run, state, progress, base_url=base_url)
    return state


def seed_state(
    root: Path,
    run: Run,
    state: StartState,
    progress: Progress | None = None,
    *,
    base_url: str = "http://localhost",
) -> None:
    """Run `seed`, if there is one, on a migrated database, and start the application once.

    What it writes when it is started for the first time (roles, settings) is there then, for both
    sides and for each of several processes. One that cannot be started is told of by who runs it.
    """
    if run.seed:
        _fill(root, run, state, "seed", run.seed, progress, base_url)
    if run.migrate or run.seed:
        with contextlib.suppress(OperationError):
            start = _import_command(run.application)
            seconds = run.startup_seconds
            _fill(root, run, state, "start", start, progress, base_url, seconds=seconds)


def _fill(
    root: Path,
    run: Run,
    state: StartState,
    name: str,
    command: str,
    progress: Progress | None,
    base_url: str,
    *,
    seconds: float = 600.0,
) -> Path:
    """Run a command that changes the database, in a copy of the project; its log."""
    progress = progress or Silent()
    environment = monolith_environment(root, run, progress)
    given = Placeholders(data=state.data, base_url=base_url)
    log = state.folder / f"{name}.log"
    copied = state.lay_into(copy_project(root, state.folder / "sources"))
    before = set(files_of(copied))
    with Processes(state.folder / "processes.json") as processes, step(progress, _TASKS[name]):
        code = processes.run(
            name,
            given.fill(command),
            environment={
                **monolith_variables(copied, run, environment, state.database, given),
                **note_opened(root, copied),
            },
            folder=copied,
            log=log,
            seconds=seconds,
        )
    keep(written(root, copied), copied, state.project)
    state.remove([path for path in before - set(files_of(copied)) if is_state(path)])
    shutil.rmtree(copied)
    if code:
        raise OperationError(
            f"`{name}` ended with code {code}: {command}",
            place=_SETTINGS,
            hint=f"correct `{name}` of [tool.migrator.run]; try it with `migrator doctor`",
            log_tail=tail(log),
        )
    return log


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database that may be in use."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _import_command(application: str) -> str:
    """Makes the application as a server does, and ends with all threads that it started."""
    module, _, attribute = application.partition(":")
    call = attribute if "(" in attribute else attribute.partition("(")[0]
    code = f"import os, {module} as module; module.{call or 'application'}; os._exit(0)"
    return f"python -c {shlex.quote(code)}"


def _require_tables(database: Path, run: Run, log: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise OperationError(f"`migrate` left no SQLite database: {error}") from error
    if not found:
        raise OperationError(
            f"`migrate` made no table in the database that {run.database} names",
            place=_SETTINGS,
            hint=f"does the application read {run.database}? Correct `database` or `migrate` of"
            " [tool.migrator.run]",
            log_tail=tail(log),
        )
