"""The data of a running system as a whole: owned tables together, replicas against owners."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from migrator.model.manifest import ServiceManifest
from migrator.operation.system import RunningSystem
from migrator.proof.tables import Content, TableDifference, differences, read_tables

COMMANDS = "_commands"
"""Deferred commands that have not reached their owner yet, in each service's database."""


def manifests(system: RunningSystem) -> dict[str, ServiceManifest]:
    """Every service's manifest, by name."""
    return {name: service.manifest for name, service in system.services.items()}


def replica_database(system: RunningSystem, service: str) -> Path:
    """The file of a service's replicas."""
    return system.services[service].data / "replicas.db"


def owned_tables(system: RunningSystem) -> tuple[dict[str, Content], dict[str, str]]:
    """The content of all owned tables of all services, and the owner of each."""
    tables: dict[str, Content] = {}
    owners: dict[str, str] = {}
    for name, service in system.services.items():
        tables.update(read_tables(service.database, service.manifest.tables))
        owners.update(dict.fromkeys(service.manifest.tables, name))
    return tables, owners


def replica_differences(system: RunningSystem) -> tuple[int, list[TableDifference]]:
    """The number of replicas in the system, and every row in which one is not as its owner."""
    count = 0
    found: list[TableDifference] = []
    for name, service in system.services.items():
        copies = service.manifest.replicas
        if not copies:
            continue
        count += len(copies)
        held = read_tables(replica_database(system, name), copies)
        for table, replica in copies.items():
            owner = system.services[replica.owner]
            expected = read_tables(owner.database, [table])
            # A replica has no constraints, so that the key is the owner's.
            here = {
                table: Content(
                    columns=held[table].columns, key=expected[table].key, rows=held[table].rows
                )
            }
            found.extend(
                differences(expected, here, set(), {table: f"{replica.owner} (copy of {name})"})
            )
    return count, found


def loose_replicas(manifests: Mapping[str, ServiceManifest]) -> dict[str, list[str]]:
    """Service to its replicas that a request need not catch up with, as its plan says."""
    found = {
        name: sorted(t for t, r in manifest.replicas.items() if r.freshness != "strict")
        for name, manifest in sorted(manifests.items())
    }
    return {name: tables for name, tables in found.items() if tables}


def await_arrival(system: RunningSystem, seconds: float = 5.0) -> None:
    """Wait until loose replicas have what their owners have committed, or the time is over."""
    end = time.monotonic() + seconds
    for name, tables in loose_replicas(manifests(system)).items():
        replicas = system.services[name].manifest.replicas
        for owner in sorted({replicas[table].owner for table in tables}):
            head = _one(system.services[owner].database, _HEAD)
            while time.monotonic() < end:
                if _one(replica_database(system, name), _CURSOR, owner) >= head:
                    break
                time.sleep(0.005)


_HEAD = "SELECT seq FROM sqlite_sequence WHERE name = '_outbox'"
_CURSOR = "SELECT seq FROM _cursors WHERE owner = ?"


def _one(database: Path, query: str, *values: str) -> int:
    with closing(sqlite3.connect(database, timeout=30)) as db:
        row = db.execute(query, values).fetchone()
    return int(row[0]) if row else 0


def waiting_commands(system: RunningSystem) -> int:
    """Deferred commands in all services that no owner has applied yet."""
    waiting = 0
    for service in system.services.values():
        with closing(sqlite3.connect(service.database, timeout=30)) as db:
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (COMMANDS,)).fetchone()
            if known:
                waiting += db.execute(f"SELECT count(*) FROM {COMMANDS}").fetchone()[0]
    return waiting


def failed_commands(system: RunningSystem) -> list[str]:
    """Why deferred commands could not be run at their owner, as it recorded each.

    What the command's own code raised is not meant: nobody used that in the monolith either.
    """
    why: list[str] = []
    for service in system.services.values():
        with closing(sqlite3.connect(service.database, timeout=30)) as db:
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = '_calls'").fetchone()
            rows = db.execute("SELECT answer FROM _calls WHERE digest = ''") if known else ()
            raised = [json.loads(answer).get("exception") for (answer,) in rows]
        why.extend(each for each in raised if isinstance(each, str))
    return why


def settle(system: RunningSystem, seconds: float = 20.0) -> tuple[int, list[TableDifference]]:
    """Wait until all commands are applied and all replicas equal, or the time is over.

    What is left then, as `replica_differences` says it; a command that nobody applies, or that
    its owner could not run, is a difference of its own.
    """
    end = time.monotonic() + seconds
    while True:
        waiting = waiting_commands(system)
        count, found = replica_differences(system)
        if (not waiting and not found) or time.monotonic() > end:
            break
        time.sleep(0.1)
    lost = [f"failed: {why}" for why in failed_commands(system)]
    if waiting:
        lost.append(f"{waiting} waiting after {seconds:.0f} s")
    found.extend(
        TableDifference(table=COMMANDS, row="", column="(rows)", expected="all applied", found=each)
        for each in lost
    )
    return count, found
