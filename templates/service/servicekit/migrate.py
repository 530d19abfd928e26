"""`python -m servicekit.migrate`: makes and repairs the service's three database files.

Idempotent. `--new-epoch` says that `service.db` is another than siblings knew (restored from a
backup, filled by hand), so that they take new snapshots instead of going on from their cursors.
"""

from __future__ import annotations

import argparse
import fcntl
import glob
import hashlib
import os
import re
import sqlite3
import sys
import uuid
from typing import Dict, Iterator, List, Optional

from servicekit import folders, schema, triggers
from servicekit.settings import Settings, settings
from servicekit.sqlite import connect, immediate, quoted


class MigrationError(Exception):
    """The database cannot be brought to what the migrations say."""


def migrate(own: Settings, new_epoch: bool = False) -> None:
    """Bring `service.db`, `replicas.db` and `state.db` to what manifest and migrations say.

    Raises `MigrationError`, with what to do, when `service.db` is no database or a migration fails.
    """
    os.makedirs(own.data, exist_ok=True)
    with open(own.file("migrate.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            _service(own, new_epoch)
        except sqlite3.DatabaseError as error:
            raise MigrationError(
                "%s: %s; restore it from a backup, or remove it to start empty"
                % (own.file("service.db"), error)
            ) from error
        _rebuilt_if_broken(own.file("replicas.db"), lambda: _replicas(own))
        _rebuilt_if_broken(own.file("state.db"), lambda: _state(own))
        folders.prepare(own)


def statements(script: str) -> Iterator[str]:
    """The single statements of an SQL script; triggers with their `;` inside stay whole."""
    pending = ""
    for piece in re.split("(?<=;)", script):
        pending += piece
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def scripts(own: Settings) -> List[str]:
    """The numbered migrations of `service.db`, in order."""
    return sorted(glob.glob(os.path.join(own.migrations, "[0-9]*.sql")))


def digest_of(path: str) -> str:
    """The digest that a migration is recorded with."""
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def expected_outbox(own: Settings, connection: sqlite3.Connection) -> Dict[str, str]:
    """Name to text of every outbox trigger that the published tables need."""
    wanted: Dict[str, str] = {}
    for table, owned in own.part("tables").items():
        if owned.get("published"):
            columns = [name for name, _ in triggers.columns_of(connection, table)]
            if not columns:
                raise MigrationError("no migration makes the owned table %s" % table)
            wanted.update(triggers.outbox_triggers(table, columns, owned["key"]))
    return wanted


def present_triggers(connection: sqlite3.Connection, prefix: str) -> Dict[str, str]:
    """Name to text of the triggers in a file whose name begins with `prefix`."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: sql for name, sql in rows if name.startswith(prefix)}


def _service(own: Settings, new_epoch: bool) -> None:
    connection = connect(own.file("service.db"))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        with immediate(connection):
            schema.rename_old(connection)
            for statement in schema.SERVICE:
                connection.execute(statement)
            if "relative" not in dict(triggers.columns_of(connection, "_undo")):
                connection.execute("ALTER TABLE _undo ADD relative TEXT NOT NULL DEFAULT '[]'")
        applied = dict(connection.execute("SELECT name, digest FROM _service_migrations"))
        for path in scripts(own):
            if os.path.basename(path) not in applied:
                _apply(connection, path)
        with immediate(connection):
            changed = _align(connection, expected_outbox(own, connection), triggers.OUTBOX_PREFIX)
            _stamp(connection, new_epoch or changed)
    finally:
        connection.close()


def _apply(connection: sqlite3.Connection, path: str) -> None:
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as stream:
        script = stream.read()
    try:
        with immediate(connection):
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(
                "INSERT OR REPLACE INTO _service_migrations VALUES (?, ?)", (name, digest_of(path))
            )
    except sqlite3.Error as error:
        raise MigrationError("%s: %s" % (path, error)) from error


def _align(connection: sqlite3.Connection, wanted: Dict[str, str], prefix: str) -> bool:
    """Make the triggers of one kind those that are wanted; True when anything had to change."""
    present = present_triggers(connection, prefix)
    for name, sql in present.items():
        if wanted.get(name) != sql:
            connection.execute("DROP TRIGGER " + quoted(name))
    missing = [name for name in wanted if present.get(name) != wanted[name]]
    for name in missing:
        connection.execute(wanted[name])
    return bool(missing)


def _stamp(connection: sqlite3.Connection, renew: bool) -> None:
    """Record the schema; a life in which events may have been missed gets a new epoch."""
    print_of_schema = schema.fingerprint(connection)
    known = connection.execute("SELECT epoch FROM _feed").fetchone()
    epoch = known[0] if known and not renew else uuid.uuid4().hex
    connection.execute("DELETE FROM _feed")
    connection.execute("INSERT INTO _feed VALUES (?, ?)", (epoch, print_of_schema))


def _replicas(own: Settings) -> None:
    path = os.path.join(own.migrations, "replicas.sql")
    connection = connect(own.file("replicas.db"))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        with immediate(connection):
            schema.rename_old(connection)
            for statement in schema.REPLICAS:
                connection.execute(statement)
            if os.path.exists(path):
                _replica_tables(connection, path)
            guards: Dict[str, str] = {}
            for table, replica in own.part("replicas").items():
                if not triggers.columns_of(connection, table):
                    raise MigrationError("%s does not make the replica %s" % (path, table))
                guards.update(triggers.guard_triggers(table, replica["owner"]))
            _align(connection, guards, triggers.GUARD_PREFIX)
    finally:
        connection.close()


def _replica_tables(connection: sqlite3.Connection, path: str) -> None:
    """Replicas are copies: when their DDL changes they are dropped, made and filled anew."""
    known = connection.execute(
        "SELECT digest FROM _service_migrations WHERE name = 'replicas'"
    ).fetchone()
    digest = digest_of(path)
    if known and known[0] == digest:
        return
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for (name,) in rows:
        if name not in schema.OWN:
            connection.execute("DROP TABLE " + quoted(name))
    connection.execute("DELETE FROM _cursors")
    with open(path, encoding="utf-8") as stream:
        for statement in statements(stream.read()):
            connection.execute(statement)
    connection.execute(
        "INSERT OR REPLACE INTO _service_migrations VALUES ('replicas', ?)", (digest,)
    )


def _state(own: Settings) -> None:
    connection = connect(own.file("state.db"))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in schema.STATE:
            connection.execute(statement)
    finally:
        connection.close()


def _rebuilt_if_broken(path: str, make) -> None:  # type: ignore[no-untyped-def]
    """Make a file that holds nothing that cannot be had again; start over when it is spoilt."""
    try:
        make()
    except sqlite3.DatabaseError:
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        make()


def main(arguments: Optional[List[str]] = None) -> int:
    """The command line; 0 done, 1 the database cannot be migrated."""
    parser = argparse.ArgumentParser(prog="python -m servicekit.migrate", description=__doc__)
    parser.add_argument("--new-epoch", action="store_true", help="siblings take new snapshots")
    chosen = parser.parse_args(arguments)
    try:
        migrate(settings(), chosen.new_epoch)
    except MigrationError as error:
        print("error: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
