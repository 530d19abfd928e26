"""Distributions beside the application that take no part in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.facts.project import read_project
from migrator.model.progress import Silent
from migrator.model.settings import Run, Settings

FILES = {
    "app.py": "app = 1\n",
    "plugin/setup.py": "import setuptools\n",
    "plugin/talks/__init__.py": "",
    "plugin/talks/models.py": "from app import app\n",
}


def modules(root: Path, run: Run | None, **more: str) -> tuple[list[str], list[str]]:
    for name, text in {
        **FILES,
        **{n.replace("__", "/") + ".py": t for n, t in more.items()},
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    project = read_project(root, Settings(run=run), Silent())
    known = [each for each in project.modules if each.startswith(("talks", "plugin.talks"))]
    return known, [each.file for each in project.skipped]


def test_one_that_nobody_imports_or_installs_is_left_out_and_told(tmp_path: Path) -> None:
    assert modules(tmp_path, Run(application="app:app")) == ([], ["plugin"])


@pytest.mark.parametrize(
    ("run", "more"),
    [
        (None, {}),
        (Run(application="app:app", install=["-e plugin"]), {}),
        (Run(application="talks:app"), {}),
        (Run(application="app:app"), {"shop": "import talks.models\n"}),
    ],
    ids=["nothing known", "installed", "the application", "imported"],
)
def test_one_that_may_take_part_is_read(
    tmp_path: Path, run: Run | None, more: dict[str, str]
) -> None:
    known, skipped = modules(tmp_path, run, **more)
    assert known and not skipped
