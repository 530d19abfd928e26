"""Data that moves between two ways of dividing the same application; both are stopped meanwhile.

A step of the roadmap is taken, or taken back, by moving all that the services of one generated
system own to the services of another that own the same tables together: the owners' rows become one
monolith's database again, and that is divided anew. So nothing has to be known of what was written
in between, and every row is compared afterwards.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from migrator.facts.settings import load_run
from migrator.model.errors import ConfigurationError, OperationError, Place
from migrator.model.manifest import ServiceManifest
from migrator.model.progress import Progress, Silent, step
from migrator.operation.division import Division
from migrator.operation.process import Processes
from migrator.operation.service import read_manifest
from migrator.operation.split import join_files, load_tables
from migrator.operation.start_state import StartState, make_start_state
from migrator.operation.system import PRIVATE, RunningSystem, read_system


class Moved(msgspec.Struct, kw_only=True):
    """What was moved."""

    source: str
    target: str
    tables: dict[str, int]
    """Table to its number of rows."""
    owners: dict[str, str] = {}
    """Table to who owns it now; empty when the monolith has it all."""


class _Stored:
    """The stopped services of one generated system, and their data."""

    def __init__(self, output: Path) -> None:
        self.output = output.resolve()
        self.system = read_system(self.output)
        self.folder = self.output / PRIVATE
        self.data = self.folder / "data"
        self.division = Division(self.data)
        self.manifests = {name: read_manifest(self.output / name) for name in self.system.services}

    @property
    def owners(self) -> dict[str, str]:
        """Table to its owner."""
        return {table: name for name, m in self.manifests.items() for table in m.tables}

    def database(self, service: str) -> Path:
        """The file of a service's owned tables."""
        return self.data / service / "service.db"

    def digests(self) -> dict[str, tuple[int, str]]:
        """Table to its number of rows and a digest of them."""
        return {
            table: rows
            for name, manifest in self.manifests.items()
            for table, rows in digests(self.database(name), manifest.tables).items()
        }


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
    old, new = _Stored(source), _Stored(target)
    _require_same_tables(old, new)
    if new.division.complete and not new.division.moved_to and not force:
        raise OperationError(
            f"the services in {target} have data of their own, which would be lost",
            hint="--force replaces it; was it to go the other way round?"
            f" migrator move-data {target} {source}",
        )
    joined = _joined(old, new.folder / "joined", progress)
    RunningSystem(target, progress, start_state=joined).prepare()
    _move_shared_state(old, new)
    before = old.digests()
    try:
        _require_equal(before, new.digests(), target)
    except OperationError:
        new.division.forget()
        raise
    old.division.mark_moved(new.output)
    shutil.rmtree(joined.folder, ignore_errors=True)
    return Moved(
        source=str(old.output),
        target=str(new.output),
        tables={table: count for table, (count, _) in sorted(before.items())},
        owners=dict(sorted(new.owners.items())),
    )


def join_data(source: Path, folder: Path, progress: Progress | None = None) -> Moved:
    """Make one monolith's database and files of what the services in `source` own.

    They lie in `folder`, as `database.sqlite` and `data`. The services' data stays, marked as
    moved. Raises OperationError as `move_data` does.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "is not empty", place=Place(str(folder)), hint="name a folder that does not exist"
        )
    old = _Stored(source)
    joined = _joined(old, folder.resolve(), progress or Silent())
    before = old.digests()
    _require_equal(before, digests(joined.database, old.owners), folder)
    old.division.mark_moved(joined.folder)
    return Moved(
        source=str(old.output),
        target=str(joined.folder),
        tables={table: count for table, (count, _) in sorted(before.items())},
    )


def digests(database: Path, tables: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Table to its number of rows and a digest of them, whatever their order of columns."""
    found = {}
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        for table in tables:
            quoted = '"' + table.replace('"', '""') + '"'
            info = db.execute(f"PRAGMA table_info({quoted})").fetchall()
            columns = sorted('"' + c[1].decode().replace('"', '""') + '"' for c in info)
            rows = db.execute(f"SELECT {', '.join(columns)} FROM {quoted}").fetchall()
            seen = hashlib.sha256()
            for row in sorted(map(repr, rows)):
                seen.update(row.encode())
            found[table] = (len(rows), seen.hexdigest())
    return found


def _require_same_tables(old: _Stored, new: _Stored) -> None:
    only_old = sorted(old.owners.keys() - new.owners.keys())
    only_new = sorted(new.owners.keys() - old.owners.keys())
    if only_old or only_new:
        where, tables = (old, only_old) if only_old else (new, only_new)
        raise ConfigurationError(
            f"only the services in {where.output} own {', '.join(tables)}",
            hint="both have to be generated from the same code",
        )


def _require_equal(
    before: Mapping[str, tuple[int, str]], after: Mapping[str, tuple[int, str]], where: Path
) -> None:
    lost = [table for table, rows in before.items() if after.get(table) != rows]
    if lost:
        counts = ", ".join(
            f"{table} ({before[table][0]} rows before, {after.get(table, (0, ''))[0]} after)"
            for table in lost
        )
        raise OperationError(
            f"not every row arrived in {where}: {counts}",
            hint="nothing was changed where they came from; please report it",
        )


def _joined(old: _Stored, folder: Path, progress: Progress) -> StartState:
    """One monolith's database and files, made of what the services own."""
    root = Path(old.system.monolith)
    # The lock of a run: neither is there one now, nor does one begin meanwhile.
    with Processes(old.folder / "processes.json"):
        _require_settled(old)
        joined = make_start_state(root, load_run(root), folder, progress, seed=False)
        # Files of the empty monolith that no service has any more were taken away since.
        shutil.rmtree(joined.data, ignore_errors=True)
        joined.data.mkdir()
        with step(progress, "Join the data", len(old.manifests)):
            for name, manifest in sorted(old.manifests.items()):
                load_tables(old.database(name), joined.database, manifest)
                join_files(old.data / name / "files", joined.data)
                progress.advance("Join the data", 1, name)
    return joined


def _require_settled(old: _Stored) -> None:
    """Nothing may be on its way: a command that waits would be lost."""
    if not old.division.complete:
        raise OperationError(
            f"the services in {old.output} have no data", hint=f"migrator up {old.output}"
        )
    if old.division.moved_to:
        raise OperationError(
            f"the data in {old.data} was moved to {old.division.moved_to} already",
            hint=f"move it on from there: migrator move-data {old.division.moved_to} ...",
        )
    waiting = {
        name: count
        for name, manifest in old.manifests.items()
        if (count := _waiting(old.data / name, manifest))
    }
    if waiting:
        told = ", ".join(f"{count} of {name}" for name, count in sorted(waiting.items()))
        raise OperationError(
            f"commands and calls are not delivered yet: {told}",
            hint=f"`migrator up {old.output}` delivers them within seconds; then stop it",
        )


def _waiting(data: Path, manifest: ServiceManifest) -> int:
    """Deferred commands and unsettled calls of a service."""
    return _count(data / "service.db", "_commands") + _count(data / "state.db", "_intents")


def _count(database: Path, table: str) -> int:
    if not database.is_file():
        return 0
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return 0
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _move_shared_state(old: _Stored, new: _Stored) -> None:
    """What processes of a service share goes to every service that has that variable."""
    for name, manifest in new.manifests.items():
        wanted = set(manifest.shared_state)
        target = new.data / name / "state.db"
        for before, theirs in sorted(old.manifests.items()):
            source = old.data / before / "state.db"
            common = sorted(wanted & set(theirs.shared_state))
            if common and source.is_file() and target.is_file():
                _copy_state(source, target, common)
                wanted -= set(common)


def _copy_state(source: Path, target: Path, names: list[str]) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as db:
        db.execute("ATTACH DATABASE ? AS source", (str(source),))
        db.execute("BEGIN IMMEDIATE")
        for name in names:
            db.execute(
                "INSERT OR IGNORE INTO main._names SELECT * FROM source._names WHERE name = ?",
                (name,),
            )
            db.execute(
                "INSERT OR REPLACE INTO main._items(name, key, value)"
                " SELECT name, key, value FROM source._items WHERE name = ? ORDER BY id",
                (name,),
            )
        db.execute("COMMIT")
