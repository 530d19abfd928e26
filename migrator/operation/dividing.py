"""The data of a system, made before it starts: of a fresh monolith, or of what there is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, step
from migrator.model.settings import Run
from migrator.operation import seeded, shared_folders
from migrator.operation.application import search_path
from migrator.operation.division import Division, require_equal, require_same_tables
from migrator.operation.service import RunningService
from migrator.operation.start_state import StartState

_MOST_NAMED = 3


class Dividing:
    """Gives the services of a generated system, all stopped, their shares of the data."""

    def __init__(
        self,
        output: Path,
        monolith: Path,
        run: Run,
        services: Mapping[str, RunningService],
        progress: Progress,
    ) -> None:
        self._output = output
        self._folder = output / PRIVATE
        self._monolith = monolith
        self._run = run
        self._services = services
        self._progress = progress

    def prepare(self, start_state: StartState | None, *, base_url: str) -> None:
        """Divide `start_state`; without one keep what there is, or divide a fresh monolith's.

        Raises OperationError when the data is in use elsewhere, or a row does not arrive.
        """
        division = Division(self._folder / "data")
        before = Division(self._folder / "data-before")
        if before.complete and not division.complete:
            # A start that divided the data anew was broken off.
            shutil.rmtree(division.folder, ignore_errors=True)
            before.folder.rename(division.folder)
        if division.complete and start_state is None:
            division.require_here(self._output)
            if not division.is_of(self._services):
                self._divide_anew(division, before)
                return
            self._each("Check the databases", lambda service: service.migrate())
            return
        start = start_state or seeded.start_state(
            self._monolith, self._run, self._folder / "start", self._progress, base_url=base_url
        )
        shutil.rmtree(self._folder / "data", ignore_errors=True)
        self._divide(start, division)

    def _divide(self, start: StartState, division: Division) -> None:
        self._give_files(start)
        self._each("Divide the data", lambda service: service.load(start))
        division.mark_complete(self._services)

    def _give_files(self, start: StartState) -> None:
        """Files that the monolith begins with: in the folders of the plan, else a copy for each."""
        manifests = [service.manifest for service in self._services.values()]
        shared_folders.fill(
            self._folder / "data" / shared_folders.NAME, start, self._monolith, manifests
        )
        files = shared_folders.unowned(start, manifests)
        if not files:
            return
        named = ", ".join(files[:_MOST_NAMED])
        more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
        self._progress.warn(
            f"migrate or seed wrote {named}{more}, in folders of no service: each has a copy of its"
            " own; `folders` of a service in the plan owns one"
        )
        roots = [
            path.relative_to(self._monolith.absolute()).as_posix()
            for path in search_path(self._monolith, self._run)
            if path != self._monolith.absolute()
        ]
        for service in self._services.values():
            shared_folders.give_copies(files, start, roots, service.folder / "src")

    def _divide_anew(self, division: Division, before: Division) -> None:
        """The services were generated for other owners since: what there is goes to them."""
        owned = {
            t: name for name, service in self._services.items() for t in service.manifest.tables
        }
        require_same_tables(division.tables, owned)
        joined = division.joined(self._monolith, self._folder / "joined", self._progress)
        shutil.rmtree(before.folder, ignore_errors=True)
        division.folder.rename(before.folder)
        self._divide(joined, division)
        try:
            division.take_shared_state(before)
            require_equal(before.digests(), division.digests(), division.folder)
        except BaseException:
            division.forget()
            raise
        shutil.rmtree(before.folder)
        shutil.rmtree(joined.folder)

    def _each(self, task: str, do: Callable[[RunningService], None]) -> None:
        with step(self._progress, task, len(self._services)):
            for_each(self._services, do, self._progress, task)


def for_each(
    services: Mapping[str, RunningService],
    do: Callable[[RunningService], None],
    progress: Progress,
    task: str,
) -> None:
    """Do it for every service, a few at a time; the first error after all have ended."""

    def one(service: RunningService) -> None:
        do(service)
        progress.advance(task, 1, service.name)

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for done in [pool.submit(one, service) for service in services.values()]:
            done.result()
