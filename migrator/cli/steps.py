"""`migrator verify --steps`: the roadmap walked, and what came of it."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from migrator.cli.generating import Generating
from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, Silent
from migrator.model.settings import Run
from migrator.proof.steps import STEPS, StepsProof, walk_steps
from migrator.proof.traffic import Traffic

SHOWN = 12


def prove_steps(
    root: Path, run: Run, output: Path, folder: Path, progress: Progress, traffic: Traffic | None
) -> StepsProof:
    """Walk the steps of the plan of `root`; services and data lie below `output/.migrator`.

    What `output` holds otherwise is left alone. The proof is also written there.
    """
    private = output / PRIVATE
    services = private / "steps"
    services.mkdir(parents=True, exist_ok=True)
    generating = Generating(root, None, services, progress)

    def make(step: int) -> Path:
        generating.generate(step, Silent())
        environments = services / PRIVATE / "environments"
        if not environments.exists():
            environments.symlink_to(private / "environments")
        return services

    (private / "environments").mkdir(exist_ok=True)
    proof = walk_steps(root, run, make, generating.steps, folder, progress, traffic=traffic)
    (private / STEPS).write_bytes(msgspec.json.format(msgspec.json.encode(proof)))
    return proof


def print_steps(proof: StepsProof) -> None:
    """A line or two for each step, and each difference."""
    for each in proof.steps:
        ahead, back = each.forward, each.back
        click.echo(
            f"{'ok  ' if ahead.passed else 'FAIL'}  step {each.step}"
            f" ({', '.join(each.services)}): {ahead.equal} of {ahead.requests} requests answered"
            f" equally, {ahead.tests.passed} of {proof.monolith_tests.passed} tests passed"
        )
        for difference in ahead.differences[:SHOWN]:
            click.echo(f"      {difference.request} {difference.field}")
            click.echo(f"      monolith {difference.monolith}")
            click.echo(f"      services {difference.services}")
        for row in [*ahead.table_differences, *ahead.replica_differences][:SHOWN]:
            click.echo(f"      {row.where}: {row.column}")
        for trespass in ahead.trespasses[:SHOWN]:
            click.echo(f"      {trespass}")
        for test in ahead.broken_tests[:SHOWN]:
            click.echo(f"      {test}")
    for each in reversed(proof.steps):
        back = each.back
        if back is None:
            continue
        where = f"step {each.step - 1}" if each.step else "the monolith"
        click.echo(
            f"{'FAIL' if back.differences else 'ok  '}  back from step {each.step} to {where}:"
            f" {back.rows} rows, {back.written} of them written since, are all there;"
            f" {back.equal} of {back.asked} reads answered equally"
        )
        for difference in back.differences[:SHOWN]:
            click.echo(f"      {difference.request} {difference.field}")
            click.echo(f"      before {difference.monolith}")
            click.echo(f"      after  {difference.services}")
    click.echo("proven: each step runs, and is taken back" if proof.passed else "NOT PROVEN")
