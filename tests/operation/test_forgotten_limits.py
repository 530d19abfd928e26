"""What a service has counted of its clients is forgotten, and nothing else that it shares."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from migrator.operation.process import Processes
from migrator.operation.service import RunningService


def test_only_the_counts_of_rate_limits_go(tmp_path: Path) -> None:
    folder, data = tmp_path / "mill", tmp_path / "data" / "mill"
    folder.mkdir()
    data.mkdir(parents=True)
    manifest = {
        "name": "mill",
        "application": "mill:app",
        "database_variable": "DATABASE_URL",
        "shared_state": ["mill.limiter", "mill.sacks"],
        "rate_limits": ["mill.limiter"],
    }
    (folder / "service.json").write_text(json.dumps(manifest))
    with sqlite3.connect(data / "state.db") as state:
        state.execute("CREATE TABLE _items (name TEXT, key BLOB, value BLOB)")
        names = [("mill.limiter",), ("mill.limiter",), ("mill.sacks",)]
        state.executemany("INSERT INTO _items (name) VALUES (?)", names)
    state.close()
    with Processes(tmp_path / "processes.json") as processes:
        service = RunningService(folder, data, tmp_path / "logs", processes, 1)
        service.forget_rate_limits()
    with sqlite3.connect(data / "state.db") as state:
        assert state.execute("SELECT name FROM _items").fetchall() == [("mill.sacks",)]
