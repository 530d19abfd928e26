"""Which version of this tool, and of its parts, made what is cached."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path


@cache
def version_of(*packages: str) -> str:
    """A digest of the code of those packages of migrator, and of the grammar that it reads.

    Told by name, size and time of change of the installed files: what another version, or a
    changed one, has cached is not used.
    """
    base = Path(__file__).parent.parent
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{sys.version_info[0]}.{sys.version_info[1]}".encode())
    for package in packages:
        for folder, folders, files in os.walk(base / package):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    state = os.stat(path)
                    relative = os.path.relpath(path, base)
                    digest.update(f"{relative} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@cache
def engine() -> str:
    """A digest of the code that analyses, the same wherever it is installed."""
    base = Path(__file__).parent.parent
    digest = hashlib.blake2b(digest_size=4)
    for package in ("facts", "graph", "model"):
        for file in sorted((base / package).rglob("*.py")):
            digest.update(file.relative_to(base).as_posix().encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()
