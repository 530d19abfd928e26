"""`migrator observe [SOURCE] -- CMD ...`: run a command and record what the code really touches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from migrator.cli.command_line import WithCommand
from migrator.cli.terminal import console, print_json
from migrator.facts.observation import session as sessions
from migrator.facts.observation.records import Observation, read_session
from migrator.model.errors import ConfigurationError

_HINT = "migrator observe . -- python -m pytest"


@click.command(name="observe", cls=WithCommand)
@click.argument("source", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--fresh", is_flag=True, help="Forget what earlier commands showed.")
@click.option(
    "--json", "as_json", is_flag=True, help="Summary as JSON on stdout; CMD's output on stderr."
)
@click.pass_context
def command(ctx: click.Context, source: Path, fresh: bool, as_json: bool) -> int:
    """Run CMD unchanged, and record what the project in SOURCE touches while it runs.

    Every Python below CMD records, per entry point, SQL statements, calls between functions of
    the project and branches taken, into SOURCE/.migrator/observations; parameters and literals of
    statements are never kept. `migrator analyze` then merges them into the graph. Exits as CMD
    does.

    Example: migrator observe . -- python -m pytest tests
    """
    arguments: list[str] = ctx.meta["command"]
    if not arguments:
        raise ConfigurationError("no command to observe was given after `--`", hint=_HINT)
    root = source.resolve()
    if not root.is_dir():
        raise ConfigurationError(f"{source} is not a folder", hint=_HINT)
    if fresh:
        sessions.forget(root)
    session = sessions.new_session(root)
    code = _run(arguments, sessions.observed_environment(root, session, os.environ), as_json)
    seen = read_session(session, root)
    if as_json:
        print_json({"command": arguments, "exit_code": code, **_summary(seen)})
    else:
        _print(seen, source)
    if not seen.processes:
        session.rmdir()
    return code


def _run(arguments: list[str], environment: dict[str, str], quiet: bool) -> int:
    """The command's exit code, in the shell's manner where a signal ended it."""
    try:
        process = subprocess.Popen(arguments, env=environment, stdout=sys.stderr if quiet else None)
    except OSError as error:
        raise ConfigurationError(
            f"{arguments[0]} cannot be started: {error.strerror}", hint=_HINT
        ) from error
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminate = signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)
    return code if code >= 0 else 128 - code


def _summary(seen: Observation) -> dict[str, object]:
    entries = list(seen.entries.values())
    return {
        "processes": seen.processes,
        "entry_points": sum(each.kind not in ("process", "unrouted") for each in entries),
        "runs": sum(each.runs for each in entries if each.kind != "process"),
        "statements": sum(sum(each.executions.values()) for each in entries),
        "distinct_statements": len({one.statement for each in entries for one in each.executions}),
        "calls": sum(sum(each.calls.values()) for each in entries),
        "functions": len({code for each in entries for code in each.entered if code.qualname}),
        "failures": dict(seen.failures),
        "torn_lines": seen.torn,
    }


def _print(seen: Observation, source: Path) -> None:
    out = console(stderr=True)
    counted = _summary(seen)
    out.print(
        "observed: {processes} processes, {entry_points} entry points run {runs} times,"
        " {statements} statements ({distinct_statements} different),"
        " {functions} functions of the project, {calls} calls between them".format(**counted)
    )
    for what, count in sorted(seen.failures.items()):
        out.print(f"! not observed: {what} ({count} times)")
    if not counted["functions"]:
        out.print(
            "! no function of the project ran. Is it installed as a copy (not `pip install -e`),"
            " or does the command clear PYTHONPATH (tox, python -I)?"
        )
    out.print(f"  next: migrator analyze {source}")
