"""`migrator scale SERVICE N`: more or fewer web processes of a running service."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.cli.completion import running
from migrator.cli.running import services_option
from migrator.cli.terminal import print_json
from migrator.operation.control import Scale, ask


@click.command("scale")
@click.argument("service", shell_complete=running)
@click.argument("processes", type=click.IntRange(1, 32))
@services_option
@click.option("--json", "as_json", is_flag=True, help="What runs then, as JSON on stdout.")
def command(service: str, processes: int, output: Path, as_json: bool) -> None:
    """Give SERVICE that many web processes, while it answers and without losing a request.

    Example: migrator scale catalogue 4 --services ../services
    """
    state = ask(output, Scale(service=service, processes=processes))
    if as_json:
        print_json(state)
        return
    addresses = state.services[service]
    plural = "es" if len(addresses) > 1 else ""
    click.echo(f"{service}: {len(addresses)} web process{plural}, {', '.join(addresses)}")
