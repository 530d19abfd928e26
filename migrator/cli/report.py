"""`migrator report`: analysis, plan and proof as a document."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from migrator.cli.terminal import TerminalProgress, print_json
from migrator.graph import store
from migrator.model.errors import ConfigurationError, Place
from migrator.plan import store as plans
from migrator.proof.result import Proof
from migrator.report.content import gather
from migrator.report.formats import FORMATS, SUFFIXES


@click.command("report")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--plan", "plan_path", type=click.Path(path_type=Path), help="The plan to tell of.")
@click.option(
    "--proof", "proof_path", type=click.Path(path_type=Path), help="A proof.json of `verify`."
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(list(FORMATS)),
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
    formats: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Write a report of whatever there is so far: analysis, plan, proof.

    Example: migrator report . --proof ../services/.migrator/proof.json -o report
    """
    progress = TerminalProgress()
    root = source.resolve()
    graph = store.load(root)
    default_plan = root / plans.FILE_NAME
    path = plan_path or (default_plan if default_plan.exists() else None)
    plan = plans.load(path) if path else None
    content = gather(graph, plan, _proof(root, proof_path), root.name)
    if as_json:
        print_json(content)
        return
    folder = output or root / ".migrator" / "report"
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is a file", place=Place(str(folder)), hint="name a folder: -o")
    folder.mkdir(parents=True, exist_ok=True)
    progress.start("Writing the report")
    for each in formats:
        target = folder / f"report{SUFFIXES[each]}"
        target.write_text(FORMATS[each](content), encoding="utf-8")
        click.echo(str(target))
    progress.finish("Writing the report")


def _proof(root: Path, given: Path | None) -> Proof | None:
    path = given or root / ".migrator" / "proof.json"
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
