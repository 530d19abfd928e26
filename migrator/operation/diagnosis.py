"""Whether `[tool.migrator.run]` is right, tried step by step: what is wrong, and what to do."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from migrator.facts.settings import load_run, load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError, MigratorError, OperationError, Refused
from migrator.model.program import StateFinding
from migrator.model.progress import Progress, Silent
from migrator.model.registered import Registered
from migrator.model.settings import Run
from migrator.operation.environment import installed
from migrator.operation.guess.application import importers
from migrator.operation.guess.database import guess_tables
from migrator.operation.guess.project import Project
from migrator.operation.known_failures import explain
from migrator.operation.missing import never_made
from migrator.operation.monolith import RunningMonolith, schema_of
from migrator.operation.ports import HOST
from migrator.operation.process import tail
from migrator.operation.registered import (
    import_application,
    own_rules,
    unknown_classes,
    unknown_rules,
)
from migrator.operation.start_state import (
    StartState,
    make_start_state,
    monolith_environment,
    private_folder,
    seed_state,
)
from migrator.operation.tree import files_of, written

Outcome = Literal["ok", "warning", "failed", "skipped"]

SERVICES_FROM = (3, 8)
"""The oldest Python that generated services run on."""

STEPS = (
    "settings",
    "environment",
    "application",
    "routes",
    "models",
    "migrate",
    "seed",
    "start",
    "tests",
    "tree",
)


class Check(msgspec.Struct, kw_only=True):
    """One step and how it went."""

    name: str
    outcome: Outcome
    message: str
    hint: str = ""
    place: str = ""
    log_tail: str = ""
    seconds: float = 0.0


@dataclass
class _Subject:
    """What the steps hand on to each other."""

    root: Path
    folder: Path
    run: Run
    progress: Progress
    start: StartState
    registered: Registered = field(default_factory=Registered)
    state: list[StateFinding] = field(default_factory=list)
    running: RunningMonolith | None = None


def diagnose(root: Path, progress: Progress | None = None) -> Iterator[Check]:
    """Try the monolith's settings step by step; one result a step, as soon as it is known.

    A step that fails makes those after it `skipped`, apart from the last, which tells whether
    anything was written into the monolith's own tree.
    """
    progress = progress or Silent()
    try:
        run = load_run(root)
    except MigratorError as error:
        yield _failed("settings", error, 0.0)
        yield from _skipped(STEPS[1:])
        return
    yield Check(name="settings", outcome="ok", message="pyproject.toml has [tool.migrator.run]")
    folder = private_folder(root) / "doctor"
    shutil.rmtree(folder, ignore_errors=True)
    subject = _Subject(root.resolve(), folder, run, progress, StartState(folder / "start"))
    before = _tree(subject.root)
    steps: list[tuple[str, Callable[[_Subject], Check]]] = [
        ("environment", _environment),
        ("application", _application),
        ("routes", _routes),
        ("models", _models),
        ("migrate", _migrate),
        ("seed", _seed),
        ("start", _start),
        ("tests", _tests),
    ]
    failed = False
    try:
        for name, step in steps:
            if failed:
                yield from _skipped([name])
                continue
            started = time.monotonic()
            try:
                check = step(subject)
                check.seconds = time.monotonic() - started
            except MigratorError as error:
                check = _failed(name, error, time.monotonic() - started, root)
            failed = check.outcome == "failed"
            yield check
    finally:
        if subject.running is not None:
            subject.running.stop()
    yield _files(subject, before)


def _skipped(names: tuple[str, ...] | list[str]) -> Iterator[Check]:
    for name in names:
        yield Check(name=name, outcome="skipped", message="not tried")


def _failed(name: str, error: MigratorError, seconds: float, root: Path | None = None) -> Check:
    log = error.log_tail if isinstance(error, OperationError) else ""
    known = explain(log or error.message, root)
    return Check(
        name=name,
        outcome="failed",
        message=error.message,
        hint=known or error.hint,
        place=str(error.place or ""),
        log_tail=log,
        seconds=seconds,
    )


def _environment(subject: _Subject) -> Check:
    environment = monolith_environment(subject.root, subject.run, subject.progress)
    found = installed(environment)
    version = tuple(int(part) for part in found.version.split(".")[:2])
    message = f"Python {found.version}, {len(found.distributions)} distributions"
    if version < SERVICES_FROM:
        wanted = ".".join(map(str, SERVICES_FROM))
        return Check(
            name="environment",
            outcome="failed",
            message=f"{message}: services need Python {wanted} or later",
            hint="set `python` of [tool.migrator.run]",
        )
    names = {distribution.name.lower() for distribution in found.distributions}
    if "flask" not in names:
        return Check(
            name="environment",
            outcome="failed",
            message=f"{message}, but not flask",
            hint="correct `install` of [tool.migrator.run]; migrator reads Flask applications",
        )
    if "sqlalchemy" not in names:
        return Check(
            name="environment",
            outcome="failed",
            message=f"{message}, but not sqlalchemy",
            hint="if the application uses it, correct `install` of [tool.migrator.run]; one with"
            " raw connections can be analysed, planned and checked, but no services are generated",
        )
    return Check(name="environment", outcome="ok", message=message)


def _application(subject: _Subject) -> Check:
    """Import it as a server would, in a folder of data that is thrown away."""
    target = subject.run.application
    if not target.partition(":")[2]:
        raise ConfigurationError(
            f"application is {target!r}, not module:attribute",
            hint='such as application = "shop.wsgi:app" or "shop:create_app()"',
        )
    folder = subject.folder / "import"
    subject.registered = import_application(subject.root, subject.run, folder, subject.progress)
    return Check(name="application", outcome="ok", message=f"{target} is imported")


def _routes(subject: _Subject) -> Check:
    """Analysis has to know every route that the project's own code answers."""
    program = current_graph(subject.root, load_settings(subject.root), Silent()).program
    subject.state = program.state
    rules = subject.registered.rules
    missed = unknown_rules(subject.root, program, rules)
    return (
        _missed("routes", missed)
        or _unserved(subject)
        or Check(name="routes", outcome="ok", message=f"analysis knows all {len(rules)} rules")
    )


def _unserved(subject: _Subject) -> Check | None:
    """A failure where the application serves nothing of the project's own: what would register it
    is not imported."""
    if own_rules(subject.root, subject.registered.rules):
        return None
    application = subject.run.application
    module = application.partition(":")[0]
    found = importers(Project(subject.root), application)
    others = {f"{each.name}:{local}": registers for each, local, registers in found}
    named = sorted(others, key=lambda each: (not others[each], each))
    return Check(
        name="routes",
        outcome="failed",
        message=f"{application} serves no route of the project: {module} imports"
        " nothing that would register any",
        hint="name in `application` a module that has imported all of them"
        + (f", such as {_few(named, 3)}" if named else ""),
    )


def _models(subject: _Subject) -> Check:
    """Analysis has to know the table of every class that is mapped."""
    program = current_graph(subject.root, load_settings(subject.root), Silent()).program
    classes = subject.registered.classes
    missed = unknown_classes(subject.root, program, classes)
    return _missed("models", missed) or Check(
        name="models",
        outcome="ok",
        message=f"analysis knows the tables of all {len(classes)} mapped classes",
    )


def _missed(name: str, missed: list[Refused]) -> Check | None:
    """A warning: `generate` refuses what analysis does not know."""
    if not missed:
        return None
    more = f"; and {len(missed) - 1} more like this" if len(missed) > 1 else ""
    return Check(
        name=name,
        outcome="warning",
        message=f"{missed[0].message}{more}",
        hint=missed[0].hint,
        place=str(missed[0].place or ""),
    )


def _migrate(subject: _Subject) -> Check:
    try:
        make_start_state(
            subject.root, subject.run, subject.start.folder, subject.progress, seed=False
        )
    except OperationError as error:
        failed = _failed("migrate", error, 0.0)
        other = _without_migrations(subject)
        known = failed.hint if failed.hint != error.hint else ""
        failed.hint = "; ".join(each for each in (known, other) if each) or error.hint
        return failed
    tables = [o.name for o in schema_of(subject.start.database).objects if o.type == "table"]
    return Check(name="migrate", outcome="ok", message=f"{len(tables)} tables: {_few(tables)}")


def _without_migrations(subject: _Subject) -> str:
    """What to write where migrations do not run on SQLite, as those for other databases often."""
    if not re.search(r"\b(alembic|db) upgrade\b", subject.run.migrate):
        return ""
    tables = guess_tables(Project(subject.root), subject.run.application)
    if not tables.value:
        return ""
    return (
        "where the migrations were written for another database than SQLite, make the tables from"
        f" the models instead: migrate = {json.dumps(tables.value)}"
    )


def _seed(subject: _Subject) -> Check:
    seed_state(subject.root, subject.run, subject.start, subject.progress)
    rows = _rows(subject.start.database)
    if missing := _never_made(subject):
        return missing
    if not subject.run.seed:
        found = f"{rows} rows of the first start" if rows else "tests start from an empty database"
        return Check(name="seed", outcome="ok", message=f"none: {found}")
    if not rows:
        return Check(
            name="seed",
            outcome="warning",
            message="`seed` put no row into any table",
            hint=f"does it use the database that {subject.run.database} names?",
        )
    return Check(name="seed", outcome="ok", message=f"{rows} rows")


def _never_made(subject: _Subject) -> Check | None:
    """A warning: what models want is in no database when the application has started."""
    program = current_graph(subject.root, load_settings(subject.root), Silent()).program
    tables = {each.table for each in subject.registered.classes}
    missing = never_made(subject.start.database, program, tables)
    if not missing:
        return None
    what = "columns" if "." in missing[0] else "tables"
    other = guess_tables(Project(subject.root), subject.run.application).value
    return Check(
        name="seed",
        outcome="warning",
        message=f"neither `migrate` nor a start makes the {what} {_few(missing)}",
        hint="correct `migrate`"
        + (f", such as: migrate = {json.dumps(other)}" if other != subject.run.migrate else ""),
    )


def _start(subject: _Subject) -> Check:
    subject.running = RunningMonolith(
        subject.root,
        subject.run,
        subject.folder / "run",
        subject.progress,
        start_state=subject.start,
    )
    subject.running.__enter__()
    status = _get(subject.running.port, "/")
    if subject.run.processes:
        # A worker that cannot reach what it needs ends a moment after its start.
        time.sleep(1.5)
    subject.running.check()
    names = ["web", *subject.run.processes, *subject.run.companions]
    answer = f"answers {status}" if status else "breaks off without an answer"
    message = f"{', '.join(names)} run; GET / {answer}"
    if not status or status >= 500:
        return Check(
            name="start",
            outcome="failed",
            message=message,
            hint=explain(tail(subject.running.logs / "web.log")) or _unanswered(subject),
            log_tail=tail(subject.running.logs / "web.log"),
        )
    return Check(name="start", outcome="ok", message=message)


def _unanswered(subject: _Subject) -> str:
    assert subject.running is not None
    log = f"its log: {subject.running.logs / 'web.log'}"
    if subject.run.seed:
        return log
    return (
        "tables are there but nothing fills them: if the application needs a first user or its"
        f" settings in the database, name the command that makes them in `seed`; {log}"
    )


def _tests(subject: _Subject) -> Check:
    assert subject.running is not None
    if not subject.run.test:
        return Check(
            name="tests",
            outcome="warning",
            message="`test` is empty: there are no HTTP tests to prove the services with",
            hint="`migrator record` keeps what is asked of the application, and `verify --replay`"
            " asks it again; or name the command of tests that speak only HTTP in `test`",
        )
    before = _size(subject.running.logs / "web.log"), _rows(subject.running.database)
    suite = subject.running.run_tests()
    subject.running.check()
    if not suite.passed:
        return Check(
            name="tests",
            outcome="failed",
            message=f"{suite.summary()} ({suite.seconds:.1f} s)",
            hint=explain(tail(suite.log)) or f"the whole output: {suite.log}",
            log_tail="\n".join(suite.failures[:20]) or tail(suite.log),
        )
    if suite.counts and not suite.total:
        return Check(
            name="tests",
            outcome="failed",
            message=f"no test was run: {suite.summary()}",
            hint="correct `test` of [tool.migrator.run]",
        )
    message = f"{suite.summary()} ({suite.seconds:.1f} s)"
    if before == (_size(subject.running.logs / "web.log"), _rows(subject.running.database)):
        return Check(
            name="tests",
            outcome="warning",
            message=f"{message}, but no row was written",
            hint=f"do they use {subject.run.base_url}? Tests that only read prove little",
        )
    return Check(name="tests", outcome="ok", message=message)


def _files(subject: _Subject, before: dict[str, tuple[int, int]]) -> Check:
    """Files that it keeps below its own sources have to be in folders that analysis knows."""
    after = _tree(subject.root)
    changed = {name for name in after if before.get(name) != after[name]}
    changed.update(files_of(subject.start.project))
    if subject.running is not None and subject.running.project.is_dir():
        changed.update(written(subject.root, subject.running.project))
    if not changed:
        return Check(name="tree", outcome="ok", message="nothing was written into the project")
    message = f"written into the project itself: {_few(sorted(changed))}"
    known = {finding.path for finding in subject.state if finding.path}
    if all(any(name.startswith(f"{path}/") for path in known) for name in changed):
        return Check(name="tree", outcome="ok", message=f"{message}; analysis knows the folders")
    return Check(
        name="tree",
        outcome="warning",
        message=message,
        hint="name a folder below {data} in [tool.migrator.run.environment], so that each running"
        " instance has its own, or give it to a service as one of its `folders` in the plan",
    )


def _get(port: int, path: str) -> int:
    """The status of an answer; 0 where the application breaks off (gunicorn does so for an
    `OSError`), OperationError when there is none."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=30)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except http.client.RemoteDisconnected:
            return 0
        except (OSError, http.client.HTTPException) as error:
            raise OperationError(f"GET {path} is not answered: {type(error).__name__}") from error


def _rows(database: Path) -> int:
    """All rows of all tables."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [o.name for o in schema_of(database).objects if o.type == "table"]
        return sum(
            connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in tables
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _few(names: list[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _tree(root: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file of the project; hidden folders and environments are left out."""
    found: dict[str, tuple[int, int]] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in ("node_modules", "__pycache__")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            found[os.path.relpath(path, root)] = (status.st_size, status.st_mtime_ns)
    return found
