"""The roadmap walked: service by service out of the monolith, and all the way back.

On the way there each step gets the application's traffic from the same start state, and has to
answer and write as the monolith did. On the way back nothing starts anew: each step goes on with
what the one after it left, gets the traffic once more so that something is written, and hands on
every row; what is read before and after a step is taken back has to be equal. At last the monolith
itself goes on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, step
from migrator.model.settings import Run
from migrator.operation.division import Division
from migrator.operation.monolith import RunningMonolith
from migrator.operation.move import join_data
from migrator.operation.start_state import StartState
from migrator.operation.system import RunningSystem
from migrator.proof.asked import ask_services, compare_all
from migrator.proof.baseline import Baseline, Monolith
from migrator.proof.comparison import Difference
from migrator.proof.exchange import Exchange
from migrator.proof.reading import Reading
from migrator.proof.recording import RecordingProxy
from migrator.proof.replicas import settle
from migrator.proof.restart import Restart, counted, restart
from migrator.proof.result import Comparison, TestRun
from migrator.proof.traffic import OwnTests, Traffic, record

STEPS = "steps.json"


class Back(msgspec.Struct, kw_only=True):
    """One step that was taken back."""

    rows: int
    """Rows of all tables, each of which arrived."""
    written: int
    """How many more than before the traffic was asked at this step once more."""
    asked: int
    equal: int
    """Of the requests that read: answered as before the step was taken back."""
    differences: list[Difference] = []
    restarted: dict[str, int] = {}
    """Reads left out of both by method and path, with how many: the monolith answers them
    otherwise too when it is merely started again."""


class StepProof(msgspec.Struct, kw_only=True):
    """One step of the roadmap: 0 is the remainder alone."""

    step: int
    services: list[str]
    forward: Comparison
    back: Back | None = None

    @property
    def passed(self) -> bool:
        """Equal on the way there, and on the way back."""
        return self.forward.passed and self.back is not None and not self.back.differences


class StepsProof(msgspec.Struct, kw_only=True):
    """The whole way."""

    application: str
    monolith_tests: TestRun
    steps: list[StepProof] = []
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Every step was taken, and taken back."""
        return bool(self.steps) and all(each.passed for each in self.steps)


def walk_steps(
    root: Path,
    run: Run,
    make: Callable[[int], Path],
    count: int,
    folder: Path,
    progress: Progress,
    *,
    traffic: Traffic | None = None,
    told: Callable[[StepProof], None] = lambda _: None,
) -> StepsProof:
    """Walk steps 0 to `count` and back to the monolith in `root`.

    `make(k)` generates the services of step k into one folder, always the same, and gives it.
    `told` hears of each step as soon as it was taken, and again when it was taken back.
    `folder` is for recordings and databases. Raises OperationError when a step does not start, or
    a row does not arrive.
    """
    begun = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    traffic = traffic or OwnTests()
    with RecordingProxy() as proxy:
        monolith = Monolith(root, run, folder, proxy, traffic, progress)
        baseline = monolith.record()
        proof = StepsProof(application=root.name, monolith_tests=baseline.recording.tests)
        walk = _Walk(make, monolith, baseline)
        for number in range(count + 1):
            with step(progress, f"Step {number} of {count}"):
                proof.steps.append(walk.forward(number))
            told(proof.steps[-1])
        for taken in reversed(proof.steps):
            with step(progress, f"Back from step {taken.step} of {count}"):
                taken.back = walk.back(taken.step)
            told(taken)
        walk.forget()
    proof.seconds = time.monotonic() - begun
    shutil.rmtree(folder, ignore_errors=True)
    return proof


class _Walk:
    def __init__(
        self,
        make: Callable[[int], Path],
        monolith: Monolith,
        baseline: Baseline,
    ) -> None:
        self._make = make
        self._monolith = monolith
        self._baseline = baseline
        self._seen: list[Exchange] = []
        self._restart: Restart | None = None

    def forward(self, number: int) -> StepProof:
        """Take a step: its data moves to the new owners; then the traffic, from the start state."""
        output = self._make(number)
        if number:
            self._system(output).prepare()
        with self._system(output, self._baseline.start_state) as system:
            monolith = self._monolith
            asked = ask_services(self._baseline, system, monolith.proxy, monolith.traffic, 1)
            services = sorted(system.services)
        self._seen = asked.recording.exchanges
        self._baseline, (compared,) = compare_all([asked], self._baseline, monolith)
        return StepProof(step=number, services=services, forward=compared)

    def back(self, number: int) -> Back:
        """Write something at this step, and take it back: the monolith goes on after step 0."""
        output, proxy = self._make(number), self._monolith.proxy
        before = _rows(output)
        with self._system(output) as system:
            recording = record(proxy, system, system.gateway_url, self._monolith.traffic.again())
            settle(system)
            # The data goes on, so that what was read on the way there can be read here too.
            turns = (self._seen, recording.exchanges)
            read = Reading.of([each for turn in turns for each in turn], system.gateway_url)
        rows = _rows(output)
        if number:
            with self._system(self._make(number - 1)) as system:
                settle(system)
                differences = self._differences(read, system.gateway_url)
            return self._taken(read, turns, differences, rows, rows - before)
        folder, progress = self._monolith.folder, self._monolith.progress
        joined = join_data(output, folder / "joined", progress)
        with RunningMonolith(
            self._monolith.root,
            self._monolith.run,
            folder / "again",
            progress,
            outside_url=proxy.url,
            start_state=StartState(Path(joined.target)),
        ) as monolith:
            differences = self._differences(read, monolith.base_url)
        return self._taken(read, turns, differences, rows, rows - before)

    def forget(self) -> None:
        """Have whoever starts the services of the last step begin anew: what the walk wrote went
        on to the monolith, whose data is removed."""
        Division(self._make(0) / PRIVATE / "data").forget()

    def _system(self, output: Path, start: StartState | None = None) -> RunningSystem:
        return RunningSystem(
            output,
            self._monolith.progress,
            outside_url=self._monolith.proxy.url,
            start_state=start,
        )

    def _differences(self, read: Reading, url: str) -> list[Difference]:
        self._baseline = self._monolith.of_today(self._baseline)
        return read.compared(url, self._baseline.noise, self._monolith.proxy.url).differences

    def _taken(
        self,
        read: Reading,
        turns: Sequence[Sequence[Exchange]],
        differences: list[Difference],
        rows: int,
        written: int,
    ) -> Back:
        left_out: set[int] = set()
        if differences:
            self._restart = self._restart or restart(self._monolith, self._baseline)
            left_out = self._restart.explained(turns, read, differences)
        different = [each for each in differences if each.ordinal not in left_out]
        asked = len(read.answers) - len(left_out)
        return Back(
            rows=rows,
            written=written,
            asked=asked,
            equal=asked - len({each.ordinal for each in different}),
            differences=different,
            restarted=counted(read, left_out),
        )


def _rows(output: Path) -> int:
    division = Division(output / PRIVATE / "data")
    return sum(count for count, _ in division.digests().values())
