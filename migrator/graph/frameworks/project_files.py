"""Files of the analysed project that are not Python."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

from migrator.model.private import PRIVATE

_FOREIGN = frozenset({".git", ".venv", "venv", "node_modules", PRIVATE, "__pycache__"})


def project_files(root: Path, pattern: str) -> Iterator[Path]:
    """Files and folders under `root` whose names fit, sorted; what others installed is left out."""
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if each not in _FOREIGN]
        found += [Path(folder, name) for name in fnmatch.filter((*folders, *files), pattern)]
    yield from sorted(found)
