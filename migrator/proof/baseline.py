"""What the monolith answers: recorded twice from the same start state, so that noise shows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.model.errors import OperationError, Place
from migrator.model.progress import Progress
from migrator.model.settings import Run
from migrator.operation.monolith import RunningMonolith
from migrator.operation.start_state import StartState, make_start_state
from migrator.proof.comparison import Noise, noise_between
from migrator.proof.files import Files, read_files
from migrator.proof.recording import RecordingProxy
from migrator.proof.tables import ColumnNoise, Content, column_noise, read_tables
from migrator.proof.traffic import Recording, Traffic, record


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


def record_monolith(
    root: Path,
    run: Run,
    folder: Path,
    proxy: RecordingProxy,
    traffic: Traffic,
    progress: Progress,
) -> Baseline:
    """Drive the monolith with the traffic twice, each time from the same start state.

    Each time it runs in another folder: what depends on where its files lie (the tag of a
    static file) is noise as well, since services lie elsewhere.
    Afterwards the monolith is stopped and its databases are gone. Raises OperationError when none
    of the tests (or recorded requests) passes on it, since nothing could be compared then.
    """
    try:
        return _record(root, run, folder, proxy, traffic, progress)
    except OperationError as error:
        error.message = f"the monolith: {error.message}"
        error.hint = "\n".join(filter(None, [error.hint, f"migrator doctor {root}"]))
        raise


def _record(
    root: Path,
    run: Run,
    folder: Path,
    proxy: RecordingProxy,
    traffic: Traffic,
    progress: Progress,
) -> Baseline:
    start_state = traffic.start_state or make_start_state(
        root, run, folder / "start-state", progress, base_url=proxy.url
    )
    (first, tables, files), (second, again, files_again) = (
        _asked(root, run, folder / f"monolith-{number}", start_state, proxy, traffic, progress)
        for number in (1, 2)
    )
    return Baseline(
        root=root,
        start_state=start_state,
        recording=first,
        tables=tables,
        noise=noise_between(first.exchanges, second.exchanges, proxy.url),
        column_noise=column_noise(tables, again),
        files=(files, files_again),
    )


def with_noise_of_now(
    baseline: Baseline,
    run: Run,
    folder: Path,
    proxy: RecordingProxy,
    traffic: Traffic,
    progress: Progress,
) -> Baseline:
    """The same, with what varies by the time of day: the monolith is asked once more, now.

    Its first two runs follow each other closely, and services come minutes later: `3 minutes ago`
    and dates after midnight differ then, and would on the monolith too.
    """
    exchanges, tables = baseline.recording.exchanges, baseline.tables
    now, again, files = _asked(
        baseline.root, run, folder / "monolith-now", baseline.start_state, proxy, traffic, progress
    )
    return replace(
        baseline,
        noise=baseline.noise | noise_between(exchanges, now.exchanges, proxy.url),
        column_noise=baseline.column_noise | column_noise(tables, again),
        files=(*baseline.files, files),
    )


def _asked(
    root: Path,
    run: Run,
    place: Path,
    start_state: StartState,
    proxy: RecordingProxy,
    traffic: Traffic,
    progress: Progress,
) -> tuple[Recording, dict[str, Content], Files]:
    """One run of the monolith, and its tables and files at the end."""
    with RunningMonolith(
        root, run, place, progress, outside_url=proxy.url, start_state=start_state
    ) as monolith:
        recording = record(proxy, monolith, monolith.base_url, traffic)
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
