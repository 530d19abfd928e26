"""`migrator analyze`: read the code into a dependency graph, and say what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from migrator.cli.observations import print_observed
from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph import store
from migrator.graph.current import current_summary
from migrator.model.program import Skipped
from migrator.plan.evidence.support import supported
from migrator.plan.wording import counted


@click.command("analyze")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")
def command(source: Path, as_json: bool) -> None:
    """Read the monolith in SOURCE into its dependency graph; the code is never run.

    The graph is kept in SOURCE/.migrator/graph.msgpack, where the other verbs find it.

    Example: migrator analyze path/to/application
    """
    root = source.resolve()
    settings = load_settings(root)
    progress = TerminalProgress()
    path = str(store.path_of(root))
    summary = {**current_summary(root, settings, progress), "graph": path}
    if as_json:
        print_json(summary)
        return
    _print_summary(summary, console(stderr=True))
    warn_skipped([Skipped(**each) for each in summary["skipped"]], progress)
    click.echo(path)
    verb = "propose"
    if not summary["tables"]:
        progress.warn(
            f"no table was found, and services are made of tables; read are {supported()}"
        )
        verb = "report"
    console(stderr=True).print(f"next: migrator {verb} {source}", soft_wrap=True)


def _print_summary(summary: dict[str, Any], out: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("modules", f"{summary['modules']} ({counted(summary['lines'], 'line')})")
    functions, classes = summary["functions"], summary["classes"]
    code = f"{counted(functions, 'function')}, {counted(classes, 'class', 'classes')}"
    table.add_row("code", code)
    table.add_row("frameworks", ", ".join(summary["frameworks"]) or "none recognised")
    entry_points = _counts(summary["entry_points"])
    rules = f"; {summary['url_rules']} URL rules" if summary["url_rules"] else ""
    table.add_row("entry points", (entry_points or "none") + rules)
    table.add_row("tables", str(summary["tables"]))
    for kind, confidences in summary["edges"].items():
        table.add_row(f"  {kind}", _counts(confidences))
    table.add_row("state", _counts(summary["state"]) or "none found")
    table.add_row("unresolved", _counts(summary["unresolved"]) or "nothing")
    out.print(table)
    if summary["observed"] is not None:
        print_observed(summary["observed"], out)


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))
