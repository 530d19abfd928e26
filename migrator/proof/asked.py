"""What services answered and hold after the traffic, and how that differs from the monolith."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.operation.system import RunningSystem
from migrator.proof.baseline import Baseline, Monolith
from migrator.proof.comparison import compare
from migrator.proof.files import Files, file_differences, read_folders
from migrator.proof.recording import RecordingProxy
from migrator.proof.replicas import (
    await_arrival,
    loose_replicas,
    manifests,
    owned_tables,
    settle,
)
from migrator.proof.result import Comparison
from migrator.proof.tables import Content, TableDifference, differences, without_key
from migrator.proof.traffic import Recording, Traffic, record
from migrator.proof.trespass import Trespass, find_trespasses

_AGAIN = 3


@dataclass(frozen=True)
class Asked:
    """One run of the services; it can be compared when they have stopped."""

    processes: int
    recording: Recording
    url: str
    """The address that both sides have for clients."""
    tables: dict[str, Content]
    owners: dict[str, str]
    deferred: set[str]
    """Tables that deferred commands write."""
    folders: dict[str, tuple[str, Files]]
    replicas: int
    replica_differences: list[TableDifference]
    trespasses: list[Trespass]
    seconds: float

    def compared(self, baseline: Baseline) -> Comparison:
        """How answers, tables and tests differ from the monolith's."""
        exchanges = self.recording.exchanges
        answers = compare(baseline.recording.exchanges, exchanges, baseline.noise, self.url)
        different, reordered = self._table_differences(baseline)
        different += file_differences(baseline.files, self.folders)
        return Comparison(
            processes=self.processes,
            requests=answers.requests,
            equal=answers.equal,
            polls=answers.polls,
            differences=answers.differences,
            tests=self.recording.tests,
            broken_tests=self._broken_tests(baseline),
            tables=len(baseline.tables),
            table_differences=different,
            reordered=reordered,
            replicas=self.replicas,
            replica_differences=self.replica_differences,
            trespasses=self.trespasses,
            seconds=self.seconds,
        )

    def _broken_tests(self, baseline: Baseline) -> list[str]:
        before, now = baseline.recording.tests, self.recording.tests
        broken = [each for each in now.failed if each not in before.failed]
        if not broken and now.passed < before.passed:
            return [f"{before.passed - now.passed} tests that pass on the monolith did not pass"]
        return broken

    def _table_differences(self, baseline: Baseline) -> tuple[list[TableDifference], list[str]]:
        """Rows that differ from the monolith's, and tables whose rows only came in another order.

        Deferred commands of several services reach their owner in no fixed order among each other.
        """
        noise = baseline.column_noise
        expected = {name: rows for name, rows in baseline.tables.items() if name in self.owners}
        found = differences(expected, self.tables, noise, self.owners)
        reordered = [
            table
            for table in sorted(self.deferred & {each.table for each in found} & set(self.tables))
            if not differences(
                {table: without_key(expected[table])},
                {table: without_key(self.tables[table])},
                noise,
            )
        ]
        return [each for each in found if each.table not in reordered], reordered


def ask_services(
    baseline: Baseline,
    system: RunningSystem,
    proxy: RecordingProxy,
    traffic: Traffic,
    processes: int,
) -> Asked:
    """Ask a running system the traffic, with `processes` web processes a service, and let it come
    to rest."""
    begun = time.monotonic()
    if loose_replicas(manifests(system)):
        proxy.before = lambda: await_arrival(system)
    try:
        recording = record(proxy, system, system.gateway_url, traffic)
    finally:
        proxy.before = lambda: None
    replicas, replica_problems = settle(system)
    tables, owners = owned_tables(system)
    deferred = {
        table
        for manifest in manifests(system).values()
        for call in manifest.calls.values()
        if call.remedy == "defer"
        for table in call.tables
    }
    return Asked(
        processes=processes,
        recording=recording,
        url=proxy.url,
        tables=tables,
        owners=owners,
        deferred=deferred,
        folders=read_folders(system.folders, manifests(system).values()),
        replicas=replicas,
        replica_differences=replica_problems,
        trespasses=find_trespasses(system, baseline.root),
        seconds=time.monotonic() - begun,
    )


def compare_all(
    asked: Sequence[Asked], baseline: Baseline, monolith: Monolith
) -> tuple[Baseline, list[Comparison]]:
    """Each run of the services compared with a monolith that is asked again while they differ.

    What varies by chance may come out equal once, so that it is asked up to three times; the last
    time with all writes in seconds of their own.
    """
    compared = [each.compared(baseline) for each in asked]
    for last in [*[False] * (_AGAIN - 1), True]:
        if not any(each.differences or each.table_differences for each in compared):
            break
        baseline = monolith.again(baseline, apart=last)
        compared = [each.compared(baseline) for each in asked]
    return baseline, compared
