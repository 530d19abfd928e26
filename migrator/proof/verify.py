"""The proof: monolith and services get the same requests from the same start state."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from migrator.model.errors import OperationError
from migrator.model.private import PRIVATE
from migrator.model.program import Program
from migrator.model.progress import Progress, Silent
from migrator.model.settings import Run
from migrator.operation.service import read_manifest
from migrator.operation.system import RunningSystem, read_system
from migrator.proof.asked import Asked, ask_services, compare_all
from migrator.proof.baseline import Baseline, Monolith
from migrator.proof.checks import CHECKS, Trial, run_check
from migrator.proof.exchange import Exchange
from migrator.proof.faults import inject, propose_faults
from migrator.proof.outage import probes_from
from migrator.proof.recording import RecordingProxy
from migrator.proof.replicas import loose_replicas, manifests
from migrator.proof.result import FaultReport, Latency, Proof, Tried
from migrator.proof.traffic import OwnTests, Recording, Traffic

PROOF = "proof.json"


def verify(
    root: Path,
    run: Run,
    output: Path,
    folder: Path,
    progress: Progress,
    *,
    processes: Sequence[int] = (1, 2),
    checks: bool = True,
    least_kept: float = 0.0,
    traffic: Traffic | None = None,
) -> Proof:
    """Prove that the services in `output` answer as the monolith in `root` does.

    The traffic (the monolith's own tests where none is given) is asked of the services once for
    each number of web processes in `processes`;
    the checks run on the system of the last. `least_kept` is the share of all routes that must go
    on answering whichever service is stopped. `folder` is for recordings and databases. The proof
    is also written to `output/.migrator/proof.json`.
    """
    begun = time.monotonic()
    system = read_system(output)
    traffic = traffic or OwnTests()
    if changed := changed_settings(run, output):
        progress.warn(
            f"{', '.join(changed)} of [tool.migrator.run.environment] changed since the services"
            f" were generated; next: migrator generate {root} -o {output}"
        )
    if loose := loose_replicas({name: read_manifest(output / name) for name in system.services}):
        named = "; ".join(f"{', '.join(tables)} in {name}" for name, tables in loose.items())
        progress.warn(
            f"the plan lets copies be late ({named}): each request is asked when they have arrived,"
            " so that answers are compared, and not how late they may be"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with RecordingProxy() as proxy:
        monolith = Monolith(root, run, folder, proxy, traffic, progress)
        baseline = monolith.record()
        proof = Proof(
            application=root.name,
            plan_digest=system.plan_digest,
            program_digest=system.program_digest,
            monolith_lines=system.monolith_lines,
            monolith_tests=baseline.recording.tests,
            server_errors=server_errors(baseline.recording.exchanges),
        )
        asked: list[Asked] = []
        for turn, count in enumerate(processes, start=1):
            with _running(output, baseline, proxy, count, progress) as running:
                asked.append(ask_services(baseline, running, proxy, traffic, count))
                proof.services = {name: m.lines for name, m in manifests(running).items()}
                if checks and turn == len(processes):
                    baseline = _check(
                        proof, monolith, baseline, asked[-1].recording, running, least_kept
                    )
        baseline, proof.comparisons = compare_all(asked, baseline, monolith)
        proof.noise = sorted(baseline.noise, key=repr)
        proof.column_noise = sorted(baseline.column_noise, key=repr)
        proof.latency = Latency(
            monolith=baseline.recording.latency, services=asked[-1].recording.latency
        )
    proof.seconds = time.monotonic() - begun
    (output / PRIVATE / PROOF).write_bytes(msgspec.json.format(msgspec.json.encode(proof)))
    shutil.rmtree(folder, ignore_errors=True)
    return proof


def server_errors(exchanges: Iterable[Exchange]) -> dict[str, int]:
    """Method, path and status of what was answered with 5xx, and how often."""
    return dict(
        Counter(
            f"{each.method} {each.target.partition('?')[0]}: {each.status}"
            for each in exchanges
            if each.status >= 500
        ).most_common()
    )


def changed_settings(run: Run, output: Path) -> list[str]:
    """The variables that the monolith runs with and a service does not, or otherwise."""
    return sorted(
        {
            name
            for service in read_system(output).services
            for name, _ in read_manifest(output / service).environment.items()
            ^ run.environment.items()
        }
    )


def catch_faults(
    root: Path,
    run: Run,
    output: Path,
    program: Program,
    folder: Path,
    count: int,
    progress: Progress,
    *,
    traffic: Traffic | None = None,
    told: Callable[[Tried], None] = lambda _: None,
) -> FaultReport:
    """Put `count` faults into copies of the services, one at a time, and see which are noticed.

    `told` hears of each as soon as it was tried.

    A fault is caught when the system does not become ready with it, or when an answer, a table or
    a replica differs, or a test breaks. Raises OperationError where that is so without any fault.
    """
    faults = propose_faults(output, program, count)
    report = FaultReport(caught=[], missed=[])
    traffic = traffic or OwnTests()
    folder.mkdir(parents=True, exist_ok=True)
    with RecordingProxy() as proxy:
        monolith = Monolith(root, run, folder, proxy, traffic, progress)
        baseline = monolith.record()
        progress.start("Inject faults", len(faults) + 1)
        progress.advance("Inject faults", 0, "none, to compare with")
        noticed, baseline = monolith.on_one_day(partial(_noticed, output, proxy, traffic), baseline)
        if noticed:
            raise OperationError(
                f"the services differ without any fault: {noticed}",
                hint="`migrator verify` without --inject-faults names all that differs; a fault can"
                " be noticed only where nothing does",
            )
        progress.advance("Inject faults")
        for fault in faults:
            progress.advance("Inject faults", 0, fault.what)
            target = folder / "faulty"
            shutil.rmtree(target, ignore_errors=True)
            inject(output, fault, target)
            _share_environments(output, target)
            noticed, baseline = monolith.on_one_day(
                partial(_noticed, target, proxy, traffic), baseline
            )
            tried = Tried(fault=fault, noticed=noticed)
            (report.caught if tried.noticed else report.missed).append(tried)
            told(tried)
            progress.advance("Inject faults")
        progress.finish("Inject faults", f"{len(report.caught)} of {len(faults)} caught")
    shutil.rmtree(folder, ignore_errors=True)
    return report


def _noticed(output: Path, proxy: RecordingProxy, traffic: Traffic, baseline: Baseline) -> str:
    """By what a fault was noticed; empty: it was not."""
    try:
        with _running(output, baseline, proxy, 1, Silent()) as running:
            compared = ask_services(baseline, running, proxy, traffic, 1).compared(baseline)
    except OperationError as error:
        return f"does not start: {error}"
    for found in (
        compared.trespasses,
        compared.differences,
        compared.table_differences,
        compared.replica_differences,
        compared.broken_tests,
    ):
        if found:
            return str(found[0])
    return ""


def _share_environments(output: Path, target: Path) -> None:
    private = target / PRIVATE
    private.mkdir(exist_ok=True)
    (private / "environments").symlink_to(output / PRIVATE / "environments")


def _running(
    output: Path, baseline: Baseline, proxy: RecordingProxy, processes: int, progress: Progress
) -> RunningSystem:
    return RunningSystem(
        output,
        progress,
        processes=processes,
        outside_url=proxy.url,
        start_state=baseline.start_state,
    )


def _check(
    proof: Proof,
    monolith: Monolith,
    baseline: Baseline,
    recording: Recording,
    system: RunningSystem,
    least_kept: float,
) -> Baseline:
    """Add what the checks say; the baseline by which they did."""
    progress = monolith.progress
    progress.start("Check what else must hold", len(CHECKS))

    def problems(now: Baseline) -> list[str]:
        trial = Trial(
            system=system,
            probes=probes_from(
                recording.exchanges,
                system.gateway_url,
                manifests(system),
                now.noise,
                system.forget_rate_limits,
            ),
            monolith_database=monolith.folder / "monolith-2" / "state" / "database.sqlite",
            least_kept=least_kept,
        )
        proof.checks = []
        for name in CHECKS:
            progress.advance("Check what else must hold", 0, name)
            proof.checks.append(run_check(name, trial))
            progress.advance("Check what else must hold", 1, name)
        proof.stopped = trial.stopped
        return [problem for check in proof.checks for problem in check.problems]

    _, baseline = monolith.on_one_day(problems, baseline)
    progress.finish("Check what else must hold")
    return baseline
