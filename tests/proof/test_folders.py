"""The road with files: written by one service, read by another, and there from the start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from migrator.cli.main import main

GALLERY = Path(__file__).parents[1] / "assets" / "gallery"

pytestmark = pytest.mark.slow


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    return ended.value.code


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root, output = (tmp_path_factory.mktemp("gallery") / name for name in ("gallery", "services"))
    shutil.copytree(GALLERY, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    assert run("propose", str(root)) == 0
    assert run("generate", str(root), "-o", str(output)) == 0
    return str(root), str(output)


def test_files_are_equal_and_the_project_is_untouched(
    roots: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = roots
    assert run("verify", root, "--services", output, "--processes", "2", "--quick") == 0
    assert "35 of 35 requests answered equally" in capsys.readouterr().out
    assert [path.name for path in Path(root, "files").rglob("*.txt")] == []


def test_each_step_and_back_keeps_every_file(
    roots: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = roots
    assert run("verify", root, "--services", output, "--steps") == 0, capsys.readouterr().out


def test_a_write_that_analysis_missed_is_refused_and_named(
    roots: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = roots
    manifest = Path(output, "people", "service.json")
    given = json.loads(manifest.read_bytes())
    given["folders"]["files/badges"] |= {"owner": "pictures", "writes": False}
    manifest.write_text(json.dumps(given))
    assert run("verify", root, "--services", output, "--processes", "1", "--quick") == 1
    told = capsys.readouterr().out
    assert "gallery/people.py:20: people uses folder files/badges, which pictures owns" in told
