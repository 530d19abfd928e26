"""`migrator analyze`: read the code into a dependency graph, and say what is in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from migrator.cli.observations import print_observed
from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph import store
from migrator.graph.build import build_graph
from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph


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
    try:
        graph, path = store.load(root, settings), store.path_of(root)
    except ConfigurationError:  # never analysed, or something has changed since
        graph = build_graph(root, settings, progress)
        path = store.save(graph, root, settings)
    summary = summarise(graph)
    summary["graph"] = str(path)
    if as_json:
        print_json(summary)
        return
    _print_summary(summary, console(stderr=True))
    warn_skipped(graph, progress)
    click.echo(str(path))
    console(stderr=True).print(f"next: migrator propose {source}", soft_wrap=True)


def summarise(graph: Graph) -> dict[str, Any]:
    """The figures of a graph, as plain data."""
    program = graph.program
    edges: dict[str, dict[str, int]] = {}
    for (kind, confidence), count in graph.counts().items():
        edges.setdefault(kind.name.lower(), {})[confidence.name.lower()] = count
    return {
        "root": program.root,
        "source_roots": program.source_roots,
        "modules": len(program.modules),
        "lines": program.lines,
        "functions": len(program.functions),
        "classes": len(program.classes),
        "tables": len(program.tables),
        "entry_points": dict(Counter(entry.kind for entry in program.entry_points.values())),
        "url_rules": sum(len(entry.routes) for entry in program.entry_points.values()),
        "frameworks": program.frameworks,
        "edges": dict(sorted(edges.items())),
        "state": dict(Counter(finding.kind for finding in program.state)),
        "observed": msgspec.to_builtins(program.observed),
        "unresolved": dict(Counter(each.reason for each in program.unresolved)),
        "skipped": [
            {"file": each.file, "line": each.line, "reason": each.reason}
            for each in program.skipped
        ],
    }


def _print_summary(summary: dict[str, Any], out: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("modules", f"{summary['modules']} ({summary['lines']} lines)")
    table.add_row("code", f"{summary['functions']} functions, {summary['classes']} classes")
    table.add_row("frameworks", ", ".join(summary["frameworks"]) or "none recognised")
    counted = _counts(summary["entry_points"])
    rules = f"; {summary['url_rules']} URL rules" if summary["url_rules"] else ""
    table.add_row("entry points", (counted or "none") + rules)
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
