"""Habits of Flask and SQLAlchemy programs: a tiny program of each, and its effects as text.

A file in `habits/` is the program's `app.py`, further files each after a line `## PATH`, and after
a line of `=` what its entry points do. The effects were checked by hand against the code.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from analysed import effects_as_text, graph_of

HABITS = sorted((Path(__file__).parent / "habits").glob("*.txt"))


@pytest.mark.parametrize("habit", HABITS, ids=lambda path: path.stem)
def test_effects(tmp_path: Path, habit: Path) -> None:
    code, _, expected = habit.read_text().partition("\n=====\n")
    parts = re.split(r"^## (\S+)\n", code, flags=re.MULTILINE)
    for name, text in [("app.py", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert effects_as_text(graph_of(tmp_path).program) == expected
