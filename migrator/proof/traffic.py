"""The application's own tests as traffic, through the recording proxy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from migrator.operation.suite import SuiteRun
from migrator.proof.exchange import Exchange
from migrator.proof.probing import probe_requests, send_all
from migrator.proof.recording import RecordingProxy
from migrator.proof.result import TestRun


@dataclass(frozen=True, slots=True)
class Recording:
    """All that was asked and answered in one run."""

    exchanges: list[Exchange]
    tests: TestRun

    @property
    def latency(self) -> float:
        """The median time of an answer, in seconds."""
        return median([each.elapsed for each in self.exchanges] or [0.0])


def record(proxy: RecordingProxy, upstream: str, run_tests: Callable[[], SuiteRun]) -> Recording:
    """Run the tests with the proxy in front of `upstream`, then ask what tests seldom ask."""
    proxy.upstream = upstream
    proxy.take()
    suite = run_tests()
    traffic = proxy.take()
    send_all(probe_requests(traffic), proxy.url)
    return Recording(
        exchanges=traffic + proxy.take(),
        tests=TestRun(
            passed=suite.counts.get("passed", 0),
            total=suite.total,
            failed=suite.failures,
            seconds=suite.seconds,
        ),
    )
