"""The data of a system on disk: what belongs to which services, and how it becomes one again."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from migrator.facts.settings import load_run
from migrator.model.errors import ConfigurationError, OperationError
from migrator.model.progress import Progress, step
from migrator.operation import shared_folders
from migrator.operation.service import RunningService
from migrator.operation.split import join_files, load_tables, times_of
from migrator.operation.start_state import StartState, make_start_state

_COMPLETE = "complete"
_MOVED = "moved-to"

Digests = dict[str, tuple[int, str]]
"""Table to its number of rows and a digest of them."""


class Part(msgspec.Struct, kw_only=True):
    """What one service has of the data."""

    tables: list[str]
    shared_state: list[str] = []
    folders: list[str] = []


class Record(msgspec.Struct, kw_only=True):
    """How the data is divided: written when it is complete."""

    digest: str
    parts: dict[str, Part]
    given: dict[str, dict[str, int]] = {}
    """The files of which a service got a copy of its own, and when they were last written."""


class Division:
    """The folder `OUTPUT/.migrator/data`, one below it for each service, with marks of its own.

    The marks say how it is divided, which may be for services that were generated otherwise since,
    and whether other services go on with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._complete = folder / _COMPLETE
        self._moved = folder / _MOVED

    @property
    def complete(self) -> bool:
        """Whether there is data, of whichever owners."""
        return self._complete.is_file()

    @property
    def moved_to(self) -> str:
        """The folder of the services that go on with this data; empty: it is in use here."""
        return self._moved.read_text() if self._moved.is_file() else ""

    @property
    def parts(self) -> dict[str, Part]:
        """Service to what it has; OperationError when nothing says so."""
        return self._record.parts

    @property
    def _record(self) -> Record:
        try:
            return msgspec.json.decode(self._complete.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError) as error:
            raise OperationError(
                f"nothing says how the data in {self.folder} is divided",
                hint="`migrator up` makes it, with --fresh anew",
            ) from error

    @property
    def tables(self) -> dict[str, str]:
        """Table to the service that has it."""
        return {table: name for name, part in self.parts.items() for table in part.tables}

    def is_of(self, services: Mapping[str, RunningService]) -> bool:
        """Whether it is divided as these services own it."""
        wanted = _record(services)
        try:
            found = msgspec.json.decode(self._complete.read_bytes(), type=Record)
        except msgspec.DecodeError:
            return False
        return (found.digest, found.parts) == (wanted.digest, wanted.parts)

    def require_here(self, output: Path) -> None:
        """Raise OperationError for data that others go on with."""
        if self.moved_to:
            raise OperationError(
                f"the data in {self.folder} was moved to {self.moved_to}, where it has changed"
                " since",
                hint=f"`migrator move-data {self.moved_to} {output}` takes it back",
            )

    def mark_complete(self, services: Mapping[str, RunningService]) -> None:
        """Every service has what it owns, and it is theirs."""
        self._moved.unlink(missing_ok=True)
        record = _record(services)
        record.given = {name: times_of(self._files(name)) for name in services}
        self._complete.write_bytes(msgspec.json.encode(record))

    def _files(self, service: str) -> Path:
        """Where a service has copies of files that lie in no folder of the plan."""
        return self.folder / service / "files"

    def mark_moved(self, where: Path) -> None:
        """Others go on with it from now on."""
        self._moved.write_text(str(where))

    def forget(self) -> None:
        """The next start divides that of a fresh monolith."""
        self._complete.unlink(missing_ok=True)
        self._moved.unlink(missing_ok=True)

    def database(self, service: str) -> Path:
        """The file of a service's owned tables."""
        return self.folder / service / "service.db"

    def digests(self) -> Digests:
        """Of every table at its owner."""
        found: Digests = {}
        for name, part in self.parts.items():
            found |= digests(self.database(name), part.tables)
        return found

    def joined(self, root: Path, folder: Path, progress: Progress) -> StartState:
        """One monolith's database and files, in `folder`, made of what the services have.

        Nothing may run here. Raises OperationError when something waits to be delivered.
        """
        parts = self.parts
        self._require_settled()
        joined = make_start_state(root, load_run(root), folder, progress, seed=False)
        # What the empty monolith has, and no service any more, was taken away since.
        shutil.rmtree(joined.data, ignore_errors=True)
        joined.data.mkdir()
        shutil.rmtree(joined.project, ignore_errors=True)
        folders = {path for part in parts.values() for path in part.folders}
        shared_folders.join(self.folder / shared_folders.NAME, joined, root, folders)
        given = self._record.given
        join_files({self._files(name): given.get(name, {}) for name in parts}, joined.data)
        with step(progress, "Join the data", len(parts)):
            for name, part in sorted(parts.items()):
                load_tables(self.database(name), joined.database, name, part.tables)
                progress.advance("Join the data", 1, name)
        return joined

    def _require_settled(self) -> None:
        """Nothing may be on its way: a command that waits would be lost."""
        waiting = {
            name: count
            for name in self.parts
            if (
                count := _count(self.database(name), "_commands")
                + _count(self.folder / name / "state.db", "_intents")
            )
        }
        if waiting:
            told = ", ".join(f"{count} of {name}" for name, count in sorted(waiting.items()))
            raise OperationError(
                f"commands and calls are not delivered yet: {told}",
                hint="the services that this data is of deliver them within seconds while they"
                " run: start those with `migrator up`, then stop them",
            )

    def take_shared_state(self, old: Division) -> None:
        """What processes of an old service share goes to every service that has that variable."""
        for name, part in self.parts.items():
            wanted = set(part.shared_state)
            target = self.folder / name / "state.db"
            for before, theirs in sorted(old.parts.items()):
                source = old.folder / before / "state.db"
                common = sorted(wanted & set(theirs.shared_state))
                if common and source.is_file() and target.is_file():
                    _copy_state(source, target, common)
                    wanted -= set(common)


def require_same_tables(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless both ways of dividing (table to service) are of one whole."""
    only_old, only_new = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    if only_old or only_new:
        what = ", ".join(only_old or only_new)
        raise ConfigurationError(
            f"the data has {what}, which no service owns now"
            if only_old
            else f"the services own {what}, which the data does not have",
            hint="both have to be generated from the same code; `migrator up --fresh` begins anew",
        )


def require_equal(before: Digests, after: Digests, where: Path) -> None:
    """Raise OperationError, naming tables, unless all rows are the same."""
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


def digests(database: Path, tables: Iterable[str]) -> Digests:
    """Table to its number of rows and a digest of them, whatever their order of columns."""
    found: Digests = {}
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


def _count(database: Path, table: str) -> int:
    if not database.is_file():
        return 0
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return 0
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


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


def _record(services: Mapping[str, RunningService]) -> Record:
    """How these services own the tables, and what the tables look like."""
    seen = hashlib.sha256()
    for _, service in sorted(services.items()):
        for script in sorted((service.folder / "migrations").glob("[0-9]*.sql")):
            seen.update(script.read_bytes())
    return Record(
        digest=seen.hexdigest(),
        parts={
            name: Part(
                tables=sorted(service.manifest.tables),
                shared_state=sorted(service.manifest.shared_state),
                folders=sorted(service.manifest.folders),
            )
            for name, service in sorted(services.items())
        },
    )
