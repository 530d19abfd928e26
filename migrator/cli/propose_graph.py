"""`migrator propose --from-graph`: a graph of classes from any language, partitioned."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.table import Table

from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.model.errors import ConfigurationError, Place
from migrator.plan.from_graph.partitioned import (
    GraphPartition,
    partition_graph,
    read_graph,
    read_use_cases,
)
from migrator.plan.partition.constraints import Constraints
from migrator.plan.wording import enumerated


def propose_from_graph(
    calls: Path,
    use_cases: Path | None,
    constraints: Constraints,
    output: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Partition the graph in `calls`; `{"class": "partition"}` on stdout or in `output`.

    With `as_json` the scores and what they were made from are on stdout as well.
    """
    for option, given in (("--first", constraints.first), ("--leave", constraints.remainder)):
        if given:
            raise ConfigurationError(
                f"{option} does not go with --from-graph: nothing is taken out of a graph",
                hint="--own NAME=CLASS,CLASS names a partition",
            )
    if output is not None and (output.is_dir() or (output.exists() and not force)):
        raise ConfigurationError(
            "is a folder" if output.is_dir() else "is there already",
            place=Place(str(output)),
            hint="--force replaces it, -o FILE writes another",
        )
    progress = TerminalProgress()
    progress.start("Partitioning")
    graph = read_graph(calls)
    cases = read_use_cases(use_cases) if use_cases is not None else None
    found = partition_graph(graph, constraints, weights=constraints.weights, use_cases=cases)
    progress.finish(
        "Partitioning", f"{len(found.partition)} classes in {len(found.groups)} partitions"
    )
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        written = msgspec.json.format(msgspec.json.encode(found.partition, order="sorted"))
        output.write_bytes(written + b"\n")
    if as_json:
        print_json({**msgspec.structs.asdict(found), "file": str(output) if output else ""})
        return
    _print(found)
    if output is None:
        print_json(dict(sorted(found.partition.items())))
    else:
        click.echo(str(output))


_SHOWN = 12
"""Classes of a partition that are named; the file has them all."""


def _print(found: GraphPartition) -> None:
    out = console(stderr=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("partition")
    table.add_column("classes", justify="right")
    table.add_column("of them", overflow="fold")
    for name, classes in found.groups.items():
        table.add_row(name, str(len(classes)), enumerated(classes, _SHOWN))
    out.print(table)
    out.print()
    for label, value, better in _scores(found):
        out.print(f"{label:<42} {value:>8}  {better}", markup=False)
    if found.loose:
        named = f"{enumerated(sorted(found.loose), _SHOWN)}: put where the fewest classes are"
        out.print(f"tied to nothing: {named}", markup=False)
    for name in found.split_transactions:
        out.print(f"split: transaction {name} writes tables of several partitions", markup=False)
    weighed = ", ".join(f"{name} {weight:g}" for name, weight in found.signals.items())
    out.print(f"signals: {weighed or 'none'}", markup=False)
    for name, why in found.left_out.items():
        out.print(f"signal left out: {name}: {why}", markup=False)
    if len(found.groups) == 1 and len(found.partition) > 1:
        said = "one partition: no cut ties what it keeps together more than all are tied anyway"
        out.print(said, markup=False)
        out.print("  next: `--services 2` asks for the best cut in two all the same", markup=False)


def _scores(found: GraphPartition) -> list[tuple[str, str, str]]:
    """Label, figure, and where better is; those that nothing is known for are left out."""
    measures = found.measures
    rows: list[tuple[str, float | None, str]] = [
        ("SM   structural modularity", measures.sm, "more is better"),
        ("ICP  calls that cross, of all", measures.icp, "less is better"),
        ("BCP  use cases of a partition", measures.bcp, "less is better"),
        ("IFN  interfaces of a partition", measures.ifn, "less is better"),
        ("NED  classes in extreme partitions", measures.ned, "less is better"),
        ("database purity", measures.database_purity, "more is better"),
    ]
    return [(label, f"{value:.3f}", better) for label, value, better in rows if value is not None]
