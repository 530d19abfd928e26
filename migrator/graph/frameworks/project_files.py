"""Files of the analysed project that are not Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migrator.model.private import PRIVATE

_FOREIGN = frozenset({".git", ".venv", "venv", "node_modules", PRIVATE, "__pycache__"})


def project_files(root: Path, pattern: str) -> Iterator[Path]:
    """Files and folders under `root` whose names fit, sorted; what others installed is left out."""
    for path in sorted(root.rglob(pattern)):
        if not _FOREIGN & set(path.relative_to(root).parts):
            yield path
