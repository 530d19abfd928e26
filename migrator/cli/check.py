"""`migrator check`: a plan that was edited, and the code against it."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.cli.propose import print_summary
from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.plan.check import check
from migrator.plan.store import FILE_NAME, PROPOSAL, load, save


@click.command("check")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--plan", "plan_path", type=click.Path(path_type=Path), help="The plan to check.")
@click.option(
    "--write", is_flag=True, help="Write what follows into the plan, and stamp it with the code."
)
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")
def command(source: Path, plan_path: Path | None, write: bool, as_json: bool) -> int:
    """Check that the plan is consistent and that the code in SOURCE still fits it.

    Prints what edits cost or saved against the last proposal. Exits with 1 when something is
    stale or left to decide, with 2 when the plan contradicts itself or the code.

    Example: migrator check . --write
    """
    progress = TerminalProgress()
    root = source.resolve()
    path = plan_path or root / FILE_NAME
    plan = load(path)
    graph = current_graph(root, load_settings(root), progress)
    warn_skipped(graph, progress)
    proposal = load(root / PROPOSAL) if (root / PROPOSAL).exists() else None
    result = check(graph, plan, proposal)
    if result.restamped:
        progress.warn("the code has changed, and nothing that the plan relies on has")
    if write:
        save(result.plan, path, graph)
    if as_json:
        print_json(
            {
                "consistent": True,
                "clean": result.clean,
                "stale": result.stale,
                "decisions": result.decisions,
                "score": result.score,
                "cost": result.cost,
            }
        )
        return 0 if result.clean else 1
    print_summary(result.plan, result.score)
    out = console()
    for line in result.stale:
        out.print(f"stale: {line}")
    for line in result.decisions:
        out.print(f"to decide: {line}")
    for line in result.cost:
        out.print(f"against the last proposal: {line}")
    out.print("consistent" if result.clean else "consistent, with findings")
    if write:
        out.print(f"written and stamped anew: {path}")
    elif result.stale:
        out.print("next: read what has changed; `migrator check --write` stamps the plan anew")
    return 0 if result.clean else 1
