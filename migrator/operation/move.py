"""Data that moves from one generated system to another; both are stopped meanwhile.

A step of the roadmap is taken, or taken back, by moving all that the services of one system own to
those of another that own the same tables together: the owners' rows become one monolith's database
again, and that is divided anew. So nothing has to be known of what was written in between, and
every row is compared afterwards.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from migrator.model.errors import ConfigurationError, OperationError, Place
from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, Silent
from migrator.operation.division import (
    Digests,
    Division,
    digests,
    require_equal,
    require_same_tables,
)
from migrator.operation.process import Processes
from migrator.operation.service import read_manifest
from migrator.operation.start_state import StartState
from migrator.operation.system import RunningSystem, read_system


class Moved(msgspec.Struct, kw_only=True):
    """What was moved."""

    source: str
    target: str
    tables: dict[str, int]
    """Table to its number of rows."""
    owners: dict[str, str] = {}
    """Table to who owns it now; empty when the monolith has it all."""


def move_data(
    source: Path, target: Path, progress: Progress | None = None, *, force: bool = False
) -> Moved:
    """Move what the services in `source` own to those in `target`; both are stopped.

    The data in `source` stays, marked as moved, and is started no more. Raises OperationError when
    either runs, when something waits in `source` to be delivered, when `target` has data of its own
    that was not moved elsewhere (unless `force`), and ConfigurationError when the two systems do
    not own the same tables.
    """
    progress = progress or Silent()
    old, new = _division(source), _division(target)
    if new.complete and not new.moved_to and not force:
        raise OperationError(
            f"the services in {target} have data of their own, which would be lost",
            hint="--force replaces it; was it to go the other way round?"
            f" migrator move-data {target} {source}",
        )
    owners = _owners(target)
    require_same_tables(old.tables, owners)
    joined = _joined(source, new.folder.with_name("joined"), progress)
    RunningSystem(target, progress, start_state=joined).prepare()
    before = old.digests()
    try:
        new.take_shared_state(old)
        require_equal(before, new.digests(), target)
    except BaseException:
        new.forget()
        raise
    old.mark_moved(target.resolve())
    shutil.rmtree(joined.folder, ignore_errors=True)
    return _moved(source, target, before, owners)


def join_data(source: Path, folder: Path, progress: Progress | None = None) -> Moved:
    """Make one monolith's database and files of what the services in `source` own.

    They lie in `folder`, as `database.sqlite` and `data`. The services' data stays, marked as
    moved. Raises OperationError as `move_data` does.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "is not empty", place=Place(str(folder)), hint="name a folder that does not exist"
        )
    old = _division(source)
    joined = _joined(source, folder.resolve(), progress or Silent())
    before = old.digests()
    require_equal(before, digests(joined.database, old.tables), folder)
    old.mark_moved(joined.folder)
    return _moved(source, folder, before, {})


def _division(output: Path) -> Division:
    read_system(output.resolve())
    return Division(output.resolve() / PRIVATE / "data")


def _owners(output: Path) -> dict[str, str]:
    """Table to the service that owns it."""
    return {
        table: name
        for name in read_system(output.resolve()).services
        for table in read_manifest(output / name).tables
    }


def _joined(source: Path, folder: Path, progress: Progress) -> StartState:
    division = _division(source)
    if division.moved_to:
        raise OperationError(
            f"the data in {division.folder} was moved to {division.moved_to} already",
            hint=f"move it on from there: migrator move-data {division.moved_to} ...",
        )
    # The lock of a run: neither is there one now, nor does one begin meanwhile.
    with Processes(division.folder.with_name("processes.json")):
        monolith = Path(read_system(source.resolve()).monolith)
        return division.joined(monolith, folder, progress)


def _moved(source: Path, target: Path, before: Digests, owners: dict[str, str]) -> Moved:
    return Moved(
        source=str(source.resolve()),
        target=str(target.resolve()),
        tables={table: count for table, (count, _) in sorted(before.items())},
        owners=dict(sorted(owners.items())),
    )
