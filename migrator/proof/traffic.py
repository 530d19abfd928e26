"""What both sides are asked: the application's own tests, or traffic that was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Protocol

from migrator.model.progress import Progress, Silent
from migrator.operation.side import Side
from migrator.operation.start_state import StartState
from migrator.proof.exchange import Exchange
from migrator.proof.probing import probe_requests, send_all
from migrator.proof.recorded import RecordedTraffic, load, load_secrets, missing_secrets
from migrator.proof.recording import RecordingProxy
from migrator.proof.replay import replay
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


class Traffic(Protocol):
    """A source of requests that can be asked of either side, again and again."""

    @property
    def start_state(self) -> StartState | None:
        """The state that it starts from, where that is not a migrated and seeded monolith's."""

    def drive(
        self, side: Side, upstream: str, proxy: RecordingProxy
    ) -> tuple[list[Exchange], TestRun]:
        """Ask everything of a running side that listens at `upstream`, behind the proxy."""

    def apart(self) -> Traffic:
        """The same with no two writes within one second, where that can be had."""

    def again(self) -> Traffic:
        """The same as load, for data of which it was asked before: much is refused then."""


@dataclass(frozen=True)
class OwnTests:
    """The HTTP tests of the application itself, through the proxy."""

    start_state: StartState | None = None
    load: bool = False

    def drive(
        self, side: Side, upstream: str, proxy: RecordingProxy
    ) -> tuple[list[Exchange], TestRun]:
        """Run the tests; what the proxy saw, and what they counted."""
        proxy.take()
        suite = side.run_tests(proxy.url, again=self.load)
        tests = TestRun(
            passed=suite.counts.get("passed", 0),
            total=suite.total,
            failed=suite.failures,
            seconds=suite.seconds,
        )
        return proxy.take(), tests

    def apart(self) -> OwnTests:
        """The tests: when they ask is theirs."""
        return self

    def again(self) -> OwnTests:
        """The tests as load."""
        return replace(self, load=True)


@dataclass(frozen=True)
class Replay:
    """Recorded traffic, from the state that it was recorded from."""

    traffic: RecordedTraffic
    start_state: StartState | None = None
    secrets: Mapping[int, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Silent)
    writes_apart: bool = False
    load: bool = False

    def apart(self) -> Replay:
        """The same with no two writes within one second."""
        return replace(self, writes_apart=True)

    def again(self) -> Replay:
        """The same as load."""
        return replace(self, load=True)

    def drive(
        self, side: Side, upstream: str, proxy: RecordingProxy
    ) -> tuple[list[Exchange], TestRun]:
        """Ask each request in turn; what the application sends itself passes the proxy."""
        proxy.take()
        exchanges, tests = replay(
            self.traffic,
            upstream,
            proxy.url,
            self.secrets,
            self.progress,
            writes_apart=self.writes_apart,
            again=self.load,
        )
        return exchanges + proxy.take(), tests


def read_replay(path: Path, secrets: Path | None, progress: Progress) -> Replay:
    """The replay of a file of recorded traffic; ConfigurationError for what cannot be read."""
    traffic = load(path)
    known = load_secrets(secrets) if secrets else {}
    if made_up := missing_secrets(traffic, known):
        progress.warn(
            f"texts are made up for {'; '.join(made_up)}: nobody can then sign in whose password"
            " is in the data that the replay starts from; `migrator record --secrets FILE` keeps"
            " what was sent, `migrator verify --secrets FILE` sends it"
        )
    state = StartState(path.parent / traffic.header.start_state)
    return Replay(
        traffic,
        state if traffic.header.start_state else None,
        known,
        progress,
    )


def record(
    proxy: RecordingProxy,
    side: Side,
    upstream: str,
    traffic: Traffic,
) -> Recording:
    """Drive a side with the proxy in front of `upstream`, then ask what is seldom asked."""
    proxy.upstream = upstream
    exchanges, tests = traffic.drive(side, upstream, proxy)
    send_all(probe_requests(exchanges), proxy.url)
    return Recording(exchanges=exchanges + proxy.take(), tests=tests)
