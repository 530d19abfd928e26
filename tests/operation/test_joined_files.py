"""Files that services have written and taken away, when their data is one monolith's again."""

from __future__ import annotations

import os
from pathlib import Path

from migrator.model.manifest import ServiceManifest, UsedFolder
from migrator.operation import shared_folders
from migrator.operation.split import join_files, times_of
from migrator.operation.start_state import StartState
from migrator.operation.tree import copy_project, files_of


def put(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def state(folder: Path) -> StartState:
    made = StartState(folder)
    made.data.mkdir(parents=True)
    made.database.touch()
    return made


def test_what_a_service_took_away_of_the_sources_stays_away(tmp_path: Path) -> None:
    root = put(tmp_path / "shop", "app.py", "pictures/shipped.png", "pictures/kept.png")
    manifests = [
        ServiceManifest(
            name="gallery",
            application="shop:app",
            folders={"pictures": UsedFolder(owner="gallery")},
        )
    ]
    start = state(tmp_path / "start")
    put(start.project, "pictures/seeded.png")
    folders = tmp_path / "folders"
    shared_folders.fill(folders, start, root, manifests)
    for taken in ("shipped.png", "seeded.png"):
        (folders / "pictures" / taken).unlink()
    put(folders, "pictures/new.png")

    joined = state(tmp_path / "joined")
    shared_folders.join(folders, joined, root, ["pictures"])
    copied = joined.lay_into(copy_project(root, tmp_path / "running"))
    assert sorted(files_of(copied)) == ["app.py", "pictures/kept.png", "pictures/new.png"]

    again = joined.copy_to(tmp_path / "again")
    shared_folders.fill(tmp_path / "divided", again, root, manifests)
    assert sorted(files_of(tmp_path / "divided")) == ["pictures/kept.png", "pictures/new.png"]

    put(tmp_path / "divided", "pictures/shipped.png")
    later = state(tmp_path / "later")
    shared_folders.join(tmp_path / "divided", later, root, ["pictures"])
    assert "pictures/shipped.png" in files_of(later.lay_into(copy_project(root, tmp_path / "new")))


def test_of_copies_the_newest_counts_and_one_taken_away_is_gone(tmp_path: Path) -> None:
    one, two = (put(tmp_path / name, "same", "gone", "rewritten", "both") for name in "ab")
    for folder in (one, two):
        for path in files_of(folder):
            os.utime(folder / path, ns=(1, 1))
    given = {folder: times_of(folder) for folder in (one, two)}
    for folder, path in ((one, "gone"), (one, "rewritten"), (one, "both"), (two, "both")):
        (folder / path).unlink()
    (two / "rewritten").write_text("anew")
    put(one, "new")

    join_files(given, tmp_path / "joined")
    assert sorted(files_of(tmp_path / "joined")) == ["new", "rewritten", "same"]
    assert (tmp_path / "joined" / "rewritten").read_text() == "anew"
