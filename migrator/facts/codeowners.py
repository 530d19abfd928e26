"""CODEOWNERS: which team answers for which file; the last pattern that matches a file wins.

As code hosts read it: https://docs.github.com/articles/about-code-owners; patterns as .gitignore
has them, without `!` and character ranges.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")


class Owning(NamedTuple):
    """One line: what it matches, and the owners in order."""

    pattern: re.Pattern[str]
    owners: tuple[str, ...]


class CodeOwners(NamedTuple):
    """All lines of one file; `below` is the path from where it applies to the project's root."""

    lines: tuple[Owning, ...] = ()
    file: str = ""
    below: str = ""

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file, relative to the project's root; empty: nobody."""
        full = f"{self.below}/{path}" if self.below else path
        for line in reversed(self.lines):
            if line.pattern.match(full):
                return line.owners
        return ()


def read_code_owners(root: Path) -> CodeOwners:
    """The project's own CODEOWNERS, else that of the repository that it lies in, else none."""
    root = root.resolve()
    for folder in (root, *root.parents):
        for place in _PLACES:
            file = folder / place
            if file.is_file():
                text = file.read_text(encoding="utf-8", errors="replace")
                below = root.relative_to(folder).as_posix()
                return CodeOwners(_parse(text), place, "" if below == "." else below)
        if (folder / ".git").exists():
            break
    return CodeOwners()


def _parse(text: str) -> tuple[Owning, ...]:
    lines = []
    for raw in text.splitlines():
        words = raw.split(" #")[0].split()
        if words and not words[0].startswith(("#", "[", "^[")):
            lines.append(Owning(_compiled(words[0]), tuple(words[1:])))
    return tuple(lines)


def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    body = re.escape(pattern.strip("/"))
    body = body.replace(r"\*\*/", "(?:.*/)?").replace(r"/\*\*", "/.*").replace(r"\*\*", ".*")
    body = body.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    inside = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    if pattern.endswith("/*"):
        inside = ""
    return re.compile(("" if anchored else "(?:.*/)?") + body + inside + r"\Z")
