"""`migrator move-data FROM TO`: what one set of services owns goes to another, with all rows."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.cli.terminal import TerminalProgress, print_json
from migrator.operation.move import join_data, move_data
from migrator.proof.history import carry


@click.command("move-data")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.argument("target", metavar="TO", type=click.Path(path_type=Path))
@click.option(
    "--monolith",
    is_flag=True,
    help="TO is a new folder that gets the monolith's own database and files.",
)
@click.option("--force", is_flag=True, help="Replace data that the services in TO have already.")
@click.option("--json", "as_json", is_flag=True, help="What was moved, as JSON on stdout.")
def command(source: Path, target: Path, monolith: bool, force: bool, as_json: bool) -> None:
    """Move the data of the services in FROM to those in TO, which own the same tables together.

    So a step of the roadmap is taken, and taken back with everything written since. Both have to be
    stopped. The data in FROM stays as it is, and is started no more.

    Example: migrator move-data ../services/step-1 ../services/step-2
    """
    progress = TerminalProgress()
    try:
        if monolith:
            moved = join_data(source, target, progress)
        else:
            moved = move_data(source, target, progress, force=force)
            carry(source, target)
    finally:
        progress.close()
    if as_json:
        print_json(moved)
        return
    rows = sum(moved.tables.values())
    click.echo(f"{rows} rows of {len(moved.tables)} tables, all there: {moved.target}")
    if not monolith:
        click.echo(f"next: migrator up {moved.target}", err=True)
