"""The routes that the running monolith really serves, against those that analysis found.

A route that a program registers in a way that is not read (from a configured list of plug-ins,
say) would be missing in every service, without a word.
"""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

import msgspec

from migrator.model.errors import Place, Refused
from migrator.model.private import PRIVATE
from migrator.model.program import Program
from migrator.model.progress import Progress, Silent
from migrator.model.settings import Run
from migrator.operation.application import Placeholders, monolith_variables
from migrator.operation.process import Processes
from migrator.operation.start_state import StartState, monolith_environment, private_folder

_SCRIPT = Path(__file__).with_name("url_rules.py")


class ServedRule(msgspec.Struct, frozen=True, kw_only=True):
    """One URL rule of the running application, and the code that answers it."""

    rule: str
    endpoint: str
    file: str
    """Absolute; empty where the code has no source."""
    line: int


def read_rules(root: Path, run: Run, progress: Progress | None = None) -> list[ServedRule] | None:
    """The rules of the monolith, imported with an empty database; None where it cannot be.

    An application may need its tables to be imported at all: then nothing is known.
    """
    progress = progress or Silent()
    environment = monolith_environment(root, run, progress)
    with tempfile.TemporaryDirectory(prefix="run-", dir=private_folder(root)) as scratch:
        state = StartState(Path(scratch) / "state")
        state.data.mkdir(parents=True)
        answer = Path(scratch) / "rules.json"
        given = Placeholders(data=state.data, base_url="http://localhost")
        with Processes(state.folder / "processes.json") as processes:
            ended = processes.run(
                "reading the routes",
                shlex.join(["exec", "python", str(_SCRIPT), run.application, str(answer)]),
                environment=monolith_variables(root, run, environment, state.database, given),
                folder=root,
                log=state.folder / "rules.log",
                seconds=run.startup_seconds,
            )
        if ended or not answer.is_file():
            return None
        return msgspec.json.decode(answer.read_bytes(), type=list[ServedRule])


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
