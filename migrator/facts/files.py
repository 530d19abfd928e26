"""Which files of a project are read: Python sources inside the root that nobody excludes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pathspec

from migrator.model.program import Skipped

_NEVER = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".migrator",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        "__pycache__",
        "node_modules",
        "site-packages",
    }
)
_TELLING = frozenset({".gitignore", "pyvenv.cfg"})
"""Names of files that say something of the folder in which they lie."""
_OF_A_MACHINE = re.compile(
    r"/?(?:\w+/)*\w*(?:config|settings|secret|credential|local)\w*\.py", re.I
)
"""A line of `.gitignore` that names one module of settings: each machine has its own, and the
application imports it."""


class Ignored:
    """The patterns of `.gitignore` files met so far, and of the settings."""

    def __init__(self, exclude: list[str], tracked: frozenset[str] = frozenset()) -> None:
        self._excluded = pathspec.GitIgnoreSpec.from_lines(exclude)
        self._specs: list[tuple[str, pathspec.GitIgnoreSpec]] = []
        self._tracked = tracked

    def enter(self, file: str, relative: str) -> None:
        """Take the `.gitignore` of a folder into account, for all that lies under it."""
        try:
            lines = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        spec = pathspec.GitIgnoreSpec.from_lines(
            line for line in lines.splitlines() if not _OF_A_MACHINE.fullmatch(line.strip())
        )
        if spec.patterns:
            self._specs.append((f"{relative}/" if relative else "", spec))

    def __call__(self, path: str) -> bool:
        """Whether a path relative to the root is left out; folders end with `/`."""
        if self._excluded.match_file(path):
            return True
        return path not in self._tracked and any(
            path.startswith(prefix) and spec.match_file(path[len(prefix) :])
            for prefix, spec in self._specs
        )


def python_files(
    root: Path,
    exclude: list[str],
    skipped: list[Skipped],
    suffixes: tuple[str, ...] = (".py",),
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Relative path and entry of every Python file under `root`, sorted within folders.

    With other `suffixes`, of files that end so.

    Folders that are virtual environments, caches or version control, what `.gitignore` files and
    `exclude` name, and links that lead to folders or out of the root are left out; a Python file
    that is such a link is noted in `skipped`.
    """
    inside = os.path.realpath(root)
    ignored = Ignored(exclude, _tracked_all_the_same(root))
    waiting = [""]
    while waiting:
        relative = waiting.pop()
        try:
            entries = sorted(os.scandir(root / relative), key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(file=relative or ".", reason=f"not readable: {error.strerror}"))
            continue
        special = {each.name: each for each in entries if each.name in _TELLING}
        if "pyvenv.cfg" in special and relative:
            continue
        if ".gitignore" in special:
            ignored.enter(special[".gitignore"].path, relative)
        folders = []
        for entry in entries:
            path = f"{relative}/{entry.name}" if relative else entry.name
            if entry.name.endswith(suffixes) and not entry.is_dir(follow_symlinks=False):
                if ignored(path):
                    continue
                if entry.is_symlink() and not _leads_inside(entry.path, inside):
                    skipped.append(Skipped(file=path, reason="a link that leads out of the root"))
                elif entry.is_file():
                    yield path, entry
            elif (
                entry.is_dir(follow_symlinks=False)
                and entry.name not in _NEVER
                and not ignored(f"{path}/")
            ):
                folders.append(path)
        waiting.extend(reversed(folders))


def of_this_machine(root: Path, files: Iterable[str]) -> list[str]:
    """Those of the files that the root's `.gitignore` keeps out of git, and that are read."""
    try:
        text = (root / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = [each.strip() for each in text.splitlines()]
    spec = pathspec.GitIgnoreSpec.from_lines(filter(_OF_A_MACHINE.fullmatch, lines))
    return sorted(file for file in files if spec.match_file(file))


def _tracked_all_the_same(root: Path) -> frozenset[str]:
    """Files that git keeps although `.gitignore` names them, with the folders above them.

    A pattern that is meant for a folder of data (`upload/`) also names a package; git heeds it for
    new files only. None without git.
    """
    command = ["git", "-C", str(root), "ls-files", "-z", "-c", "-i", "--exclude-standard"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return frozenset()
    files = filter(None, done.stdout.decode("utf-8", "replace").split("\0"))
    return frozenset(
        path for file in files for path in (file, *(f"{each}/" for each in Path(file).parents))
    )


def _leads_inside(path: str, inside: str) -> bool:
    real = os.path.realpath(path)
    return real == inside or real.startswith(inside + os.sep)
