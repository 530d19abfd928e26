"""What the running monolith has registered, against what analysis found: routes and mapped classes.

A route that a program registers in a way that is not read (from a configured list of plug-ins,
say) would be missing in every service, without a word; so would what uses a table be whose model
is declared in such a way.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from pathlib import Path

import msgspec

from migrator.generation.templating import template_folder
from migrator.model.errors import OperationError, Place, Refused
from migrator.model.private import PRIVATE
from migrator.model.program import Program
from migrator.model.progress import Progress
from migrator.model.registered import MappedClass, Registered, ServedRule
from migrator.model.settings import Run
from migrator.operation.application import Placeholders, monolith_variables, search_path
from migrator.operation.guess.project import Project
from migrator.operation.process import Processes, tail
from migrator.operation.start_state import (
    StartState,
    monolith_environment,
    opened_files,
    private_folder,
)

_PROBE = "service/tests/registered.py"
"""The same that each service is asked with when it is tested."""


def import_application(
    root: Path, run: Run, folder: Path, progress: Progress | None = None
) -> Registered:
    """Import the monolith as a server would, on an empty database in `folder`; what it has then.

    Raises OperationError with the log's tail when it cannot be imported or called.
    """
    environment = monolith_environment(root, run, progress)
    state = StartState(folder)
    state.data.mkdir(parents=True)
    answer, log = folder / "registered.json", folder / "import.log"
    given = Placeholders(data=state.data, base_url="http://localhost")
    probe = template_folder() / _PROBE
    with Processes(state.folder / "processes.json") as processes:
        ended = processes.run(
            "importing the application",
            shlex.join(["exec", "python", str(probe), str(answer), run.application]),
            environment=monolith_variables(root, run, environment, state.database, given),
            folder=root,
            log=log,
            seconds=run.startup_seconds,
        )
    if ended:
        where = ", ".join(str(each) for each in search_path(root, run))
        told = tail(log)
        raise OperationError(
            f"{run.application} cannot be imported",
            hint=_unset(root, run, told)
            or f"it is looked for in {where}; correct `application` or `environment`",
            log_tail=told,
        )
    return msgspec.json.decode(answer.read_bytes(), type=Registered)


def _unset(root: Path, run: Run, log: str) -> str:
    """Which variables are read without a default, are not set here, and stand in the log."""
    told = {*run.environment, run.database_variable, *os.environ}
    words = set(re.findall(r"\w+", log))
    names = sorted(
        {
            read.name
            for read in Project(root).reads
            if not read.default and read.name not in told and words & {read.name, read.target}
        }
    )
    if not names:
        return ""
    return f"it reads {', '.join(names)}: set this in [tool.migrator.run.environment]"


def read_registered(root: Path, run: Run, progress: Progress | None = None) -> Registered | None:
    """What the monolith has registered; None where it cannot be imported with an empty database.

    An application may need its tables to be imported at all: then nothing is known.
    """
    with tempfile.TemporaryDirectory(prefix="run-", dir=private_folder(root)) as scratch:
        try:
            found = import_application(root, run, Path(scratch) / "state", progress)
            return msgspec.structs.replace(found, opened=opened_files(root))
        except OperationError:
            return None


def unknown_rules(root: Path, program: Program, served: list[ServedRule]) -> list[Refused]:
    """A refusal for each rule that the project's own code answers and analysis does not know."""
    known = {
        (entry.endpoint, route.rule)
        for entry in program.entry_points.values()
        for route in entry.routes
    }
    read = set(program.modules.values())
    return [
        Refused(
            f"the monolith serves {each.rule} ({each.endpoint}), which analysis missed",
            place=place,
            hint="it is registered in a way that is not read: register it by a decorator,"
            " add_url_rule or register_blueprint where the application is made"
            if place.file in read
            else f"{place.file} was not read: see whether `exclude` of [tool.migrator] or a"
            " .gitignore names it (what git keeps all the same is read), or what `migrator"
            " analyze` skipped",
        )
        for each in served
        if (place := _own(root, each.file, each.line)) and (each.endpoint, each.rule) not in known
    ]


def own_rules(root: Path, served: list[ServedRule]) -> list[ServedRule]:
    """The rules that the project's own code answers."""
    return [each for each in served if _own(root, each.file, each.line)]


def rules_of_packages(root: Path, served: list[ServedRule]) -> list[str]:
    """The rules that code outside the project answers: pages of extensions; static files are none.

    One service answers them, from what it has. Descriptions of the API are none of them.
    """
    return sorted(
        {
            each.rule
            for each in served
            if not _own(root, each.file, each.line)
            and each.endpoint.rpartition(".")[2] != "static"
            and not each.description
        }
    )


def unknown_classes(root: Path, program: Program, mapped: list[MappedClass]) -> list[Refused]:
    """A refusal for each mapped class whose table analysis does not know.

    Those of the project are declared in a way that is not read; those of an extension keep rows
    that only the extension's own code, which is not analysed, reads and writes.
    """
    known = {table.name.casefold() for table in program.tables.values()}
    known |= {table.rpartition(".")[2] for table in known}
    found = []
    for each in mapped:
        if each.table.casefold() in known or each.table.rpartition(".")[2].casefold() in known:
            continue
        place = _own(root, each.file, each.line)
        if place:
            found.append(
                Refused(
                    f"the monolith maps {each.name} to the table {each.table},"
                    " which analysis missed",
                    place=place,
                    hint="it is declared in a way that is not read: let it have a declarative base"
                    " of SQLAlchemy or Flask-SQLAlchemy, or map it by registry.map_imperatively",
                )
            )
        else:
            found.append(
                Refused(
                    f"{each.name}, which is not the project's own, keeps rows in the table"
                    f" {each.table}: what reads and writes them is not analysed",
                    hint="configure the extension to keep them elsewhere, or leave it out",
                )
            )
    return found


def _own(root: Path, file: str, line: int) -> Place | None:
    """The place of code of the project itself; None for all else."""
    path = Path(file)
    if not file or not path.is_relative_to(root) or PRIVATE in path.parts:
        return None
    return Place(str(path.relative_to(root)), line)
