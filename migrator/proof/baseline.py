"""What the monolith answers: recorded twice from the same start state, so that noise shows.

And once more where later runs of services come on another day than it, or differ.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from migrator.model.errors import OperationError, Place
from migrator.model.progress import Progress
from migrator.model.settings import Run
from migrator.operation.monolith import RunningMonolith
from migrator.operation.seeded import start_state
from migrator.operation.start_state import StartState
from migrator.proof.comparison import Noise, noise_between
from migrator.proof.files import Files, read_files
from migrator.proof.recording import RecordingProxy
from migrator.proof.tables import ColumnNoise, Content, column_noise, read_tables
from migrator.proof.traffic import Recording, Traffic, record

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The monolith's recording and tables, and what varies in them by itself."""

    root: Path
    """The monolith's folder."""
    start_state: StartState
    recording: Recording
    tables: dict[str, Content]
    noise: set[Noise]
    column_noise: set[ColumnNoise]
    files: tuple[Files, ...]
    """What each of its runs has on disk at the end."""
    day: tuple[date, ...]
    """When it was asked last."""


@dataclass(frozen=True, slots=True)
class Monolith:
    """A monolith that can be driven with traffic, in folders below `folder`."""

    root: Path
    run: Run
    folder: Path
    proxy: RecordingProxy
    traffic: Traffic
    progress: Progress

    def record(self) -> Baseline:
        """Drive it twice, each time from the same start state.

        Each time it runs in another folder: what depends on where its files lie (the tag of a
        static file) is noise as well, since services lie elsewhere.
        Afterwards it is stopped and its databases are gone. Raises OperationError when none of the
        tests (or recorded requests) passes on it, since nothing could be compared then.
        """
        try:
            return self._record()
        except OperationError as error:
            error.message = f"the monolith: {error.message}"
            error.hint = "\n".join(filter(None, [error.hint, f"migrator doctor {self.root}"]))
            raise

    def _record(self) -> Baseline:
        begun = self.traffic.start_state or start_state(
            self.root,
            self.run,
            self.folder / "start-state",
            self.progress,
            base_url=self.proxy.url,
        )
        (first, tables, files), (second, again, files_again) = (
            self._asked(self.folder / f"monolith-{number}", begun) for number in (1, 2)
        )
        return Baseline(
            root=self.root,
            start_state=begun,
            recording=first,
            tables=tables,
            noise=noise_between(first.exchanges, second.exchanges, self.proxy.url),
            column_noise=column_noise(tables, again),
            files=(files, files_again),
            day=today(),
        )

    def again(self, baseline: Baseline, *, apart: bool = False) -> Baseline:
        """The same, with what varies by the time of day or by chance: it is asked once more, now.

        Its first two runs follow each other closely, and services come minutes later: `3 minutes
        ago` and dates after midnight differ then, and would on the monolith too. Nor do two
        processes of one program differ in where their objects lie, by which a set of them is
        ordered; this one does. `apart`: nor are two things written within one second, which
        lie in one or in two as it happens, and are ordered by that.
        """
        exchanges, tables = baseline.recording.exchanges, baseline.tables
        upstream = self.proxy.upstream
        now, again, files = self._asked(
            self.folder / "monolith-now", baseline.start_state, scattered=True, apart=apart
        )
        self.proxy.upstream = upstream
        return replace(
            baseline,
            noise=baseline.noise | noise_between(exchanges, now.exchanges, self.proxy.url),
            column_noise=baseline.column_noise | column_noise(tables, again),
            files=(*baseline.files, files),
            day=today(),
        )

    def of_today(self, baseline: Baseline) -> Baseline:
        """The same as long as it is the day on which the monolith was asked; else `again`."""
        return baseline if baseline.day == today() else self.again(baseline)

    def on_one_day(
        self, find: Callable[[Baseline], Found], baseline: Baseline
    ) -> tuple[Found, Baseline]:
        """What `find` finds wrong, and the baseline by which: of the day on which it looks.

        It looks once more when it found something and midnight has passed meanwhile.
        """
        baseline = self.of_today(baseline)
        found = find(baseline)
        now = self.of_today(baseline) if found else baseline
        return (found, now) if now is baseline else (find(now), now)

    def _asked(
        self,
        place: Path,
        start_state: StartState,
        *,
        scattered: bool = False,
        apart: bool = False,
    ) -> tuple[Recording, dict[str, Content], Files]:
        """One run of it, and its tables and files at the end."""
        with RunningMonolith(
            self.root,
            self.run,
            place,
            self.progress,
            outside_url=self.proxy.url,
            start_state=start_state,
            scattered=scattered,
        ) as monolith:
            traffic = self.traffic.apart() if apart else self.traffic
            recording = record(self.proxy, monolith, monolith.base_url, traffic)
            if not recording.tests.passed:
                raise OperationError(
                    f"none of {recording.tests.total} tests passes",
                    place=Place("pyproject.toml"),
                    log_tail="\n".join(recording.tests.failed[:10]),
                )
        tables = read_tables(monolith.database)
        files = read_files(monolith.project, monolith.data)
        shutil.rmtree(monolith.database.parent)
        shutil.rmtree(monolith.project)
        return recording, tables, files


def today() -> tuple[date, ...]:
    """The days that a monolith may speak of: here, and at Greenwich."""
    return datetime.now().date(), datetime.now(UTC).date()
