"""Which interpreters of Python start on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def interpreter(name: str) -> str:
    """How `python3.N` is started here: by its name, or where pyenv keeps it; empty if not."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    for each in (name, *map(str, sorted(kept.glob(f"*/bin/{name}"), reverse=True))):
        if minor(each) == int(name.partition(".")[2]):
            return each
    return ""


def minor(interpreter: str) -> int | None:
    """The minor version of an interpreter, if there is one: a version manager has names for what
    it lacks."""
    found = shutil.which(interpreter)
    if found is None:
        return None
    script = "import sys; print(sys.version_info[1])"
    asked = subprocess.run([found, "-I", "-c", script], capture_output=True, text=True, check=False)
    return int(asked.stdout) if asked.returncode == 0 else None
