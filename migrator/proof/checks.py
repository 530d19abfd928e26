"""What is tried on running services beyond their traffic; each check is one function in a table."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from migrator.model.errors import OperationError
from migrator.operation.system import RunningSystem
from migrator.proof.freshness import find_canaries, patient, read_own_writes
from migrator.proof.outage import Probe, answers_as_before, ask, while_stopped
from migrator.proof.replicas import manifests, replica_database, settle
from migrator.proof.result import Check, Stopped

CLIENTS = 8
PAIRS = 2000
LOAD_SECONDS = 5.0


@dataclass
class Trial:
    """A running system with requests that can be repeated on it; what the checks work with."""

    system: RunningSystem
    probes: list[Probe]
    monolith_database: Path
    least_kept: float = 0.0
    """Of all routes, the share that must go on answering whichever service is stopped."""
    stopped: list[Stopped] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self.system.gateway_url

    def as_before(self, probe: Probe) -> list[str]:
        """What a probe's answer differs in now."""
        self.system.forget_rate_limits()
        return answers_as_before(probe, self.url)


Outcome = tuple[str, list[str]]
"""A summary, and what is wrong."""


def monolith_is_gone(trial: Trial) -> Outcome:
    """The monolith's database is away, and no service has or knows another's."""
    problems = []
    if trial.monolith_database.exists():
        problems.append(f"{trial.monolith_database} is still there")
    services = trial.system.services
    looked_at = 0
    for name, service in services.items():
        foreign = [str(other.data) for sibling, other in services.items() if sibling != name]
        for process in service.running.values():
            looked_at += 1
            for pid in [process.pid, *_children(process.pid)]:
                problems += _known_paths(pid, foreign, f"{name} {process.name}")
    return f"{looked_at} processes know no database but their own", problems


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _known_paths(pid: int, foreign: list[str], who: str) -> list[str]:
    try:
        process = psutil.Process(pid)
        opened = [each.path for each in process.open_files()]
        told = [f"{name}={value}" for name, value in process.environ().items()]
    except psutil.Error:
        return []
    return [
        f"{who}: {text}"
        for text in opened + told
        if any(f"{path}{os.sep}" in text or text.endswith(path) for path in foreign)
    ]


def replicas_refuse_writes(trial: Trial) -> Outcome:
    """A write to a replica is refused in each service, naming table and owner."""
    problems = []
    tried = 0
    for name, service in trial.system.services.items():
        for table, replica in service.manifest.replicas.items():
            tried += 1
            quoted = '"' + table.replace('"', '""') + '"'
            with closing(sqlite3.connect(replica_database(trial.system, name), timeout=30)) as db:
                try:
                    db.execute(f"INSERT INTO {quoted} DEFAULT VALUES")
                except sqlite3.DatabaseError as error:
                    if table not in str(error) or replica.owner not in str(error):
                        problems.append(f"{name}: the refusal does not name them: {error}")
                else:
                    db.rollback()
                    problems.append(f"{name}: a write to the replica of {table} was accepted")
    return f"{tried} replicas refuse writes, naming table and owner", problems


def own_writes_are_read(trial: Trial) -> Outcome:
    """Eight concurrent clients write at an owner and read elsewhere at once."""
    databases = trial.system.databases
    asked = patient(trial.url, trial.system.forget_rate_limits)
    canaries = find_canaries(asked, manifests(trial.system), databases, trial.probes)
    pairs = read_own_writes(asked, databases, canaries, CLIENTS, PAIRS)
    settle(trial.system)
    if not canaries:
        return "no replica's text shows in any answer: nothing to read back", []
    summary = (
        f"{pairs.pairs} pairs of write and read by {CLIENTS} clients on {pairs.canaries} columns,"
        f" {len(pairs.stale)} stale"
    )
    return summary, pairs.stale


def each_service_stopped(trial: Trial) -> Outcome:
    """Each service stopped in turn: what depends on it answers 503, the rest as before."""
    problems = []
    for name in trial.system.services:
        trial.system.stop_service(name, grace=0)
        try:
            found, wrong = while_stopped(
                name,
                trial.probes,
                trial.url,
                manifests(trial.system),
                trial.system.forget_rate_limits,
            )
        finally:
            trial.system.start_service(name)
        trial.stopped.append(found)
        problems += [f"{name} stopped: {each}" for each in wrong]
        share = found.kept / found.routes if found.routes else 1.0
        if share < trial.least_kept:
            problems.append(f"{name} stopped: only {found.kept} of {found.routes} routes are kept")
    least = min((each.kept / each.routes for each in trial.stopped if each.routes), default=1.0)
    asked = sum(each.probed for each in trial.stopped)
    return f"at least {least:.0%} of the routes kept, {asked} requests asked", problems


def each_database_spoilt(trial: Trial) -> Outcome:
    """Each database overwritten with garbage in turn, then restored from its backup."""
    problems = []
    for name, service in trial.system.services.items():
        trial.system.backup(name)
        _spoil(service.database)
        spared = [each for each in trial.probes if each.service != name and name not in each.needs]
        for probe in spared:
            problems += [f"{name} spoilt: {each}" for each in trial.as_before(probe)]
        trial.system.restore(name)
        _, differing = settle(trial.system)
        problems += [f"{name} restored: replica {d.table} of {d.owner}: {d}" for d in differing]
        for probe in trial.probes:
            if probe.service == name:
                wrong = trial.as_before(probe)
                problems += [f"{name} restored: {each}" for each in wrong]
    return f"{len(trial.system.services)} databases spoilt and restored", problems


def _spoil(database: Path) -> None:
    noise = random.Random(database.name).randbytes
    for path in (database, database.with_name(database.name + "-wal")):
        if path.exists():
            with path.open("r+b") as file:
                file.write(noise(max(path.stat().st_size, 4096)))


def feeds_reset(trial: Trial) -> Outcome:
    """Each owner's feed reset in turn: its readers notice and take a new copy."""
    problems = []
    count = 0
    for name, service in trial.system.services.items():
        if any(table.published for table in service.manifest.tables.values()):
            count += 1
            trial.system.reset_feed(name)
            _, differing = settle(trial.system)
            problems += [f"{name} reset: replica {d.table} of {d.owner}: {d}" for d in differing]
    for probe in trial.probes:
        problems += trial.as_before(probe)
    return f"{count} feeds reset, all replicas equal their owners", problems


def workers_killed(trial: Trial) -> Outcome:
    """`kill -9` of processes under load: afterwards every replica equals its owner."""
    over = threading.Event()
    asked: list[int] = []

    def load() -> None:
        while not over.is_set():
            for probe in trial.probes:
                if over.is_set():
                    return
                asked.append(ask(probe.request, trial.url).status)

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    killed = 0
    try:
        chosen = random.Random(0)
        end = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < end:
            service = trial.system.services[chosen.choice(sorted(trial.system.services))]
            process = chosen.choice(sorted(service.running))
            service.kill(process)
            killed += 1
            service.start_process(process)
            time.sleep(0.2)
    finally:
        over.set()
        for client in clients:
            client.join()
    for service in trial.system.services.values():
        service.wait()
    count, differing = settle(trial.system)
    problems = [f"replica {each.table} of {each.owner}: {each}" for each in differing]
    summary = f"{killed} processes killed under {len(asked)} requests, {count} replicas as owners"
    return summary, problems


CHECKS: dict[str, Callable[[Trial], Outcome]] = {
    "the monolith is gone, and no service knows another's database": monolith_is_gone,
    "writes to replicas are refused": replicas_refuse_writes,
    "own writes are read": own_writes_are_read,
    "each service stopped in turn": each_service_stopped,
    "each database spoilt and restored": each_database_spoilt,
    "each owner's feed reset": feeds_reset,
    "processes killed under load": workers_killed,
}


def run_check(name: str, trial: Trial) -> Check:
    """Run one check of `CHECKS`; what does not start or stop is a problem, not the end."""
    begun = time.monotonic()
    try:
        summary, problems = CHECKS[name](trial)
    except (OperationError, sqlite3.DatabaseError) as error:
        summary, problems = "broken off", [str(error)]
        for service in trial.system.services:
            trial.system.start_service(service)
    return Check(
        name=name,
        passed=not problems,
        summary=summary,
        problems=problems,
        seconds=time.monotonic() - begun,
    )
