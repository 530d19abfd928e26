from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from migrator.model.errors import OperationError
from migrator.operation.environment import installed, make_environment, uv_variables


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "lib/wording").mkdir(parents=True)
    (root / "lib/wording/__init__.py").write_text(
        "import blinker\ntry:\n    import itsdangerous\nexcept ImportError: ...\nWORD = 'hello'\n"
    )
    (root / "lib/pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "wording"\nversion = "1.5"\n'
        '[project.scripts]\nword = "wording:WORD"\n'
    )
    (root / "more.txt").write_text("itsdangerous==2.2.0\n")
    (root / "requirements.txt").write_text("-r more.txt\n")
    return root


def test_made_once_and_asked_for_its_distributions(project: Path, tmp_path: Path) -> None:
    lines = ["-r requirements.txt", "-e ./lib"]
    before = sorted(project.rglob("*"))
    made = make_environment(tmp_path / "cache", "python3", lines, project, ensure=("blinker",))
    assert sorted(project.rglob("*")) == before
    found = {each.name: each for each in installed(made).distributions}
    assert found["itsdangerous"].version == "2.2.0"
    assert found["itsdangerous"].imports == ("itsdangerous",)
    assert found["wording"].scripts == ("word",)
    assert found["wording"].loads == ("blinker",)
    assert "blinker" in found
    said = subprocess.run(
        [made.python, "-c", "import wording; print(wording.WORD)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert said.stdout == "hello\n"

    (made.folder / "mark").touch()
    again = make_environment(tmp_path / "cache", "python3", lines, project, ensure=("blinker",))
    assert (again.folder / "mark").exists()
    (project / "more.txt").write_text("itsdangerous==2.1.2\n")
    changed = make_environment(tmp_path / "cache", "python3", lines, project, ensure=("blinker",))
    assert changed.folder != made.folder


def test_two_at_the_same_time_make_one(project: Path, tmp_path: Path) -> None:
    made = []
    threads = [
        threading.Thread(
            target=lambda: made.append(
                make_environment(tmp_path / "cache", "python3", ["-r requirements.txt"], project)
            )
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert len({each.folder for each in made}) == 1
    assert installed(made[0]).distributions[0].name == "itsdangerous"


def test_services_need_hashes(project: Path, tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="not installed") as caught:
        make_environment(
            tmp_path / "cache", "python3", ["-r requirements.txt"], project, hashes=True
        )
    assert "hash" in caught.value.log_tail
    assert not [each for each in (tmp_path / "cache").iterdir() if each.is_dir()]


def test_what_cannot_be_installed(project: Path, tmp_path: Path) -> None:
    with pytest.raises(OperationError, match=r"install names nothing\.txt, which is not there"):
        make_environment(tmp_path / "cache", "python3", ["-r nothing.txt"], project)
    with pytest.raises(OperationError) as caught:
        make_environment(tmp_path / "cache", "python9.9", [], project)
    assert "`python`" in caught.value.hint


def test_uv_is_told_what_pip_is_told(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nextra-index-url = http://a/ http://b/\ncert=/c\n")
    given = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_FIND_LINKS": "/w /x"}
    told = uv_variables({**given, "HOME": str(tmp_path), "SSL_CERT_FILE": "/mine"})
    assert told["UV_INDEX"] == "http://a/ http://b/"
    assert told["UV_FIND_LINKS"] == "/w,/x"
    assert told["SSL_CERT_FILE"] == "/mine"
    assert "VIRTUAL_ENV" not in uv_variables({**os.environ, "VIRTUAL_ENV": "/v"})


def test_environments_that_are_made_at_once_do_not_look_for_uv_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the library asks for it is half filled while another thread asks first."""
    inside, most = 0, 0

    def find() -> str:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.2)
        inside -= 1
        return "false"

    monkeypatch.setattr("migrator.operation.environment.uv.find_uv_bin", find)

    def make(name: str) -> None:
        with pytest.raises(OperationError):
            make_environment(tmp_path / name, "python3", ["flask"], tmp_path)

    made = [threading.Thread(target=make, args=(name,)) for name in "abc"]
    for thread in made:
        thread.start()
    for thread in made:
        thread.join()
    assert most == 1


def test_what_is_ensured_gives_way_to_what_is_asked_for_by_name(tmp_path: Path) -> None:
    """What only came along in a newer version is replaced, and what is pinned stays."""
    versions = []
    for number, lines in enumerate((["gunicorn==20.0.4"], ["gunicorn==20.0.4", "setuptools==82"])):
        made = make_environment(
            tmp_path / str(number), "python3", lines, tmp_path, ensure=("setuptools<81",)
        )
        found = {each.name: each.version for each in installed(made).distributions}
        versions.append(int(found["setuptools"].partition(".")[0]))
    assert versions[0] < 81
    assert versions[1] == 82


def test_a_name_that_starts_nothing_is_the_interpreter_that_pyenv_keeps(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version manager puts a name on PATH also where no version of it is chosen."""
    name = f"python3.{sys.version_info[1]}"
    kept = tmp_path / "pyenv/versions/3/bin" / name
    shim = tmp_path / "shims" / name
    for each in (kept, shim):
        each.parent.mkdir(parents=True)
    kept.symlink_to(sys.executable)
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", f"{shim.parent}:/usr/bin:/bin")
    made = make_environment(tmp_path / "cache", name, [], project)
    assert made.python.exists()
