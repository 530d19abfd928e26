"""`migrator export`: the graph in formats that other programs read."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.cli.terminal import TerminalProgress, print_json
from migrator.facts.settings import load_settings
from migrator.model.errors import ConfigurationError, Place
from migrator.report.graph.formats import FOLDABLE, FORMATS


@click.command("export")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option(
    "--as", "format_", type=click.Choice(list(FORMATS)), required=True, help="The format."
)
@click.option(
    "--modules",
    "folded",
    is_flag=True,
    help="Fold functions and classes into their modules; mermaid always does.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file; default: stdout.")
@click.option(
    "--json", "as_json", is_flag=True, help="Format, file and text as one JSON object on stdout."
)
def command(source: Path, format_: str, folded: bool, output: Path | None, as_json: bool) -> None:
    """Write the graph of the Python code in SOURCE for other programs; the code is never run.

    SOURCE may be any folder with Python files: a project without configuration, or a folder of
    installed packages. `pycg` is the call graph as an adjacency list, `imports` the imports between
    modules; the others hold all that `analyze` finds.

    Example: migrator export . --as graphml -o graph.graphml
    """
    if folded and format_ not in (*FOLDABLE, "mermaid"):
        raise ConfigurationError(
            f"--modules says nothing for {format_}", hint=f"use it with {', '.join(FOLDABLE)}"
        )
    root = source.resolve()
    progress = TerminalProgress()
    text = FORMATS[format_](root, load_settings(root), progress, folded)
    progress.close()
    if output is not None:
        if output.is_dir() or not output.parent.is_dir():
            raise ConfigurationError(
                "is a folder" if output.is_dir() else "is in a folder that does not exist",
                place=Place(str(output)),
                hint="name a file: -o",
            )
        output.write_text(text, encoding="utf-8")
    if as_json:
        file = str(output) if output is not None else None
        print_json({"format": format_, "file": file, "text": text if output is None else None})
    elif output is None:
        click.echo(text, nl=False)
    else:
        click.echo(str(output))
