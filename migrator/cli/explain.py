"""`migrator explain`: why something is where it is, and what ties two things."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.plan.explain import Explainer
from migrator.plan.store import FILE_NAME, load


@click.command("explain")
@click.argument("name")
@click.argument("other", default="")
@click.option(
    "--source", type=click.Path(path_type=Path), default=Path("."), help="The monolith's root."
)
@click.option("--plan", "plan_path", type=click.Path(path_type=Path), help="The plan to explain.")
@click.option("--json", "as_json", is_flag=True, help="The lines as JSON on stdout.")
def command(name: str, other: str, source: Path, plan_path: Path | None, as_json: bool) -> None:
    """Say why NAME is in its service, or what ties NAME and OTHER.

    A name is that of a service, table, entry point (also its endpoint or rule), function or
    module.

    Example: migrator explain invoices members
    """
    root = source.resolve()
    plan = load(plan_path or root / FILE_NAME)
    graph = current_graph(root, load_settings(root), TerminalProgress())
    explainer = Explainer(graph, plan)
    lines = explainer.between(name, other) if other else explainer.why(name)
    if as_json:
        print_json(lines)
        return
    out = console()
    for line in lines:
        place = (f"  {line.at}", "dim") if line.at else ""
        out.print(Text.assemble("  " * line.depth, line.text, place), soft_wrap=True)
