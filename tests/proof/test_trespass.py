"""What services refused, read from their logs, and where it stands in the monolith."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from migrator.operation.system import RunningSystem
from migrator.proof.trespass import UNKNOWN, WRITTEN, Trespass, find_trespasses

MONOLITH = """import os


class Book:
    def open(self):
        return 1

    @property
    def closed(self):
        self.page = 0
        commit()
        return True


def note():
    commit()
"""
COPY = """class Book:
    @property
    def closed(self):
        self.page = 0
        commit()
        return True


def note():
    commit()
"""


@pytest.fixture
def system(tmp_path: Path) -> RunningSystem:
    """Two services; `desk` has a copy of the monolith's module with other lines."""
    (tmp_path / "monolith").mkdir()
    (tmp_path / "monolith" / "books.py").write_text(MONOLITH)
    services = {}
    for name, owned in (("desk", ["visits"]), ("shelf", ["books"])):
        (tmp_path / "out" / name / "src").mkdir(parents=True)
        (tmp_path / "logs" / name).mkdir(parents=True)
        services[name] = SimpleNamespace(
            manifest=SimpleNamespace(tables=owned), logs=tmp_path / "logs" / name
        )
    origins = [
        {"name": "books.Book", "file": "books.py", "line": 4, "end_line": 12},
        {"name": "books.note", "file": "books.py", "line": 15, "end_line": 16},
    ]
    (tmp_path / "out" / "desk" / "origin.json").write_text(json.dumps(origins))
    (tmp_path / "out" / "desk" / "src" / "books.py").write_text(COPY)
    return cast(RunningSystem, SimpleNamespace(output=tmp_path / "out", services=services))


def log(system: RunningSystem, *lines: Any) -> None:
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    (system.services["desk"].logs / "web-1.log").write_text(text + "\n")


def stack(system: RunningSystem, line: int) -> str:
    source = system.output / "desk" / "src"
    return (
        f'  File "/usr/lib/flask.py", line 7, in dispatch\n'
        f'  File "{source}/books.py", line {line}, in somewhere\n    commit()\n'
        f'  File "{source}/servicekit/sqlalchemy.py", line 9, in violation\n'
    )


def test_writes_are_counted_by_place(system: RunningSystem, tmp_path: Path) -> None:
    refusal = {"event": WRITTEN, "table": "books", "owner": "shelf", "stack": stack(system, 5)}
    log(system, "[INFO] Starting", refusal, '{"event": 3}', '{"event": "ready"}', refusal)
    (found,) = find_trespasses(system, tmp_path / "monolith")
    assert found == Trespass(
        service="desk", table="books", owner="shelf", written=True, place="books.py:11", count=2
    )
    assert str(found) == (
        "books.py:11: desk uses table books, which shelf owns: a write was refused (2 times)"
    )


def test_a_table_that_is_not_there(system: RunningSystem, tmp_path: Path) -> None:
    log(
        system,
        {"event": UNKNOWN, "table": "books", "stack": stack(system, 10)},
        {"event": UNKNOWN, "table": "letters", "stack": ""},
    )
    known, unknown = find_trespasses(system, tmp_path / "monolith")
    assert (known.owner, known.place, known.written) == ("shelf", "books.py:16", False)
    assert str(unknown) == (
        "desk uses table letters, which nobody owns: it has no copy of it (once)"
    )


def test_nothing_was_refused(system: RunningSystem, tmp_path: Path) -> None:
    log(system, "[INFO] Starting", {"event": "ready", "table": "books"})
    assert find_trespasses(system, tmp_path / "monolith") == []
