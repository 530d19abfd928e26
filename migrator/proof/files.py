"""The files that both sides have written, compared: in the folders that the plan gives to services.

Files whose names are made up anew each time are counted, those of an index are searched and not
compared: what it finds shows in answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from migrator.model.manifest import ServiceManifest, UsedFolder
from migrator.operation.tree import files_of
from migrator.proof.tables import TableDifference

Files = dict[str, str]
"""Path of a file, below the project or `{data}/`, to the digest of its content."""

ABSENT = "(absent)"
_DATA = "{data}/"


def read_files(project: Path, data: Path) -> Files:
    """All files of a monolith: below its sources, and in `{data}`."""
    return _digests(project, "") | _digests(data, _DATA)


def read_folders(
    folders: Path, manifests: Iterable[ServiceManifest]
) -> dict[str, tuple[str, Files]]:
    """Path of each folder that services own, with its owner and its files; no index is among them.

    `folders` is where they lie.
    """
    owned: dict[str, UsedFolder] = {}
    for manifest in manifests:
        owned |= manifest.folders
    return {
        path: (folder.owner, _digests(folders / path, f"{path}/"))
        for path, folder in sorted(owned.items())
        if folder.kind != "index"
    }


def file_differences(
    runs: Sequence[Files], folders: Mapping[str, tuple[str, Files]]
) -> list[TableDifference]:
    """How the files of services (`read_folders`) differ from those of the monolith's runs.

    What the monolith's runs do not agree on is not compared: the content of a file, or the number
    of files with other names.
    """
    found = []
    for path, (owner, ours) in folders.items():
        expected = [_within(files, path) for files in runs]
        stable = set.intersection(*map(set, expected))
        for name in sorted(stable):
            contents = {files[name] for files in expected}
            there = ours.get(name, ABSENT)
            if there == ABSENT or (len(contents) == 1 and there not in contents):
                found.append(_difference(path, owner, name, expected[0][name], there))
        counts = {len(files) for files in expected}
        if len(counts) == 1 and len(ours) not in counts and stable <= ours.keys():
            number, there = f"{counts.pop()} files", f"{len(ours)} files"
            found.append(_difference(path, owner, "", number, there))
    return found


def _difference(path: str, owner: str, name: str, expected: str, found: str) -> TableDifference:
    return TableDifference(
        table=f"folder {path}",
        owner=owner,
        row=name.removeprefix(f"{path}/") or "(all)",
        column="content",
        expected=expected,
        found=found,
    )


def _within(files: Mapping[str, str], path: str) -> Files:
    return {name: digest for name, digest in files.items() if name.startswith(f"{path}/")}


def _digests(folder: Path, prefix: str) -> Files:
    found = {}
    for path in files_of(folder):
        with (folder / path).open("rb") as file:
            found[prefix + path] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return found
