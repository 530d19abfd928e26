"""Prepares a command to be observed: a folder for its records, and the probe in its environment."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from migrator.model.errors import ConfigurationError
from migrator.model.private import PRIVATE

PROBE = Path(__file__).parent / "probe"
VARIABLE = "MIGRATOR_OBSERVE"


def observations_folder(root: Path) -> Path:
    """Where the records of all sessions are kept."""
    return root / PRIVATE / "observations"


def new_session(root: Path) -> Path:
    """A new empty folder for the records of one command. Raises ConfigurationError."""
    folder = observations_folder(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = root / PRIVATE / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        number = 0
        while True:
            number += 1
            session = folder / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{number}"
            try:
                session.mkdir()
            except FileExistsError:
                continue
            return session
    except OSError as error:
        raise ConfigurationError(
            f"records cannot be kept in {folder}: {error}",
            hint="make that folder writable, or observe a copy of the project",
        ) from error


def observations_digest(root: Path) -> str:
    """Changes whenever there are other records; empty without any."""
    digest = hashlib.sha256()
    folder = observations_folder(root)
    files = sorted(folder.glob("*/*.jsonl")) if folder.is_dir() else []
    if not files:
        return ""
    for file in files:
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]


def forget(root: Path) -> None:
    """Remove the records of all sessions."""
    shutil.rmtree(observations_folder(root), ignore_errors=True)


def observed_environment(
    root: Path, session: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """`environment` with what lets every Python below it record into `session`."""
    path = environment.get("PYTHONPATH", "")
    return {
        **environment,
        "PYTHONPATH": f"{PROBE}{os.pathsep}{path}" if path else str(PROBE),
        VARIABLE: f"{root.resolve()}{os.pathsep}{session.resolve()}",
    }
