"""`migrator report`: analysis, plan and proof as documents."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from migrator.cli.skipped import warn_skipped
from migrator.cli.terminal import TerminalProgress, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError, Place
from migrator.model.private import PRIVATE
from migrator.plan import store as plans
from migrator.proof.result import Proof
from migrator.report.formats import FORMATS
from migrator.report.gather import gather
from migrator.report.retirement import DELETIONS, retirement, written

_ALL = "all"


@click.command("report")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--plan", "plan_path", type=click.Path(path_type=Path), help="The plan to tell of.")
@click.option(
    "--proof", "proof_path", type=click.Path(path_type=Path), help="A proof.json of `verify`."
)
@click.option(
    "--services",
    "services",
    type=click.Path(path_type=Path),
    help="The folder of services that ran: tell what still needs the old code.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS, _ALL]),
    multiple=True,
    default=("html", "markdown"),
    show_default=True,
    help="Once for each.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write into.")
@click.option(
    "--json", "as_json", is_flag=True, help="The content as JSON on stdout; nothing is written."
)
def command(
    source: Path,
    plan_path: Path | None,
    proof_path: Path | None,
    services: Path | None,
    formats: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Write a report of whatever there is so far: analysis, plan, proof.

    The proposals that `propose` kept are laid beside the plan. With --services also what still hits
    the remainder, and a list of the code that can be deleted.

    Example: migrator report . --format html --format sarif -o report
    """
    progress = TerminalProgress()
    root = source.resolve()
    graph = current_graph(root, load_settings(root), progress)
    warn_skipped(graph.program.skipped, progress)
    default_plan = root / plans.FILE_NAME
    path = plan_path or (default_plan if default_plan.exists() else None)
    plan = plans.load(path) if path else None
    proof = _proof(root, proof_path)
    wanted = list(FORMATS) if _ALL in formats else list(dict.fromkeys(formats))
    if plan is None:
        wanted = _without_plan(wanted, source, demanded=_ALL not in formats)
    progress.start("Gathering what there is")
    proposals = {
        each.name.removesuffix(".plan.yaml"): plans.load(each)
        for each in plans.proposal_files(root)
    }
    content = gather(graph, plan, proof, root.name, proposals)
    if services is not None:
        if plan is None:
            raise ConfigurationError(
                "there is no plan yet, and services are told of by their plan",
                hint=f"migrator propose {source}",
            )
        content.retirement = retirement(graph, plan, services.resolve())
    progress.finish("Gathering what there is")
    if as_json:
        print_json(content)
        return
    folder = output or root / PRIVATE / "report"
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is a file", place=Place(str(folder)), hint="name a folder: -o")
    folder.mkdir(parents=True, exist_ok=True)
    progress.start("Writing the report", len(wanted))
    for each in wanted:
        target = folder / f"report{FORMATS[each].suffix}"
        target.write_text(FORMATS[each].render(content), encoding="utf-8")
        progress.advance("Writing the report", detail=target.name)
        click.echo(str(target))
    if content.retirement is not None:
        target = folder / DELETIONS
        target.write_text(written(content.retirement.deletions), encoding="utf-8")
        click.echo(str(target))
    progress.finish("Writing the report")


def _without_plan(wanted: list[str], source: Path, *, demanded: bool) -> list[str]:
    """The formats that tell something of an analysis alone."""
    of_plan = [each for each in wanted if FORMATS[each].of_plan]
    if of_plan and demanded:
        raise ConfigurationError(
            f"there is no plan yet, and {', '.join(of_plan)} tells of nothing else",
            hint=f"migrator propose {source}",
        )
    return [each for each in wanted if each not in of_plan]


def _proof(root: Path, given: Path | None) -> Proof | None:
    path = given or root / PRIVATE / "proof.json"
    if not path.exists():
        if given:
            raise ConfigurationError(
                "does not exist",
                place=Place(str(given)),
                hint=f"migrator verify {root} --services SERVICES",
            )
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Proof)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"not a proof of this version: {error}",
            place=Place(str(path)),
            hint="run `migrator verify` again",
        ) from None
