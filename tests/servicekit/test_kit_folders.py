"""Folders of files: linked to where the code looks for them, and written by their owner only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[2] / "templates" / "service"
FOLDERS = {
    "uploads": {"owner": "photo", "writes": True, "places": ["src/uploads"]},
    "uploads/avatars": {"owner": "user", "writes": False, "places": ["src/uploads/avatars"]},
    "index": {"owner": "user", "writes": False, "kind": "index", "places": ["src/index"]},
    "{data}/media": {"owner": "user", "writes": False},
    "logs": {"owner": "photo", "writes": False, "places": ["src/logs"]},
}
PREPARE = """
from servicekit import folders
from servicekit.settings import settings
folders.prepare(settings())
"""


def run(folder: Path, program: str, **folders: str) -> str:
    manifest = folder / "photo" / "service.json"
    (folder / "photo" / "src").mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"name": "photo", "folders": FOLDERS}))
    environment = {
        "PYTHONPATH": str(SERVICE),
        "SERVICE_MANIFEST": str(manifest),
        "SERVICE_DATA": str(folder / "data"),
        "SERVICE_FILES": str(folder / "data" / "files"),
        "SERVICE_FOLDERS": str(folder / "shared"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PREPARE + program],
        env=environment | folders,
        cwd=folder / "photo" / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout


def test_links_lead_to_where_they_are_kept_also_after_a_move(tmp_path: Path) -> None:
    run(tmp_path, "open('uploads/a.png', 'w').close()")
    source = tmp_path / "photo" / "src"
    assert (tmp_path / "shared" / "uploads" / "a.png").is_file()
    assert (source / "uploads" / "avatars").is_dir()
    assert (tmp_path / "data" / "files" / "media").is_symlink()
    run(tmp_path, "", SERVICE_FOLDERS=str(tmp_path / "elsewhere"))
    assert (source / "uploads").resolve() == (tmp_path / "elsewhere" / "uploads").resolve()


def test_what_is_mounted_in_its_place_stays(tmp_path: Path) -> None:
    mounted = tmp_path / "photo" / "src" / "uploads"
    mounted.mkdir(parents=True)
    run(tmp_path, "open('uploads/a.png', 'w').close()")
    assert not mounted.is_symlink()
    assert (mounted / "a.png").is_file()


GUARDED = """
import os, shutil
from pathlib import Path

class Violation(BaseException):
    pass

folders.install(lambda what, owner: Violation(f"{what} of {owner}"))
try:
    %s
    print("done")
except Violation as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("open('uploads/mine.png', 'w').close()", "done"),
        ("open('uploads/avatars/x.png').read()", "done"),
        ("open('logs/nobody-knew', 'w').close()", "done"),
        ("open('index/made', 'w').close()", "done"),
        ("os.makedirs('uploads/avatars', exist_ok=True)", "done"),
        ("open('uploads/avatars/y.png', 'w')", "folder uploads/avatars of user"),
        ("Path('uploads/avatars/x.png').unlink()", "folder uploads/avatars of user"),
        ("os.mkdir('uploads/avatars/new')", "folder uploads/avatars of user"),
        ("os.rename('uploads/avatars/x.png', 'uploads/x.png')", "folder uploads/avatars of user"),
        ("os.replace('uploads/z.png', 'uploads/avatars/z.png')", "folder uploads/avatars of user"),
        ("open('../../shared/uploads/avatars/y', 'w')", "folder uploads/avatars of user"),
        ("open('../../data/files/media/film', 'ab')", "folder {data}/media of user"),
    ],
)
def test_only_the_owner_writes(tmp_path: Path, action: str, told: str) -> None:
    for path in ("uploads/z.png", "uploads/avatars/x.png"):
        (tmp_path / "shared" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shared" / path).write_text("")
    assert run(tmp_path, GUARDED % action).strip() == told
