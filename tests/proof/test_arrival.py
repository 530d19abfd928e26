"""Copies that the plan lets be late: requests are compared when they have arrived."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from migrator.model.manifest import Freshness, ReplicaTable, ServiceManifest
from migrator.proof.replicas import await_arrival, loose_replicas


def execute(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


@pytest.fixture
def pair(tmp_path: Path) -> Any:
    """An owner whose feed is at 2, and a service whose replica of it is at 1."""
    for name in ("owner", "reader"):
        (tmp_path / name).mkdir()
    execute(
        tmp_path / "owner/service.db",
        "CREATE TABLE _outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO _outbox VALUES (2)",
    )
    execute(
        tmp_path / "reader/replicas.db",
        "CREATE TABLE _cursors (owner, epoch, seq)",
        "INSERT INTO _cursors VALUES ('owner', 'e', 1)",
    )

    def made(freshness: Freshness) -> SimpleNamespace:
        copy = ReplicaTable(owner="owner", key=["id"], freshness=freshness)
        manifests = {
            "owner": ServiceManifest(name="owner", application="a:b"),
            "reader": ServiceManifest(name="reader", application="a:b", replicas={"cats": copy}),
        }
        return SimpleNamespace(
            services={
                name: SimpleNamespace(
                    manifest=manifest,
                    data=tmp_path / name,
                    database=tmp_path / name / "service.db",
                )
                for name, manifest in manifests.items()
            }
        )

    return SimpleNamespace(made=made, replicas=tmp_path / "reader/replicas.db")


def test_a_late_copy_is_waited_for(pair: Any) -> None:
    system = pair.made("eventual")
    begun = time.monotonic()
    await_arrival(system, 0.1)
    assert time.monotonic() - begun >= 0.1
    arriving = threading.Timer(0.1, execute, [pair.replicas, "UPDATE _cursors SET seq = 2"])
    arriving.start()
    begun = time.monotonic()
    await_arrival(system, 20)
    assert 0.05 < time.monotonic() - begun < 15


def test_a_strict_copy_is_not_waited_for(pair: Any) -> None:
    system = pair.made("strict")
    assert loose_replicas({n: s.manifest for n, s in system.services.items()}) == {}
    begun = time.monotonic()
    await_arrival(system, 20)
    assert time.monotonic() - begun < 10
