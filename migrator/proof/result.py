"""What verify found out: the content of `proof.json`. Values only."""

from __future__ import annotations

import msgspec

from migrator.proof.comparison import Difference, Noise
from migrator.proof.faults import Fault
from migrator.proof.tables import ColumnNoise, TableDifference
from migrator.proof.trespass import Trespass

VERSION = 1


class TestRun(msgspec.Struct, kw_only=True):
    """One run of the application's own tests, or of a recording's requests."""

    what: str = "tests"
    passed: int = 0
    total: int = 0
    failed: list[str] = []
    """The runner's line for each."""
    seconds: float = 0.0


class Comparison(msgspec.Struct, kw_only=True):
    """The whole traffic asked of the services, compared with the monolith's answers."""

    processes: int
    """Web processes of each service."""
    requests: int
    equal: int
    polls: int
    differences: list[Difference]
    tests: TestRun
    broken_tests: list[str]
    """Tests that pass on the monolith and fail through the gateway."""
    tables: int
    table_differences: list[TableDifference]
    reordered: list[str]
    """Tables written by deferred commands whose rows are the same, in another order of arrival."""
    replicas: int
    replica_differences: list[TableDifference]
    trespasses: list[Trespass] = []
    """Accesses to tables of others that a service refused: facts that the analysis missed."""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Nothing differs, no test broke, and no service used a table that is not its own."""
        return not (
            self.differences
            or self.trespasses
            or self.broken_tests
            or self.table_differences
            or self.replica_differences
        )


class Check(msgspec.Struct, kw_only=True):
    """One thing that was tried on the running services."""

    name: str
    passed: bool
    summary: str
    problems: list[str] = []
    seconds: float = 0.0


class Stopped(msgspec.Struct, kw_only=True):
    """What still answered while one service was stopped."""

    service: str
    routes: int
    kept: int
    """Routes that neither are handled by it nor call it synchronously."""
    probed: int
    as_before: int
    unavailable: int
    """Requests that depend on it and got 503 within a second."""
    slowest_refusal: float = 0.0


class Latency(msgspec.Struct, kw_only=True):
    """Median seconds of an answer, over all requests that both sides were asked."""

    monolith: float
    services: float


class Tried(msgspec.Struct, kw_only=True):
    """A fault that was put in, and by what it was noticed (empty: it was not)."""

    fault: Fault
    noticed: str = ""


class FaultReport(msgspec.Struct, kw_only=True):
    """What the proof itself is worth."""

    caught: list[Tried]
    missed: list[Tried]


class Proof(msgspec.Struct, kw_only=True):
    """The whole."""

    application: str
    plan_digest: str
    program_digest: str
    version: int = VERSION
    services: dict[str, int] = {}
    """Lines of the monolith's code in each service."""
    monolith_lines: int = 0
    monolith_tests: TestRun = msgspec.field(default_factory=TestRun)
    server_errors: dict[str, int] = {}
    """What the monolith itself answers with 5xx, and how often: equal there proves little."""
    noise: list[Noise] = []
    column_noise: list[ColumnNoise] = []
    comparisons: list[Comparison] = []
    checks: list[Check] = []
    stopped: list[Stopped] = []
    latency: Latency | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Every comparison and every check came out right."""
        return (
            bool(self.comparisons)
            and all(each.passed for each in self.comparisons)
            and all(each.passed for each in self.checks)
        )
