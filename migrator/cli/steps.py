"""`migrator verify --steps`: the roadmap walked, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from migrator.cli.generating import Generating
from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, Silent
from migrator.model.settings import Run
from migrator.proof.steps import STEPS, Back, StepProof, StepsProof, walk_steps
from migrator.proof.traffic import Traffic

SHOWN = 12


def prove_steps(
    root: Path,
    run: Run,
    output: Path,
    folder: Path,
    progress: Progress,
    traffic: Traffic | None,
    told: Callable[[StepProof], None],
) -> StepsProof:
    """Walk the steps of the plan of `root`; services and data lie below `output/.migrator`.

    What `output` holds otherwise is left alone. The proof is also written there. `told` hears of
    each step when it was taken, and again when it was taken back.
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
    proof = walk_steps(
        root, run, make, generating.steps, folder, progress, traffic=traffic, told=told
    )
    (private / STEPS).write_bytes(msgspec.json.format(msgspec.json.encode(proof)))
    return proof


def print_step(proof: StepProof) -> None:
    """A step that was taken, or, once it is known, that it was taken back."""
    if proof.back is None:
        _print_ahead(proof)
    else:
        _print_back(proof, proof.back)


def _print_ahead(proof: StepProof) -> None:
    ahead = proof.forward
    click.echo(
        f"{'ok  ' if ahead.passed else 'FAIL'}  step {proof.step}"
        f" ({', '.join(proof.services)}): {ahead.equal} of {ahead.requests} requests answered"
        f" equally, {ahead.tests.passed} of {ahead.tests.total} {ahead.tests.what} passed"
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


def _print_back(proof: StepProof, back: Back) -> None:
    where = f"step {proof.step - 1}" if proof.step else "the monolith"
    click.echo(
        f"{'FAIL' if back.differences else 'ok  '}  back from step {proof.step} to {where}:"
        f" {back.rows} rows, {back.written} of them written since, are all there;"
        f" {back.equal} of {back.asked} reads answered equally"
    )
    if back.restarted:
        click.echo(
            f"      {sum(back.restarted.values())} more left out: the monolith too answers them"
            " otherwise when it is merely started again at the same data"
        )
        for request, times in list(back.restarted.items())[:SHOWN]:
            click.echo(f"      {request} ({times})")
        if len(back.restarted) > SHOWN:
            click.echo(f"      and {len(back.restarted) - SHOWN} more, in steps.json")
    for difference in back.differences[:SHOWN]:
        click.echo(f"      {difference.request} {difference.field}")
        click.echo(f"      before {difference.monolith}")
        click.echo(f"      after  {difference.services}")
