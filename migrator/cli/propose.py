"""`migrator propose`: service boundaries, written down as a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from migrator.cli.completion import strategies
from migrator.cli.demands import constraints_of, demand_options
from migrator.cli.findings import print_findings
from migrator.cli.propose_graph import propose_from_graph
from migrator.cli.scores import print_beside
from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_hanging, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError, MigratorError, Place
from migrator.model.plan import Plan
from migrator.model.settings import Demands
from migrator.plan.partition.constraints import as_options, with_demands
from migrator.plan.proposals import Proposal, Proposals, propose_all
from migrator.plan.score import Score
from migrator.plan.scorecard import figures
from migrator.plan.store import FILE_NAME, PROPOSAL, load, save, save_proposals
from migrator.plan.strategies import ONE_SERVICE, STRATEGIES, WHOLE_TRANSACTIONS
from migrator.plan.wording import counted


@click.command("propose")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@demand_options
@click.option(
    "--proposal",
    metavar="NAME",
    default="",
    shell_complete=strategies,
    help=f"Which one to write: {', '.join(STRATEGIES)}."
    f"  [default: {WHOLE_TRANSACTIONS}, or {ONE_SERVICE} where nothing beats it]",
)
@click.option(
    "--from-graph",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Partition the classes of this graph, of any language, instead of SOURCE.",
)
@click.option(
    "--use-cases",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --from-graph: use cases of each class, which add a score.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the plan here.")
@click.option("--force", is_flag=True, help="Replace a plan that is there already.")
@click.option(
    "--no-demands", is_flag=True, help="Forget what was demanded of the plan that is replaced."
)
@click.option("--json", "as_json", is_flag=True, help="Plan and score as JSON on stdout.")
def command(
    source: Path,
    proposal: str,
    from_graph: Path | None,
    use_cases: Path | None,
    output: Path | None,
    force: bool,
    no_demands: bool,
    as_json: bool,
    **demands: Any,
) -> None:
    """Propose service boundaries for the monolith in SOURCE and write one as the plan.

    The proposals are compared on stderr; all of them are kept for `migrator plan`.

    Example: migrator propose . --services 4-8 --apart members,invoices
    """
    constraints = constraints_of(**demands)
    if from_graph is not None:
        propose_from_graph(from_graph, use_cases, constraints, output, force=force, as_json=as_json)
        return
    if use_cases is not None:
        raise ConfigurationError(
            "--use-cases goes with --from-graph", hint="entry points are the use cases of SOURCE"
        )
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
            hint="`migrator check` says whether the code still fits it, `migrator check --write`"
            " stamps it anew; --force replaces it, -o FILE writes another",
        )
    progress = TerminalProgress()
    settings = load_settings(root)
    graph = current_graph(root, settings, progress)
    warn_skipped(graph.program.skipped, progress)
    run = settings.run
    earlier = Demands() if no_demands else _earlier(target)
    for demanded, file in ((earlier, target.name), (settings.propose, "pyproject.toml")):
        before = as_options(constraints)
        constraints = with_demands(constraints, demanded)
        added = [option for option in as_options(constraints) if option not in before]
        if added:
            drop = "" if demanded is settings.propose else "; --no-demands leaves it out"
            progress.warn(f"demanded by {file}: {' '.join(added)}{drop}")
    constraints = replace(
        constraints,
        setup=(run.migrate, run.seed) if run else (),
        application=root.name,
    )
    progress.start("Proposing boundaries")
    found = propose_all(graph, constraints)
    chosen = found[proposal or found.default]
    target.parent.mkdir(parents=True, exist_ok=True)
    save(chosen.plan, target, graph)
    save_proposals({each.name: each.plan for each in found.listed}, root, graph)
    save(chosen.plan, root / PROPOSAL, graph)
    made = counted(len(chosen.plan.services), "service")
    progress.finish(
        "Proposing boundaries", f"{len(found.listed)} proposals; written is {chosen.name}: {made}"
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
                "signals_left_out": found.signals_left_out,
            }
        )
        return
    _print_proposals(found, chosen)
    print_summary(chosen.plan, chosen.score)
    print_findings(chosen.plan.findings, console(stderr=True))
    click.echo(str(target))
    plan_option = f" --plan {output}" if output else ""
    for line in (
        "next: read and edit the plan (`migrator explain`, `migrator plan`), then",
        f"      migrator generate {source}{plan_option} -o SERVICES",
    ):
        console(stderr=True).print(line, soft_wrap=True)


_MOST_REMADE = 5


def _earlier(target: Path) -> Demands:
    """What was demanded of the plan that is replaced; nothing, if it cannot be read."""
    try:
        return load(target).demands if target.exists() else Demands()
    except MigratorError:
        return Demands()


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


def _print_proposals(found: Proposals, chosen: Proposal) -> None:
    """The cuts beside each other, what each is for, and whether to split at all."""
    out = console(stderr=True)
    cuts = [each for each in found.listed if not each.same_as]
    print_beside(
        [each.name for each in cuts],
        figures([each.score for each in cuts]),
        {each.name: sorted(each.plan.services) for each in cuts},
        stderr=True,
    )
    out.print()
    for each in found.listed:
        if each.same_as:
            _say(f"{each.name}: here the same as {each.same_as}")
            continue
        _say(f"{each.name}: {each.tradeoff}")
        for reason in () if found.verdict else each.against:
            _say(f"against it: {reason}", 1)
    for name, why in found.left_out.items():
        _say(f"{name}: left out: {why}")
    for name, why in found.signals_left_out.items():
        _say(f"signal left out: {name}: {why}")
    if found.verdict:
        _say(f"do not split: nothing beats {ONE_SERVICE}")
        for reason in found.verdict:
            _say(f"against {reason}", 1)
        _print_what_to_remake(found, chosen)
        others = [each.name for each in cuts if len(each.plan.services) > 1]
        how = f"--proposal {others[0]}" if others else "--apart TABLE,TABLE"
        _say(f"to split all the same: migrator propose --force {how}", 1)
    out.print()


def _say(line: str, depth: int = 0) -> None:
    print_hanging(console(stderr=True), Text(line), depth)


def _print_what_to_remake(found: Proposals, chosen: Proposal) -> None:
    """What splits most transactions of the cut by domain, unless that is chosen and says it."""
    domains = next((each for each in found.listed if each.remake), None)
    if domains is None or domains is chosen:
        return
    _say(f"what to remake first, so that {domains.name} splits less:", 1)
    for each in domains.remake[:_MOST_REMADE]:
        _say(f"{each.subject} ({each.at}): {each.message}", 2)
    _say(f"next: {domains.remake[0].hint}", 2)


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
