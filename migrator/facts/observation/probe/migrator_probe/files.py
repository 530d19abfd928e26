"""Files below the project's root that its code reads, writes and removes: an audit hook (PEP 578).

What is kept is the folder of each, never its name. Code, logs and environments are none, nor are
files beside the code in the root itself.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Tuple

from . import tally

_NEVER = (".py", ".pyc", ".pyi", ".so", ".pyd", ".log", ".pid", ".lock")
_NO_STATE = frozenset({".migrator", ".git", "__pycache__", "node_modules", "site-packages"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_TAKEN = {"os.remove": 1, "os.rename": 2}
"""Events of files that go or come, and how many of their arguments are paths."""


class Files:
    """The hook: it is called for everything that Python audits, and mostly has to do nothing."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._inside = root + os.sep

    def install(self) -> None:
        """Watch from now on; a hook stays for as long as the process."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: Tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = set(mode) & set("wax+") if isinstance(mode, str) else (flags or 0) & _WRITING
            self._note("write" if writes else "read", path)
        elif event in _TAKEN:
            for path in arguments[: _TAKEN[event]]:
                self._note("write", path)

    def _note(self, kind: str, path: Any) -> None:
        if not isinstance(path, (str, bytes)):
            return
        try:
            there = os.path.abspath(os.fsdecode(path))
            if there.startswith(self._inside) and not there.endswith(_NEVER):
                folder = os.path.dirname(there)[len(self._inside) :]
                if folder and _NO_STATE.isdisjoint(folder.split(os.sep)):
                    tally.touched(kind, folder.replace(os.sep, "/"))
        except Exception:
            tally.failed("file")
