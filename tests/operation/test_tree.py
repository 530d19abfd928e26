"""Copies of the monolith's files, and what it writes into them."""

from __future__ import annotations

import os
from pathlib import Path

from migrator.operation.start_state import StartState
from migrator.operation.tree import copy_project, written


def test_what_a_run_writes_is_kept_and_the_project_stays_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    for path in ("app.py", ".git/config", "uploads/old.png", "env/pyvenv.cfg", ".flaskenv"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    state = StartState(tmp_path / "state")
    (state.project / "uploads").mkdir(parents=True)
    (state.project / "uploads" / "seeded.png").write_text("seeded")
    copied = state.lay_into(copy_project(root, tmp_path / "copy"))
    names = {p.relative_to(copied).as_posix() for p in copied.rglob("*") if p.is_file()}
    assert names == {"app.py", "uploads/old.png", ".flaskenv", "uploads/seeded.png"}
    (copied / "uploads" / "old.png").write_text("drawn anew")
    (copied / "app.log").write_text("a line")
    os.utime(copied / "app.py")
    assert written(root, copied) == ["uploads/old.png", "uploads/seeded.png"]
    assert (root / "uploads" / "old.png").read_text() == "uploads/old.png"
