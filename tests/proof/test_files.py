"""Files of both sides, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.model.manifest import ServiceManifest, UsedFolder
from migrator.proof.files import file_differences, read_files, read_folders

MANIFEST = ServiceManifest(
    name="people",
    application="shop:app",
    folders={
        "uploads": UsedFolder(owner="people", writes=True),
        "{data}/media": UsedFolder(owner="people", writes=True),
        "index": UsedFolder(owner="people", writes=True, kind="index"),
    },
)
FIRST = {
    "uploads/fixed": "same",
    "uploads/stamped": "10:31",
    "uploads/3f.png": "a",
    "{data}/media/film": "b",
    "index/seg1": "x",
    "static/page.css": "y",
}
SECOND = {
    "uploads/fixed": "same",
    "uploads/stamped": "10:32",
    "uploads/77.png": "c",
    "{data}/media/film": "b",
    "index/seg2": "x",
    "static/page.css": "y",
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder


def digests(folder: Path, files: dict[str, str]) -> dict[str, str]:
    project = {p: c for p, c in files.items() if not p.startswith("{data}/")}
    data = {p.removeprefix("{data}/"): c for p, c in files.items() if p.startswith("{data}/")}
    return read_files(written(folder / "sources", project), written(folder / "data", data))


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ({**FIRST, "uploads/stamped": "10:59", "index/seg1": "other"}, []),
        ({**FIRST, "uploads/fixed": "changed"}, ["folder uploads of people, file fixed"]),
        ({"uploads/4.png": "d", **SECOND}, ["folder uploads of people, file (all)"]),
        (
            {p: c for p, c in FIRST.items() if p not in ("uploads/fixed", "{data}/media/film")},
            ["folder uploads of people, file fixed", "folder {data}/media of people, file film"],
        ),
    ],
    ids=["as the monolith", "another content", "one too many", "lost"],
)
def test_what_differs(tmp_path: Path, ours: dict[str, str], expected: list[str]) -> None:
    first, second = digests(tmp_path / "1", FIRST), digests(tmp_path / "2", SECOND)
    folders = written(tmp_path / "services", ours)
    found = file_differences((first, second), read_folders(folders, [MANIFEST]))
    assert sorted(each.where for each in found) == sorted(expected)
