"""A seeded start state is made once where one command follows another.

Generation seeds the monolith to see what its rows name, and `up`, `verify` and `record` want the
same state a moment later. A seed may speak of the time, so that it is not used for long.
"""

from __future__ import annotations

import hashlib
import os
import time
from datetime import date
from pathlib import Path

import msgspec

from migrator.model.progress import Progress
from migrator.model.settings import Run
from migrator.operation.start_state import StartState, make_start_state, private_folder

_SECONDS = 900
_BASE_URL = "{base_url}"
_FORMAT = b"2"
"""Changes whenever more is read off the database."""
_PROGRAM = {".py", ".sql", ".toml", ".cfg", ".ini", ".txt", ".mako", ".yaml", ".yml", ".json"}
_FOREIGN = {"node_modules", "__pycache__", "site-packages"}


def start_state(
    root: Path, run: Run, folder: Path, progress: Progress | None = None, *, base_url: str
) -> StartState:
    """A copy in `folder` of the state that was kept a short while ago, else one that is made."""
    kept = StartState(_folder(root))
    mark = _mark(root)
    if mark.is_file():
        made = mark.stat().st_mtime
        recent = time.time() - made < _SECONDS and date.fromtimestamp(made) == today()
        if recent and mark.read_text() == _key(root, run):
            return kept.copy_to(folder)
    return make_start_state(root, run, folder, progress, base_url=base_url)


def keep(state: StartState, root: Path, run: Run) -> None:
    """Keep a state for the commands that follow, unless it may know an address."""
    told = (run.migrate, run.seed, *run.environment.values())
    if not any(_BASE_URL in each for each in told):
        _mark(root).unlink(missing_ok=True)
        state.copy_to(_folder(root))
        _mark(root).write_text(_key(root, run))


def today() -> date:
    """The day that a seed would speak of."""
    return date.today()


def program_digest(root: Path, run: Run) -> str:
    """The digest of every file that may decide what `migrate` does."""
    seen = hashlib.sha256(_FORMAT + msgspec.json.encode(run))
    for path, name in _files(root):
        if os.path.splitext(name)[1] in _PROGRAM:
            seen.update(os.path.relpath(path, root).encode())
            with open(path, "rb") as file:
                seen.update(file.read())
    return seen.hexdigest()[:16]


def _key(root: Path, run: Run) -> str:
    """Of the program, and of all else that it may load while it seeds."""
    seen = hashlib.sha256(program_digest(root, run).encode())
    for path, _ in _files(root):
        state = os.stat(path, follow_symlinks=False)
        seen.update(f"{os.path.relpath(path, root)} {state.st_size} {state.st_mtime_ns}".encode())
    return seen.hexdigest()


def _folder(root: Path) -> Path:
    return private_folder(root) / "seeded"


def _mark(root: Path) -> Path:
    return private_folder(root) / "seeded.of"


def _files(root: Path) -> list[tuple[str, str]]:
    """Path and name of each file of the project, environments and what is hidden left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _FOREIGN
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        found += [(os.path.join(folder, name), name) for name in sorted(files)]
    return found
