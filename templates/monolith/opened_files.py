"""Notes which files of its own sources the running monolith reads: a service may need them too.

A package may name such a file only by its default, in code that is not analysed. Standard library
only; runs in the monolith's own environment, on Python 3.8 or later.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Set, Tuple

_CODE = (".py", ".pyc", ".pyo", ".so", ".pth")
_MADE = os.O_WRONLY | os.O_TRUNC | os.O_CREAT
"""Opened so, a file is not read as it lies in the sources."""


def install_from_environment() -> None:
    """Append paths below the folder OPENED_BELOW to the file OPENED_FILES; nothing without it."""
    file, below = os.environ.get("OPENED_FILES", ""), os.environ.get("OPENED_BELOW", "")
    if file and below:
        sys.addaudithook(_Hook(file, os.path.join(os.path.realpath(below), "")))


class _Hook:
    def __init__(self, file: str, below: str) -> None:
        self._file = file
        self._below = below
        self._seen: Set[str] = set()
        self._busy = threading.local()

    def __call__(self, event: str, arguments: Tuple[Any, ...]) -> None:
        if event != "open" or getattr(self._busy, "is_set", False):
            return
        self._busy.is_set = True
        try:
            self._note(arguments[0], arguments[2])
        except Exception:  # the application must not notice
            pass
        finally:
            self._busy.is_set = False

    def _note(self, opened: Any, flags: Any) -> None:
        if not isinstance(opened, (str, bytes)) or (flags or 0) & _MADE:
            return
        name = os.fsdecode(opened)
        if name in self._seen or name.endswith(_CODE):
            return
        self._seen.add(name)
        path = os.path.realpath(name)
        if path.startswith(self._below) and os.path.isfile(path):
            line = os.path.relpath(path, self._below) + "\n"
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            os.write(descriptor, line.encode())
            os.close(descriptor)
