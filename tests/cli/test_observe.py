"""`migrator observe` as people call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.cli.main import main
from migrator.facts.observation.records import read_observations

MODULE = """
import sqlite3, sys
def touch():
    sqlite3.connect(":memory:").execute("SELECT 1 FROM sqlite_master")
    print("touched")
if __name__ == "work":
    touch()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(MODULE)
    return tmp_path


def observe(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["observe", *arguments])
    return int(ended.value.code or 0)


def test_runs_the_command_and_keeps_its_records(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [
        "--",
        sys.executable,
        "-c",
        f"import sys; sys.path[0] = {str(project)!r}; import work",
    ]
    assert observe(str(project), *command) == 0
    out, err = capfd.readouterr()
    assert out == "touched\n"
    assert "1 statements" in err and f"migrator analyze {project}" in err.replace("\n", " ")
    assert observe(str(project), *command) == 0
    assert read_observations(project).processes == 2
    assert observe(str(project), "--fresh", *command) == 0
    assert read_observations(project).processes == 1
    assert (project / ".migrator" / ".gitignore").read_text() == "*\n"


def test_exits_as_the_command_does(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert observe(str(project), "--", sys.executable, "-c", "raise SystemExit(7)") == 7
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert observe(str(project), "--", sys.executable, "-c", kill) == 137
    assert "no function of the project ran" in capfd.readouterr().err


def test_json_keeps_the_commands_output_apart(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "migrator", "observe", "--json", "--", sys.executable, "-m", "work"],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["exit_code"] == 0 and summary["processes"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no command to observe"),
        (["--"], "no command to observe"),
        (["--", "no-such-program-anywhere"], "cannot be started"),
        (["no-such-folder", "--", "true"], "is not a folder"),
    ],
)
def test_wrong_use_says_what_to_do(
    project: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project)
    assert observe(*arguments) == 2
    err = capsys.readouterr().err
    assert said in err and "next: migrator observe . -- python -m pytest" in err
