"""The routes that the running monolith really serves, against those that analysis found.

A route that a program registers in a way that is not read (from a configured list of plug-ins,
say) would be missing in every service, without a word.
"""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

import msgspec

from migrator.model.errors import OperationError, Place, Refused
from migrator.model.private import PRIVATE
from migrator.model.program import Program
from migrator.model.progress import Progress
from migrator.model.settings import Run
from migrator.operation.application import Placeholders, monolith_variables, search_path
from migrator.operation.process import Processes, tail
from migrator.operation.start_state import StartState, monolith_environment, private_folder

_SCRIPT = Path(__file__).with_name("url_rules.py")


class ServedRule(msgspec.Struct, frozen=True, kw_only=True):
    """One URL rule of the running application, and the code that answers it."""

    rule: str
    endpoint: str
    file: str
    """Absolute; empty where the code has no source."""
    line: int


def import_application(
    root: Path, run: Run, folder: Path, progress: Progress | None = None
) -> list[ServedRule]:
    """Import the monolith as a server would, on an empty database in `folder`; its rules.

    Raises OperationError with the log's tail when it cannot be imported or called.
    """
    environment = monolith_environment(root, run, progress)
    state = StartState(folder)
    state.data.mkdir(parents=True)
    answer, log = folder / "rules.json", folder / "import.log"
    given = Placeholders(data=state.data, base_url="http://localhost")
    with Processes(state.folder / "processes.json") as processes:
        ended = processes.run(
            "importing the application",
            shlex.join(["exec", "python", str(_SCRIPT), run.application, str(answer)]),
            environment=monolith_variables(root, run, environment, state.database, given),
            folder=root,
            log=log,
            seconds=run.startup_seconds,
        )
    if ended:
        where = ", ".join(str(each) for each in search_path(root, run))
        raise OperationError(
            f"{run.application} cannot be imported",
            hint=f"it is looked for in {where}; correct `application` or `environment`",
            log_tail=tail(log),
        )
    return msgspec.json.decode(answer.read_bytes(), type=list[ServedRule])


def read_rules(root: Path, run: Run, progress: Progress | None = None) -> list[ServedRule] | None:
    """The rules of the monolith; None where it cannot be imported with an empty database.

    An application may need its tables to be imported at all: then nothing is known.
    """
    with tempfile.TemporaryDirectory(prefix="run-", dir=private_folder(root)) as scratch:
        try:
            return import_application(root, run, Path(scratch) / "state", progress)
        except OperationError:
            return None


def unknown_rules(root: Path, program: Program, served: list[ServedRule]) -> list[Refused]:
    """A refusal for each rule that the project's own code answers and analysis does not know."""
    known = {
        (entry.endpoint, route.rule)
        for entry in program.entry_points.values()
        for route in entry.routes
    }
    found = []
    for each in served:
        path = Path(each.file)
        if not each.file or not path.is_relative_to(root) or PRIVATE in path.parts:
            continue
        if (each.endpoint, each.rule) not in known:
            found.append(
                Refused(
                    f"the monolith serves {each.rule} ({each.endpoint}), which analysis missed",
                    place=Place(str(path.relative_to(root)), each.line),
                    hint="it is registered in a way that is not read: register it by a decorator,"
                    " add_url_rule or register_blueprint where the application is made",
                )
            )
    return found
