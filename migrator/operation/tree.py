"""The monolith's files on disk: a copy for each instance, and what an instance wrote into it.

An application may keep files below its own sources: pictures, indexes, exports. Each instance runs
in a copy, so that the tree of the team is never written to, and what is new in the copy afterwards
is part of the state, as the rows of the database are.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from migrator.model.private import PRIVATE

_LEFT_OUT = shutil.ignore_patterns(PRIVATE, ".git", "node_modules", "__pycache__")
_NO_STATE = (".pyc", ".pyo", ".log", ".pid", ".lock")


def copy_project(root: Path, target: Path) -> Path:
    """Copy the project, less version control, environments and the folder that the copy is in."""
    shutil.rmtree(target, ignore_errors=True)
    within = {os.path.abspath(each) for each in (target, target.parent)}

    def ignored(folder: str, names: list[str]) -> set[str]:
        here = os.path.abspath(folder)
        return _ignored(folder, names) | {n for n in names if os.path.join(here, n) in within}

    shutil.copytree(root, target, symlinks=True, ignore=ignored)
    return target


def lay_over(source: Path, target: Path) -> None:
    """Copy all files of a folder, if there is one, to the same paths of another."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)


def written(before: Path, after: Path) -> list[str]:
    """The files of a copy that are new in it, or other than in what it was copied from; sorted.

    Logs and what Python made of sources are none.
    """
    return sorted(
        path
        for path in files_of(after)
        if is_state(path)
        and not (
            (before / path).is_file() and filecmp.cmp(before / path, after / path, shallow=True)
        )
    )


def is_state(path: str) -> bool:
    """Whether a file is none of those that come and go by themselves."""
    return not path.endswith(_NO_STATE)


def files_of(folder: Path) -> Iterator[str]:
    """Every file below a folder by its path in it, links not followed."""
    for here, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in (PRIVATE, ".git", "node_modules", "__pycache__")
        ]
        for name in names:
            yield (Path(here) / name).relative_to(folder).as_posix()


def keep(files: list[str], source: Path, target: Path) -> None:
    """Copy some of the files of one folder into another."""
    for path in files:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / path, target / path)


def _ignored(folder: str, names: list[str]) -> set[str]:
    environments = {name for name in names if os.path.exists(f"{folder}/{name}/pyvenv.cfg")}
    return {*_LEFT_OUT(folder, names), *environments}
