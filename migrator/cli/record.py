"""`migrator record -o FILE [-- CMD ...]`: record what is asked of a running application."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from migrator.cli.command_line import WithCommand
from migrator.cli.interrupts import end_by_signals
from migrator.cli.terminal import TerminalProgress, print_json
from migrator.facts.settings import load_run, load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError
from migrator.operation.process import tail
from migrator.proof.record import Recorded, record_monolith, record_running

SHOWN = 10


@click.command(name="record", cls=WithCommand)
@click.argument("source", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where the traffic is written; the start state goes beside it.",
)
@click.option(
    "--upstream",
    metavar="URL",
    help="An application that runs already; without it the monolith in SOURCE is started.",
)
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --upstream: its SQLite database, copied before anything is recorded.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Of the recording proxy, on loopback; without it a free one.",
)
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the passwords and tokens that are taken out of the traffic in a file apart.",
)
@click.option(
    "--routes",
    is_flag=True,
    help="At the end ask every GET route, with values that the database has, as CMD's last client.",
)
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    source: Path,
    target: Path,
    upstream: str | None,
    database: Path | None,
    port: int | None,
    secrets: Path | None,
    routes: bool,
    as_json: bool,
) -> int:
    """Record what is asked of the monolith in SOURCE, or of what runs at --upstream.

    A proxy stands in front of the application until CMD ends (it finds the address in the base
    URL's variable of the settings, and in place of {base_url}), or until Ctrl-C without CMD and
    --routes.
    Passwords, tokens and cookies are never written into FILE.

    Example: migrator record . -o traffic.jsonl -- python crawl.py {base_url}
    """
    root = source.resolve()
    target = target.resolve()
    arguments: list[str] = ctx.meta["command"]
    code = 0

    def use(url: str) -> None:
        nonlocal code
        click.echo(f"recording: {url}", err=True)
        variable = "BASE_URL" if upstream else load_run(root).base_url
        if arguments:
            code = _run(arguments, url, variable, as_json)
        elif not routes:
            _wait()

    if database is not None and not upstream:
        raise ConfigurationError(
            "--database is for an application that runs already",
            hint="add --upstream URL, or leave --database out: `migrate` and `seed` make one",
        )
    if routes and upstream and database is None:
        raise ConfigurationError(
            "--routes takes its values from the database, and none is named",
            hint="add --database FILE: the SQLite file that the running application uses",
        )
    progress = TerminalProgress()
    program = current_graph(root, load_settings(root), progress).program if routes else None
    try:
        if upstream:
            recorded = record_running(
                upstream,
                target,
                use,
                database=database,
                port=port or 0,
                secrets=secrets,
                program=program,
            )
        else:
            run = load_run(root)
            recorded = record_monolith(
                root,
                run,
                target,
                use,
                progress,
                port=port or 0,
                secrets=secrets,
                program=program,
            )
    finally:
        progress.close()
    _report(recorded, target, secrets, source, as_json)
    return code


def _run(arguments: list[str], url: str, variable: str, quiet: bool) -> int:
    """The command's exit code, in the shell's manner where a signal ended it."""
    filled = [each.replace("{base_url}", url) for each in arguments]
    environment = {**os.environ, variable: url}
    try:
        ended = subprocess.run(
            filled, env=environment, stdout=sys.stderr if quiet else None, check=False
        )
    except OSError as error:
        raise ConfigurationError(
            f"{filled[0]} cannot be started: {error.strerror}",
            hint="migrator record . -o traffic.jsonl -- CMD",
        ) from error
    except KeyboardInterrupt:
        return 130
    return ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


def _wait() -> None:
    click.echo("use the application at that address; Ctrl-C writes the file", err=True)
    end_by_signals()
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        return


def _report(
    recorded: Recorded, target: Path, secrets: Path | None, source: Path, as_json: bool
) -> None:
    traffic = recorded.traffic
    if as_json:
        print_json(
            {
                "file": str(target),
                "requests": len(traffic.steps),
                "bound": recorded.bound,
                "secrets": traffic.header.secrets,
                "start_state": str(recorded.start_state) if recorded.start_state else None,
                "failed": recorded.failed,
                "log": str(recorded.log) if recorded.log else None,
            }
        )
        return
    click.echo(
        f"{len(traffic.steps)} requests, {recorded.bound} values bound to earlier answers,"
        f" {traffic.header.secrets} secrets taken out",
        err=True,
    )
    if recorded.failed:
        click.echo(f"{len(recorded.failed)} of them failed in the application:", err=True)
        for each in recorded.failed[:SHOWN]:
            click.echo(f"  {each}", err=True)
    if recorded.log:
        click.echo(f"its log ends (all of it: {recorded.log}):", err=True)
        for line in tail(recorded.log).splitlines():
            click.echo(f"  {line}", err=True)
    if recorded.start_state:
        click.echo(f"start state: {recorded.start_state}", err=True)
    click.echo(str(target))
    kept = f" --secrets {secrets}" if secrets else ""
    if traffic.header.secrets and not kept:
        click.echo(
            "the secrets are kept nowhere, and made up when it is replayed: where people sign in"
            " whose password is in the start state, record with --secrets FILE",
            err=True,
        )
    click.echo(
        f"next: migrator verify {source} --services OUTPUT --replay {target}{kept}", err=True
    )
