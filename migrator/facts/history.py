"""What git knows of a project's files: who changed them, when, and what was changed together.

A fact is missing, with why, where there is no repository or no `git`; nothing is ever guessed.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from functools import cached_property
from pathlib import Path

import msgspec

_MOST_COMMITS = 20_000
_SECONDS = 60
_MARK = "\x01"


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit, merges left out; `files` are relative to the project's root."""

    author: str
    when: int
    """Seconds since the epoch, as the author's clock said."""
    files: tuple[str, ...]


class History(msgspec.Struct, kw_only=True, dict=True):
    """The commits that touched a project, the newest first; `missing` says why there are none."""

    commits: list[Commit] = []
    missing: str = ""

    @cached_property
    def newest(self) -> int:
        """The time of the newest commit; ages are counted back from it, the same everywhere."""
        return max((each.when for each in self.commits), default=0)

    @cached_property
    def by_file(self) -> dict[str, list[Commit]]:
        """The commits of each file, the newest first."""
        found: dict[str, list[Commit]] = {}
        for commit in self.commits:
            for file in commit.files:
                found.setdefault(file, []).append(commit)
        return found

    def authors(self, file: str) -> Counter[str]:
        """How many commits of a file each author made."""
        return Counter(commit.author for commit in self.by_file.get(file, ()))


def read_history(root: Path) -> History:
    """The history of the files below `root`, which may be a part of a repository."""
    command = [
        "git", "-C", str(root), "log", "--no-merges", "--no-renames", "--relative", "--name-only",
        "-z", f"--max-count={_MOST_COMMITS}", f"--format={_MARK}%aN%x00%at", "--", ".",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return History(missing="git is not installed")
    except subprocess.TimeoutExpired:
        return History(missing=f"git log took more than {_SECONDS} s")
    if done.returncode:
        return History(missing="it is in no git repository that can be read")
    commits = list(filter(None, map(_commit, done.stdout.decode("utf-8", "replace").split(_MARK))))
    return History(commits=commits, missing="" if commits else "git has no commit of it")


def _commit(text: str) -> Commit | None:
    author, _, rest = text.partition("\0")
    when, _, files = rest.partition("\0")
    if not when.strip().isdigit():
        return None
    named = tuple(sorted(name.strip("\n") for name in files.split("\0") if name.strip("\n")))
    return Commit(author=author, when=int(when), files=named) if named else None


class Repository:
    """The history of a folder, read when it is first asked for; missing without a folder."""

    def __init__(self, root: str) -> None:
        self._root = root

    @cached_property
    def history(self) -> History:
        """All of it."""
        if not self._root or not Path(self._root).is_dir():
            return History(missing="the folder of the code is not there")
        return read_history(Path(self._root))
