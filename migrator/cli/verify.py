"""`migrator verify`: prove that generated services answer as the monolith does."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from migrator.cli.steps import print_step, prove_steps
from migrator.cli.terminal import TerminalProgress, print_json
from migrator.facts.settings import load_run
from migrator.graph import store
from migrator.model.errors import ConfigurationError
from migrator.model.private import PRIVATE
from migrator.operation.process import hold
from migrator.operation.suite import require_tests
from migrator.operation.system import refuse_while_running
from migrator.proof.result import Comparison, Proof, Tried
from migrator.proof.traffic import read_replay
from migrator.proof.verify import PROOF, catch_faults, verify

SHOWN = 12


@click.command("verify")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option(
    "--services",
    "output",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder that `generate` filled.",
)
@click.option(
    "--processes",
    default="1,2",
    show_default=True,
    help="Numbers of web processes of each service to ask the whole traffic with.",
)
@click.option("--quick", is_flag=True, help="Only compare answers and tables.")
@click.option(
    "--least-kept",
    type=click.FloatRange(0, 100),
    default=0.0,
    metavar="PERCENT",
    help="Fail when stopping any one service leaves fewer of all routes.",
)
@click.option(
    "--inject-faults",
    "faults",
    type=click.IntRange(1),
    help="Instead, put that many faults into copies of the services: are they caught?",
)
@click.option(
    "--replay",
    "recorded",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask what `record` wrote into FILE, instead of running the tests.",
)
@click.option(
    "--secrets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The secrets that `record --secrets` kept apart; without it they are made up.",
)
@click.option(
    "--steps",
    is_flag=True,
    help="Instead, take the services out one by one, and back, each step proven.",
)
@click.option("--json", "as_json", is_flag=True, help="The proof as JSON on stdout.")
def command(
    source: Path,
    output: Path,
    processes: str,
    quick: bool,
    least_kept: float,
    faults: int | None,
    recorded: Path | None,
    secrets: Path | None,
    steps: bool,
    as_json: bool,
) -> int:
    """Ask the monolith and its services the same things, and compare every answer.

    The application's own HTTP tests are the traffic, or what `migrator record` wrote into a file.
    Exit code 1 when anything differs.

    Example: migrator verify . --services ../services
    """
    root, output = source.resolve(), output.resolve()
    run = load_run(root)
    if recorded is None:
        require_tests(run)
    lock = hold(root / PRIVATE / "verify.lock", f"another `migrator verify` runs on {root}")
    click.get_current_context().with_resource(lock)
    refuse_while_running(output)
    folder = root / PRIVATE / "verify"
    progress = TerminalProgress()
    traffic = read_replay(recorded.resolve(), secrets, progress) if recorded else None
    if steps:
        told = _heard if as_json else print_step
        walked = prove_steps(root, run, output, folder, progress, traffic, told)
        if as_json:
            print_json(walked)
        else:
            click.echo(
                "proven: each step runs, and is taken back" if walked.passed else "NOT PROVEN"
            )
        return 0 if walked.passed else 1
    if faults:
        program = store.load(root).program
        report = catch_faults(
            root,
            run,
            output,
            program,
            folder,
            faults,
            progress,
            traffic=traffic,
            told=_heard if as_json else _print_fault,
        )
        if as_json:
            print_json(report)
        else:
            total = len(report.caught) + len(report.missed)
            click.echo(f"{len(report.caught)} of {total} faults caught")
        return 1 if report.missed else 0
    proof = verify(
        root,
        run,
        output,
        folder,
        progress,
        processes=_numbers(processes),
        checks=not quick,
        least_kept=least_kept / 100,
        traffic=traffic,
    )
    (root / PRIVATE / PROOF).write_bytes((output / PRIVATE / PROOF).read_bytes())
    if as_json:
        print_json(proof)
    else:
        _print_proof(proof)
        click.echo(f"proof: {root / '.migrator' / PROOF}", err=True)
        if not proof.passed:
            click.echo(f"logs of the services: {output / '.migrator' / 'logs'}", err=True)
        click.echo(f"next: migrator report {source}", err=True)
    sys.stdout.flush()
    return 0 if proof.passed else 1


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(each) for each in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise ConfigurationError(
            f"--processes takes numbers from 1 on with commas between, not {text!r}",
            hint="migrator verify --processes 1,2",
        )
    return numbers


def _print_proof(proof: Proof) -> None:
    for compared in proof.comparisons:
        _print_problems(compared)
    for check in proof.checks:
        click.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {check.summary}")
        _print_few(check.problems)
    whole = proof.monolith_lines
    if proof.services:
        each = ", ".join(f"{name} {lines}" for name, lines in sorted(proof.services.items()))
        click.echo(f"lines: monolith {whole}; {each}")
    if proof.latency:
        before, after = proof.latency.monolith * 1000, proof.latency.services * 1000
        click.echo(f"median answer: monolith {before:.1f} ms, services {after:.1f} ms")
    tests = proof.monolith_tests
    click.echo(f"{tests.what} on the monolith: {tests.passed} of {tests.total} passed")
    _print_few(tests.failed)
    if proof.server_errors:
        total = sum(proof.server_errors.values())
        click.echo(f"answered with 5xx by the monolith itself: {total} requests")
        _print_few([f"{shape} ({times})" for shape, times in proof.server_errors.items()])
    for compared in proof.comparisons:
        number, tests = compared.processes, compared.tests
        click.echo(
            f"with {number} process{'es' if number > 1 else ''} each:"
            f" {tests.passed} of {tests.total} {tests.what} passed through the gateway,"
            f" {compared.equal} of {compared.requests} requests answered equally"
        )
    for stop in proof.stopped:
        share = stop.kept / stop.routes if stop.routes else 1.0
        click.echo(
            f"{stop.service} stopped: {stop.kept} of {stop.routes} routes kept ({share:.0%})"
        )
    click.echo("proven: the services answer as the monolith" if proof.passed else "NOT PROVEN")


def _print_few(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        click.echo(f"      {line}")
    if len(lines) > SHOWN:
        click.echo(f"      and {len(lines) - SHOWN} more")


def _print_problems(compared: Comparison) -> None:
    number = compared.processes
    for trespass in compared.trespasses[:SHOWN]:
        click.echo(f"FAIL  {number}: {trespass}")
    if compared.trespasses:
        click.echo(
            "      the analysis missed it: `migrator observe` finds what code really touches"
        )
    for each in compared.differences[:SHOWN]:
        click.echo(f"FAIL  {number}: {each.request} {each.field}")
        click.echo(f"      monolith {each.monolith}")
        click.echo(f"      services {each.services}")
    for row in [*compared.table_differences, *compared.replica_differences][:SHOWN]:
        click.echo(
            f"FAIL  {number}: {row.where}, {row.column}: expected {row.expected}, found {row.found}"
        )
    for test in compared.broken_tests[:SHOWN]:
        click.echo(f"FAIL  {number}: {test}")


def _print_fault(tried: Tried) -> None:
    fault = tried.fault
    click.echo(
        f"{'caught' if tried.noticed else 'MISSED'}  {fault.kind}: {fault.file}:{fault.line}"
        f" {fault.what}"
    )
    if tried.noticed:
        click.echo(f"        {tried.noticed[:160]}")


def _heard(_: object) -> None:
    """Nothing is shown before the end."""
