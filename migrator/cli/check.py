"""`migrator check`: a plan that was edited, and the code against it."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.cli.findings import print_findings
from migrator.cli.propose import print_summary
from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import PlanError
from migrator.plan.check import Check, check
from migrator.plan.store import FILE_NAME, PROPOSAL, load, save
from migrator.report.annotation import Annotation
from migrator.report.annotations import ANNOTATION_FORMATS, of_error, of_findings


@click.command("check")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--plan", "plan_path", type=click.Path(path_type=Path), help="The plan to check.")
@click.option(
    "--write", is_flag=True, help="Write what follows into the plan, and stamp it with the code."
)
@click.option(
    "--accept-crossings", is_flag=True, help="With --write: list new crossings as known ones."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(ANNOTATION_FORMATS)),
    help="Findings for a code host, on stdout or in the file of -o.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File for --format.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")
def command(
    source: Path,
    plan_path: Path | None,
    write: bool,
    accept_crossings: bool,
    form: str | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Check that the plan is consistent and that the code in SOURCE still fits it.

    Prints what edits cost or saved against the last proposal. Exits with 1 when something is
    stale, crosses without being listed in the plan, or is left to decide; with 2 when the plan
    contradicts itself or the code.

    Example: migrator check . --format github
    """
    if accept_crossings and not write:
        raise click.UsageError("--accept-crossings goes with --write")
    if output is not None and form is None:
        raise click.UsageError("-o goes with --format")
    progress = TerminalProgress()
    root = source.resolve()
    path = plan_path or root / FILE_NAME
    settings = load_settings(root)
    try:
        plan = load(path)
        graph = current_graph(root, settings, progress)
        warn_skipped(graph.program.skipped, progress)
        proposal = load(root / PROPOSAL) if (root / PROPOSAL).exists() else None
        result = check(graph, plan, proposal)
    except PlanError as error:
        if form is not None:
            _annotate(form, output, of_error(error, _below(root)))
        raise
    if result.restamped:
        progress.warn("the code has changed, and nothing that the plan relies on has")
    written = write and (accept_crossings or not result.new_crossings)
    if written:
        save(result.plan, path, graph)
    clean = result.clean or (accept_crossings and not (result.stale or _undecided(result)))
    if form is not None:
        _annotate(form, output, of_findings(result.findings, _below(root)))
    elif as_json:
        print_json(
            {
                "consistent": True,
                "clean": clean,
                "stale": result.stale,
                "new_crossings": result.new_crossings,
                "gone_crossings": result.gone_crossings,
                "decisions": [
                    f"{each.at}: {each.subject}: {each.message}" for each in result.decisions
                ],
                "score": result.score,
                "cost": result.cost,
                "written": written,
            }
        )
    else:
        _print(result, clean)
        if written:
            console().print(f"written and stamped anew: {path}", soft_wrap=True)
        else:
            if write:
                console().print("not written: the list of crossings may only shrink")
            _print_next(result)
    return 0 if clean else 1


def _print(result: Check, clean: bool) -> None:
    print_summary(result.plan, result.score)
    out = console()
    for finding in result.new_crossings:
        place = f"{finding.at}: " if finding.at else ""
        out.print(f"new crossing: {place}{finding.subject}: {finding.message}", markup=False)
    for line in result.stale:
        out.print(f"stale: {line}", markup=False)
    print_findings(result.decisions, out)
    for line in result.gone_crossings:
        out.print(f"crosses no more: {line}", markup=False)
    for change in result.changes:
        verdict = {1: ", better", -1: ", worse", 0: ""}[change.good]
        out.print(
            f"against the last proposal: {change.label}: {change.before} -> {change.after}"
            f" ({change.difference}{verdict})",
            markup=False,
        )
    out.print("consistent" if clean else "consistent, with findings")


def _print_next(result: Check) -> None:
    out = console()
    if result.new_crossings:
        out.print(
            "next: take the new crossings out of the code, or accept them:"
            " `migrator check --write --accept-crossings`"
        )
    elif result.stale:
        out.print("next: read what has changed; `migrator check --write` stamps the plan anew")
    elif result.gone_crossings or result.edited:
        out.print("next: `migrator check --write` puts what follows into the plan")


def _undecided(result: Check) -> bool:
    return bool(result.score.undecided or result.score.split_transactions)


def _annotate(form: str, output: Path | None, annotations: list[Annotation]) -> None:
    text = ANNOTATION_FORMATS[form](annotations)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
        click.echo(str(output))
    else:
        click.echo(text, nl=False)


def _below(root: Path) -> str:
    """The path from the repository to the root: code hosts count files from there."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return "" if folder == root else root.relative_to(folder).as_posix()
    return ""
