"""What the command line shows: progress on stderr, errors with place and next step."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bars
from rich.style import Style
from rich.text import Text

from migrator.model.errors import MigratorError, OperationError, PlanError

WIDTH = 100


def console(*, stderr: bool = False) -> Console:
    """A console no wider than a document; plain when piped, and as NO_COLOR wants it."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not made.is_terminal:
        made.file = cast("IO[str]", _Unpadded(sys.stderr if stderr else sys.stdout))
    if not made.is_terminal or made.width > WIDTH:
        made.width = WIDTH
    return made


class _Unpadded:
    """A stream for people's documents: tables without the spaces that fill their last column."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(re.sub(r" +(?=\n)", "", text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False


def place_link(root: Path, at: str) -> Text:
    """A place `file:line` that leads to the file in terminals that have hyperlinks (OSC 8)."""
    file, _, line = at.rpartition(":")
    url = (root / file).as_uri() + f"#{line}" if line.isdigit() else (root / at).as_uri()
    return Text(at, style=Style(dim=True, link=url))


def print_hanging(out: Console, line: Text, depth: int = 0) -> None:
    """Print a line, indented by its depth; what does not fit goes on below, indented further."""
    indent = "  " * depth
    for number, part in enumerate(line.wrap(out, max(out.width - len(indent) - 4, 20))):
        part.rstrip()
        out.print(Text.assemble(indent, "    " if number else "", part), soft_wrap=True)


class TerminalProgress:
    """Draws progress events on stderr; one plain line a finished task where nobody watches live.

    Made inside a verb, it is closed when the verb ends, however that is: otherwise an error or
    Ctrl-C would leave the terminal without a cursor.
    """

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live = self._console.is_terminal
        self._started: dict[str, float] = {}
        self._tasks: dict[str, Any] = {}
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            console=self._console,
            transient=True,
            # Results that are told while work goes on belong where the caller sent them.
            redirect_stdout=sys.stdout.isatty(),
        )
        verb = click.get_current_context(silent=True)
        if verb is not None:
            verb.call_on_close(self.close)

    def start(self, task: str, total: int | None = None) -> None:
        self._started[task] = time.monotonic()
        if self._live:
            if not self._tasks:
                self._bars.start()
            self._tasks[task] = self._bars.add_task(task, total=total, detail="")

    def advance(self, task: str, steps: int = 1, detail: str = "") -> None:
        if task in self._tasks:
            self._bars.update(self._tasks[task], advance=steps, detail=detail[:40])

    def finish(self, task: str, summary: str = "") -> None:
        took = time.monotonic() - self._started.pop(task, time.monotonic())
        if task in self._tasks:
            self._bars.remove_task(self._tasks.pop(task))
            if not self._tasks:
                self._bars.stop()
        if summary or took >= 1:
            said = f"{task}: {summary}" if summary else task
            line = Text.assemble(("✓ ", "green"), f"{said} ", (f"{took:.1f} s", "dim"))
            self._console.print(line, soft_wrap=True)

    def warn(self, message: str) -> None:
        self._console.print(Text.assemble(("! ", "yellow"), message), soft_wrap=True)

    def close(self) -> None:
        """Take what is still being drawn off the screen."""
        self._tasks.clear()
        if self._live:
            self._bars.stop()


def print_error(error: MigratorError) -> None:
    """Say on stderr what is wrong, where, and what to do next.

    Lines are not broken, so that paths and commands can be copied. A hint that several problems
    share stands once, below the last of them.
    """
    out = console(stderr=True)
    listed = error.problems if isinstance(error, PlanError) else [error]
    hints = [each.hint for each in listed]
    if error.hint not in hints:
        hints[-1] = "\n".join(filter(None, [hints[-1], error.hint]))
    for number, each in enumerate(listed):
        place = f"{each.place}: " if each.place else ""
        out.print(Text.assemble(("error: ", "bold red"), place, each.message), soft_wrap=True)
        if hints[number] not in hints[number + 1 :]:
            for hint in filter(None, hints[number].split("\n")):
                out.print(Text.assemble(("  next: ", "bold"), hint), soft_wrap=True)
    if isinstance(error, OperationError) and error.log_tail:
        out.print(Text(error.log_tail.rstrip(), style="dim"), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value (a Struct, or plain data) as indented JSON on stdout."""
    plain = msgspec.to_builtins(value, str_keys=True)
    click.echo(json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False))


def error_as_json(error: MigratorError) -> dict[str, Any]:
    """What `--json` prints on stdout when a verb fails."""
    listed = error.problems if isinstance(error, PlanError) else [error]
    log = error.log_tail if isinstance(error, OperationError) else ""
    return {
        "errors": [
            {
                "kind": type(each if type(each) is not MigratorError else error).__name__,
                "message": each.message,
                "place": str(each.place) if each.place else None,
                "hint": each.hint or error.hint or None,
                **({"log": log} if log else {}),
            }
            for each in listed
        ]
    }


def wants_json(arguments: list[str] | None = None) -> bool:
    """Whether `--json` stands on the command line, before the `--` of a command to observe."""
    given = sys.argv[1:] if arguments is None else arguments
    return "--json" in (given[: given.index("--")] if "--" in given else given)
