"""What the files of a project hold now, by digest; read only where it is doubtful.

A digest is noted with the size, the times and the inode of its file. While these are the same, so
is the content; but not where the file was changed so shortly before the noting that another change
might not have moved its clock (git calls that racy): such a note is not kept.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import msgspec

_GRAIN = 2_000_000_000
"""Nanoseconds within which two changes of a file may carry the same time."""

_Note = tuple[int, int, int, int, str]
"""Size, times of change of content and of inode, inode, digest."""


def digest_of(content: bytes) -> str:
    """What a content is known by."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


class Contents:
    """The digests of files, with the notes of earlier runs, which lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "contents.msgpack"
        self._known = self._read()
        self._notes: dict[str, _Note] = {}
        self._started = time.time_ns()
        self.read: dict[str, bytes] = {}
        """The contents that had to be read."""

    def _read(self) -> dict[str, _Note]:
        try:
            return msgspec.msgpack.decode(self._path.read_bytes(), type=dict[str, _Note])
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return {}

    def digest(self, path: str, entry: os.DirEntry[str]) -> str:
        """The digest of the file that has this path in the project. Raises OSError."""
        state = entry.stat()
        known = self._known.get(path)
        mark = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        if known is None or known[:4] != mark:
            known = (*mark, self.now(path, entry.path))
        if max(state.st_mtime_ns, state.st_ctime_ns) < self._started - _GRAIN:
            self._notes[path] = known
        return known[4]

    def now(self, path: str, file: str | Path) -> str:
        """The digest of what a file holds now, whatever is noted. Raises OSError."""
        with open(file, "rb") as opened:
            content = self.read[path] = opened.read()
        return digest_of(content)

    def keep(self) -> None:
        """Note what is known now for the next run; where nothing can be written it is not kept."""
        if self._notes == self._known:
            return
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(exist_ok=True)
            draft.write_bytes(msgspec.msgpack.encode(self._notes))
            draft.replace(self._path)
        except OSError:
            return
