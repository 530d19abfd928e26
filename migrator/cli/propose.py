"""`migrator propose`: service boundaries, written down as a plan."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from migrator.cli.scores import print_beside
from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError, Place
from migrator.model.plan import Plan
from migrator.plan.constraints import Constraints
from migrator.plan.findings import DECISION, LEFT_OUT, SPLIT
from migrator.plan.proposals import Proposal, Proposals, propose_all
from migrator.plan.score import Score
from migrator.plan.scorecard import figures
from migrator.plan.store import FILE_NAME, PROPOSAL, save, save_proposals
from migrator.plan.strategies import ONE_SERVICE, STRATEGIES, WHOLE_TRANSACTIONS


@click.command("propose")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--services", metavar="N|MIN-MAX", default="", help="How many services.")
@click.option(
    "--largest", metavar="N", type=click.IntRange(1), help="The most tables that one may own."
)
@click.option("--together", metavar="A,B", multiple=True, help="Tables of one service.")
@click.option("--apart", metavar="A,B", multiple=True, help="Tables of different services.")
@click.option("--own", metavar="SERVICE=A,B", multiple=True, help="Tables of a named service.")
@click.option("--first", metavar="NAME", default="", help="Take out only this service.")
@click.option(
    "--proposal",
    metavar="NAME",
    default=WHOLE_TRANSACTIONS,
    show_default=True,
    help=f"Which one to write: {', '.join(STRATEGIES)}.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the plan here.")
@click.option("--force", is_flag=True, help="Replace a plan that is there already.")
@click.option("--json", "as_json", is_flag=True, help="Plan and score as JSON on stdout.")
def command(
    source: Path,
    services: str,
    largest: int | None,
    together: tuple[str, ...],
    apart: tuple[str, ...],
    own: tuple[str, ...],
    first: str,
    proposal: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Propose service boundaries for the monolith in SOURCE and write one as the plan.

    The proposals are compared on stderr; all of them are kept for `migrator plan`.

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
        largest=largest or 0,
        together=tuple(_names(group) for group in together),
        apart=tuple(_names(group) for group in apart),
        owners=_owners(own),
        first=first,
        setup=(run.migrate, run.seed) if run else (),
        application=root.name,
    )
    progress.start("Proposing boundaries")
    found = propose_all(graph, constraints)
    chosen = found[proposal]
    target.parent.mkdir(parents=True, exist_ok=True)
    save(chosen.plan, target, graph)
    save_proposals({each.name: each.plan for each in found.listed}, root, graph)
    save(chosen.plan, root / PROPOSAL, graph)
    progress.finish(
        "Proposing boundaries",
        f"{len(found.listed)} proposals; {chosen.name}: {len(chosen.plan.services)} services",
    )
    if as_json:
        print_json(
            {
                "plan": chosen.plan,
                "score": chosen.score,
                "file": str(target),
                "proposal": chosen.name,
                "proposals": [_told(each) for each in found.listed],
                "left_out": found.left_out,
                "do_not_split": found.verdict,
            }
        )
        return
    _print_proposals(found)
    print_summary(chosen.plan, chosen.score)
    _print_findings(chosen.plan)
    click.echo(str(target))
    plan_option = f" --plan {output}" if output else ""
    for line in (
        "next: read and edit the plan (`migrator explain`, `migrator plan`), then",
        f"      migrator generate {source}{plan_option} -o SERVICES",
    ):
        console(stderr=True).print(line, soft_wrap=True)


def _told(proposal: Proposal) -> dict[str, object]:
    """A proposal without its plan, which is in a file of its own."""
    return {
        "name": proposal.name,
        "tradeoff": proposal.tradeoff,
        "services": {name: service.tables for name, service in proposal.plan.services.items()},
        "score": proposal.score,
        "modularity": proposal.modularity,
        "against": proposal.against,
        "same_as": proposal.same_as,
    }


def _print_proposals(found: Proposals) -> None:
    """All proposals beside each other, what each is for, and whether to split at all."""
    out = console(stderr=True)
    print_beside(
        [each.name for each in found.listed],
        figures([each.score for each in found.listed]),
        {each.name: sorted(each.plan.services) for each in found.listed},
        stderr=True,
    )
    out.print()
    for each in found.listed:
        same = f" (here the same as {each.same_as})" if each.same_as else ""
        out.print(f"{each.name}{same}: {each.tradeoff}", markup=False)
        for reason in each.against:
            out.print(f"  against it: {reason}", markup=False)
    for name, why in found.left_out.items():
        out.print(f"{name}: left out: {why}", markup=False)
    if found.verdict:
        out.print(f"do not split: nothing beats {ONE_SERVICE}", markup=False)
        for reason in found.verdict:
            out.print(f"  because {reason}", markup=False)
    out.print()


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
