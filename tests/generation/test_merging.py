"""The merge of lines against an oracle: what `git merge-file` makes of the same three texts."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from migrator.generation.merging import has_marks, merge


def git_merge(folder: Path, base: bytes, yours: bytes, generated: bytes) -> tuple[bytes, int]:
    for name, text in (("yours", yours), ("base", base), ("generated", generated)):
        (folder / name).write_bytes(text)
    done = subprocess.run(
        ["git", "merge-file", "-p", "yours", "base", "generated"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.stdout, done.returncode


def edited(chance: random.Random, lines: list[bytes], area: range, word: str) -> bytes:
    """The lines with a few changed, removed and added ones in one area, apart from each other."""
    out: list[bytes] = []
    for number, line in enumerate(lines):
        what = chance.random() if number in area and number % 4 == 0 else 1.0
        if what < 0.3:
            out.append(f"{word} {number}\n".encode())
        elif what < 0.5:
            out += [line, f"{word} after {number}\n".encode()]
        elif what >= 0.6:
            out.append(line)
    return b"".join(out)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
def test_changes_in_different_places_as_git_merges_them(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(25):
        lines = [f"line {number}\n".encode() for number in range(40)]
        base = b"".join(lines)
        yours = edited(chance, lines, range(18), "mine")
        generated = edited(chance, lines, range(22, 40), "theirs")
        merged = merge(base, yours, generated)
        assert merged is not None
        assert (merged.text, merged.conflicts) == git_merge(tmp_path, base, yours, generated)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
@pytest.mark.parametrize(
    ("base", "yours", "generated"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", "a\nbb\nc\n"),
        ("a\nb\nc\n", "a\nc\n", "a\nbb\nc\n"),
        ("", "one\n", "two\n"),
        ("a\n", "a", "a\nb\n"),
        ("a\nb\n", "x\nB\ny\n", "x\nbb\ny\n"),
    ],
)
def test_conflicts_are_marked_as_git_marks_them(
    tmp_path: Path, base: str, yours: str, generated: str
) -> None:
    merged = merge(base.encode(), yours.encode(), generated.encode())
    assert merged is not None
    assert merged.conflicts == 1
    assert has_marks(merged.text)
    assert merged.text == git_merge(tmp_path, base.encode(), yours.encode(), generated.encode())[0]


def test_what_both_changed_alike_is_no_conflict() -> None:
    merged = merge(b"a\nb\n", b"a\nc\n", b"a\nc\n")
    assert merged == (b"a\nc\n", 0)


def test_no_text_is_not_merged() -> None:
    assert merge(b"\0a", b"\0b", b"\0c") is None
