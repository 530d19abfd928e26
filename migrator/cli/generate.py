"""`migrator generate`: write the services of the plan."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from migrator.cli.generating import Generating
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_run
from migrator.generation.generate import Generated
from migrator.generation.output import Written
from migrator.generation.readme import percentage
from migrator.plan.store import FILE_NAME

NAMED = 4


@click.command(name="generate")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help=f"The plan; default: SOURCE/{FILE_NAME}.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder that is empty, does not exist, or was generated before.",
)
@click.option(
    "--step",
    type=click.IntRange(0),
    metavar="K",
    help="Only the first K services in the plan's order, beside what remains of the monolith.",
)
@click.option("--json", "as_json", is_flag=True, help="What was written, as JSON on stdout.")
def command(
    source: Path, plan_file: Path | None, output: Path, step: int | None, as_json: bool
) -> int:
    """Write the services of the plan of the monolith in SOURCE, with its own code in them.

    Installs the monolith into an environment below SOURCE/.migrator and runs its migrate command on
    an empty database, for its versions and its schema. All services are written, or none. In a
    folder that was generated before, what people changed is merged with what is generated now, and
    nothing is said when nothing changes. Exit code 1 when something cannot be carried over (every
    such place is named), and when people have to resolve a conflict.

    Example: migrator generate . -o ../services
    """
    root, output = source.resolve(), output.resolve()
    progress = TerminalProgress()
    try:
        generated = Generating(root, plan_file, output, progress).generate(step)
    finally:
        progress.close()
    if as_json:
        print_json(generated)
    elif generated.written.first:
        _show(generated, source, load_run(root).test)
    else:
        _show_changes(generated.written)
    return 1 if generated.written.conflicts else 0


def _show_changes(written: Written) -> None:
    """What became of the files that were there; nothing when nothing did."""
    if written.nothing:
        return
    for label, paths in (
        ("new", written.new),
        ("changed", written.changed),
        ("removed", written.removed),
        ("merged with your changes", written.merged),
        ("left as you changed them", written.kept),
    ):
        if paths:
            named = ", ".join(paths[:NAMED]) + (", ..." if len(paths) > NAMED else "")
            click.echo(f"{len(paths)} {label}: {named}")
    for each in written.conflicts:
        click.echo(f"CONFLICT  {each.path}: {each.why}")


def _show(generated: Generated, source: Path, test: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("service")
    for name in ("files", "lines", "", "tables", "routes", "replicas", "calls", "deferred"):
        table.add_column(name, justify="right")
    for each in generated.services:
        share = f"{percentage(each.lines, generated.monolith_lines)} %"
        figures = [each.files, each.lines, share, each.tables, each.routes]
        figures += [each.replicas, each.calls, each.deferred]
        table.add_row(each.name, *map(str, figures))
    out = console(stderr=True)
    out.print(table)
    out.print(f"of the monolith's {generated.monolith_lines} lines, in {generated.output}")
    out.print(f"next: migrator up {generated.output}", soft_wrap=True)
    replay = ""
    if not test:
        out.print(f"      migrator record {source} -o TRAFFIC.jsonl", soft_wrap=True)
        replay = " --replay TRAFFIC.jsonl"
    out.print(
        f"      migrator verify {source} --services {generated.output}{replay}", soft_wrap=True
    )
