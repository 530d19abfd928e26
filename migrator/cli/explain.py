"""`migrator explain`: why something is where it is, and what ties two things."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from migrator.cli.completion import of_plan, proposals
from migrator.cli.terminal import TerminalProgress, console, place_link, print_hanging, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError
from migrator.plan.explain.answer import Explainer
from migrator.plan.store import FILE_NAME, find, load

_MOST_PLACES = 4

_NAMES = of_plan("services", "tables", "entry_points")


@click.command("explain")
@click.argument("name", shell_complete=_NAMES)
@click.argument("other", default="", shell_complete=_NAMES)
@click.option(
    "--source", type=click.Path(path_type=Path), default=Path("."), help="The monolith's root."
)
@click.option(
    "--plan",
    "plan_name",
    default="",
    shell_complete=proposals,
    help="The plan to explain, or a proposal's name.",
)
@click.option("--json", "as_json", is_flag=True, help="The lines as JSON on stdout.")
def command(name: str, other: str, source: Path, plan_name: str, as_json: bool) -> None:
    """Say why NAME is in its service, or what ties NAME and OTHER.

    A name is that of a service, table, entry point (also its endpoint or rule), function or
    module; `table:NAME` is the table where a service has the same name. In terminals that have
    hyperlinks, places lead to the file.

    Example: migrator explain invoices members
    """
    root = source.resolve()
    settings = load_settings(root)
    plan = find(root, plan_name) if plan_name else load(root / FILE_NAME)
    graph = current_graph(root, settings, TerminalProgress())
    explainer = Explainer(graph, plan)
    try:
        lines = explainer.between(name, other) if other else explainer.why(name)
    except ConfigurationError as error:
        if Path(name).is_dir() and other:
            error.hint = f"the folder of the code goes after --source: `migrator explain {other}"
            error.hint += f" --source {name}`"
        raise
    if as_json:
        print_json(lines)
        return
    out = console()
    for line in lines:
        shown = Text(line.text)
        for number, place in enumerate(line.at[:_MOST_PLACES]):
            shown.append(", " if number else "  ")
            shown.append(place_link(root, place))
        if len(line.at) > _MOST_PLACES:
            shown.append(f" and {len(line.at) - _MOST_PLACES} more places")
        print_hanging(out, shown, line.depth)
