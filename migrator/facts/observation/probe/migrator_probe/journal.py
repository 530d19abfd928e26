"""Appends what was seen to a file of this process's own, line by line.

Each line is one JSON array, written whole by one `write`; the reader drops a torn last line. What
is new (a statement, a call, an arm) is written as soon as an entry point ends, mere counts twice a
second, so that `kill -9` takes little more than counts.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from typing import Any

from . import tally

FORMAT = 1
_INTERVAL = 0.5


class Journal:
    """The file is opened for each write: a daemon may close all descriptors at any time."""

    def __init__(self, folder: str, root: str) -> None:
        self.failures: list[str] = []
        self._folder = folder
        self._root = root
        self._restart()

    def _restart(self) -> None:
        self._path = ""
        self._written = 0.0
        self._functions: set[int] = set()
        self._files: dict[str, int] = {}
        self._texts = 0
        self._entries: dict[int, int] = {}
        self._busy = False

    def stay(self) -> None:
        """Write what is left when the process ends, in whatever way Python can notice."""
        atexit.register(self.flush)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self.flush, after_in_child=self._in_child)
        for name in ("_exit", "execv", "execve"):
            _before(name, self.flush)

    def _in_child(self) -> None:
        tally.forget()
        self._restart()

    def due(self, novel: bool) -> None:
        """Something ended: write it if it is new, or if some time went by."""
        if novel or time.monotonic() - self._written >= _INTERVAL:
            self.flush()

    def flush(self) -> None:
        """Write all that was seen since the last time."""
        if self._busy:
            return
        self._busy = True
        try:
            lines = self._lines()
            if lines:
                self._append("".join(json.dumps(line) + "\n" for line in lines))
        except Exception:
            if os.environ.get("MIGRATOR_OBSERVE_DEBUG"):
                raise
        finally:
            self._written = time.monotonic()
            self._busy = False

    def _append(self, text: str) -> None:
        if not self._path:
            name = "%d-%s.jsonl" % (os.getpid(), os.urandom(4).hex())
            self._path = os.path.join(self._folder, name)
            text = json.dumps(["process", FORMAT, _main_file(), _version()]) + "\n" + text
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            data = text.encode("utf-8", "backslashreplace")
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)

    def _lines(self) -> list[list[Any]]:
        seen: list[list[Any]] = []
        for entry in list(tally.entries.values()):
            counted = entry.calls or entry.statements or entry.files
            if not (entry.runs or entry.new_arms or counted):
                continue
            runs, arms, calls = entry.runs, entry.new_arms, entry.calls
            statements, through, files = entry.statements, entry.through, entry.files
            entry.clear()
            number = self._entries.get(id(entry))
            if number is None:
                number = self._entries[id(entry)] = len(self._entries)
                seen.append(["entry", number, entry.kind, entry.name, entry.function])
            seen.append(["runs", number, runs])
            if arms:
                seen.append(["arms", number, arms])
            for call, count in list(calls.items()):
                seen.append(["call", number, call[0], call[1], int(call[2]), count])
            for execution, count in list(statements.items()):
                text, path, line, handled = execution
                below = through.get(execution, [])
                seen.append(["statement", number, text, path, line, int(handled), count, below])
            for (kind, folder, path, line, handled), count in list(files.items()):
                seen.append(["touch", number, kind, path, folder, line, int(handled), count])
        while self.failures:
            seen.append(["failure", self.failures.pop()])
        return self._definitions(seen) + seen

    def _definitions(self, seen: list[list[Any]]) -> list[list[Any]]:
        """The texts, and the functions that the lines speak of, where they are new."""
        lines: list[list[Any]] = []
        texts = list(tally.texts)
        for number in range(self._texts, len(texts)):
            lines.append(["text", number, texts[number]])
        self._texts = len(texts)
        for line in seen:
            if line[0] == "call":
                self._define(lines, line[2:4])
            elif line[0] in ("statement", "touch"):
                self._define(lines, line[3])
            elif line[0] == "arms":
                self._define(lines, [each for each in line[2] if each in tally.functions])
        return lines

    def _define(self, lines: list[list[Any]], numbers: Any) -> None:
        for number in numbers:
            if number in self._functions:
                continue
            self._functions.add(number)
            function = tally.functions[number]
            file = self._files.get(function.file)
            if file is None:
                file = self._files[function.file] = len(self._files)
                lines.append(["file", file, function.file, function.digest])
            where = [function.qualname, function.line, function.end_line]
            lines.append(["function", number, file, *where, function.arms])


def _before(name: str, act: Any) -> None:
    """Let `act` run before a function of `os` that never returns."""
    original = getattr(os, name, None)
    if original is None:
        return

    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        act()
        return original(*arguments, **keywords)

    wrapper.__name__ = wrapper.__qualname__ = name
    wrapper.__doc__ = original.__doc__
    setattr(os, name, wrapper)


def _main_file() -> str:
    """The file of the process's main module."""
    main = sys.modules.get("__main__")
    return os.path.realpath(getattr(main, "__file__", None) or "")


def _version() -> str:
    return "%d.%d.%d" % sys.version_info[:3]
