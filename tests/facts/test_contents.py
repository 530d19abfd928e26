"""Files are read again only where their state does not tell that they are what they were."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrator.facts.contents import Contents


def digest(root: Path) -> tuple[str, list[str]]:
    """The digest of `a.py`, and what had to be read for it."""
    contents = Contents(root)
    (entry,) = [each for each in os.scandir(root) if each.name == "a.py"]
    found = contents.digest("a.py", entry)
    contents.keep()
    return found, list(contents.read)


def test_what_has_just_been_written_is_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    first, _ = digest(tmp_path)
    assert digest(tmp_path) == (first, ["a.py"])


def test_a_settled_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrator.facts.contents._GRAIN", -(10**12))
    (tmp_path / "a.py").write_text("x = 1\n")
    first, _ = digest(tmp_path)
    assert digest(tmp_path) == (first, [])
    before = (tmp_path / "a.py").stat()
    (tmp_path / "a.py").write_text("x = 2\n")
    os.utime(tmp_path / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    second, read = digest(tmp_path)
    assert second != first and read == ["a.py"]


@pytest.mark.parametrize("notes", [b"", b"\xff", b"\x81\xa1a\x01"])
def test_spoilt_notes_are_none(tmp_path: Path, notes: bytes) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    first, _ = digest(tmp_path)
    (tmp_path / "contents.msgpack").write_bytes(notes)
    assert digest(tmp_path)[0] == first
