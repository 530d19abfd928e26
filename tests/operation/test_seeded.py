"""A seeded state serves the commands that follow at once, and no others."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from migrator.model.settings import Run
from migrator.operation import seeded
from migrator.operation.start_state import StartState

RUN = Run(application="shop:app", seed="python seed.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text("app = None")
    (folder / "goods.csv").write_text("plum")
    return folder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where states were made anew."""
    folders: list[Path] = []

    def make(root: Path, run: Run, folder: Path, *_: object, **__: object) -> StartState:
        folders.append(folder)
        return StartState(folder)

    monkeypatch.setattr(seeded, "make_start_state", make)
    return folders


def kept(tmp_path: Path, root: Path, run: Run = RUN) -> None:
    state = StartState(tmp_path / "state")
    state.data.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(state.database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS sorts (name)")
    seeded.keep(state, root, run)


def rows(state: StartState) -> list[tuple[str]]:
    with sqlite3.connect(state.database) as connection:
        return connection.execute("SELECT name FROM sqlite_master").fetchall()


def test_the_next_command_starts_from_a_copy(tmp_path: Path, root: Path, made: list[Path]) -> None:
    kept(tmp_path, root)
    state = seeded.start_state(root, RUN, tmp_path / "a", base_url="http://x")
    assert rows(state) == [("sorts",)] and state.folder == tmp_path / "a"
    with sqlite3.connect(state.database) as connection:
        connection.execute("DROP TABLE sorts")
    assert rows(seeded.start_state(root, RUN, tmp_path / "b", base_url="http://x"))
    assert made == []


@pytest.mark.parametrize("change", ["a file", "the settings", "time", "the day", "an address"])
def test_what_makes_it_anew(
    tmp_path: Path,
    root: Path,
    made: list[Path],
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = RUN
    if change == "an address":
        run = replace(RUN, environment={"PUBLIC": "{base_url}/shop"})
    kept(tmp_path, root, run)
    if change == "a file":
        (root / "goods.csv").write_text("pear!")
    elif change == "the settings":
        run = replace(RUN, seed="python other.py")
    elif change == "time":
        later = time.time() - 2000
        os.utime(root / ".migrator" / "seeded.of", (later, later))
    elif change == "the day":
        monkeypatch.setattr(seeded, "today", lambda: "another")
    seeded.start_state(root, run, tmp_path / "a", base_url="http://x")
    assert made == [tmp_path / "a"]
