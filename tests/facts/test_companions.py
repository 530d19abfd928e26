"""Companions are outside systems that happen to lie in the same folder: they are not analysed."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.facts.project import digests_of, read_project
from migrator.model.progress import Silent
from migrator.model.settings import Run, Settings


@pytest.mark.parametrize(
    "command", ["python provider/server.py --port {port:p}", "python -m provider.server"]
)
def test_companions_are_left_out(tmp_path: Path, command: str) -> None:
    (tmp_path / "provider").mkdir()
    (tmp_path / "provider" / "server.py").write_text("charges = {}\n")
    (tmp_path / "shop.py").write_text("import flask\n")
    run = Run(application="shop:app", companions={"provider": command})
    settings = Settings(run=run)
    project = read_project(tmp_path, settings, Silent())
    assert list(project.modules) == ["shop"]
    before = digests_of(tmp_path, settings)
    (tmp_path / "provider" / "server.py").write_text("charges = []\n")
    assert digests_of(tmp_path, settings) == before
