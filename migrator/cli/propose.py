"""`migrator propose`: service boundaries, written down as a plan."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError, Place
from migrator.model.plan import Plan
from migrator.plan.constraints import Constraints
from migrator.plan.findings import DECISION, LEFT_OUT, SPLIT
from migrator.plan.propose import propose_with_consequences
from migrator.plan.score import Score, score
from migrator.plan.store import FILE_NAME, PROPOSAL, save


@click.command("propose")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--services", metavar="N|MIN-MAX", default="", help="How many services.")
@click.option("--together", metavar="A,B", multiple=True, help="Tables of one service.")
@click.option("--apart", metavar="A,B", multiple=True, help="Tables of different services.")
@click.option("--own", metavar="SERVICE=A,B", multiple=True, help="Tables of a named service.")
@click.option("--first", metavar="NAME", default="", help="Take out only this service.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the plan here.")
@click.option("--force", is_flag=True, help="Replace a plan that is there already.")
@click.option("--json", "as_json", is_flag=True, help="Plan and score as JSON on stdout.")
def command(
    source: Path,
    services: str,
    together: tuple[str, ...],
    apart: tuple[str, ...],
    own: tuple[str, ...],
    first: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Propose service boundaries for the monolith in SOURCE and write the plan.

    Example: migrator propose . --services 4-8 --apart members,invoices
    """
    root = source.resolve()
    target = output or root / FILE_NAME
    if target.is_dir():
        raise ConfigurationError(
            "is a folder", place=Place(str(target)), hint=f"name a file: -o {target / FILE_NAME}"
        )
    if target.exists() and not force:
        raise ConfigurationError(
            "there is a plan already, and somebody may have edited it",
            place=Place(str(target)),
            hint="`migrator check` reads it again; --force replaces it, -o FILE writes another",
        )
    progress = TerminalProgress()
    settings = load_settings(root)
    graph = current_graph(root, settings, progress)
    warn_skipped(graph, progress)
    run = settings.run
    constraints = Constraints(
        services=_range(services),
        together=tuple(_names(group) for group in together),
        apart=tuple(_names(group) for group in apart),
        owners=_owners(own),
        first=first,
        setup=(run.migrate, run.seed) if run else (),
        application=root.name,
    )
    progress.start("Proposing boundaries")
    plan, consequences = propose_with_consequences(graph, constraints)
    numbers = score(plan, graph, consequences)
    target.parent.mkdir(parents=True, exist_ok=True)
    save(plan, target, graph)
    save(plan, _last_proposal(root), graph)
    progress.finish("Proposing boundaries", f"{len(plan.services)} services")
    if as_json:
        print_json({"plan": plan, "score": numbers, "file": str(target)})
        return
    print_summary(plan, numbers)
    _print_findings(plan)
    click.echo(str(target))
    plan_option = f" --plan {output}" if output else ""
    for line in (
        "next: read and edit the plan (`migrator explain` says why), then",
        f"      migrator generate {source}{plan_option} -o SERVICES",
    ):
        console(stderr=True).print(line, soft_wrap=True)


def _last_proposal(root: Path) -> Path:
    path = root / PROPOSAL
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _owners(own: tuple[str, ...]) -> dict[str, str]:
    owners = {}
    for each in own:
        service, equals, tables = each.partition("=")
        if not equals or not service.strip():
            raise ConfigurationError(
                f"--own {each} is not SERVICE=TABLE,TABLE",
                hint="for example --own billing=invoices,payments",
            )
        owners.update(dict.fromkeys(_names(tables), service.strip()))
    return owners


def _range(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    least, _, most = text.partition("-")
    if not least.isdigit() or not (most or least).isdigit():
        raise ConfigurationError(
            f"--services {text} is no number", hint="for example --services 5, or --services 4-8"
        )
    return int(least), int(most or least)


def print_summary(plan: Plan, numbers: Score) -> None:
    """The services of a plan and what crosses, as a table on stderr."""
    table = Table(box=None, pad_edge=False)
    table.add_column("order", justify="right")
    table.add_column("service")
    for column in ("tables", "routes", "other", "replicas", "calls", "deferred", "code"):
        table.add_column(column, justify="right")
    by_name = {each.name: each for each in numbers.services}
    in_order = sorted(plan.services.items(), key=lambda s: (s[1].remainder, s[1].order, s[0]))
    for name, service in in_order:
        each = by_name[name]
        table.add_row(
            "rest" if service.remainder else str(service.order),
            name,
            str(each.tables),
            str(each.routes),
            str(each.entry_points - each.routes),
            str(each.replicas),
            str(each.calls),
            str(each.deferred),
            f"{each.share:.0%}",
        )
    console(stderr=True).print(table)


def _print_findings(plan: Plan) -> None:
    out = console(stderr=True)
    for finding in plan.findings:
        label = _LABELS.get(finding.kind, "note")
        out.print(f"{label}: {finding.subject} ({finding.at}): {finding.message}", markup=False)


_LABELS = {SPLIT: "split", DECISION: "to decide", LEFT_OUT: "left out"}
