"""Three-way merge of lines: what people changed since, and what generation would write now.

The algorithm is diff3 (Khanna, Kunal and Pierce, "A Formal Investigation of Diff3", 2007) on the
matching blocks of `difflib`; conflicts are marked as `git merge-file` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

YOURS = b"<<<<<<< yours"
GENERATED = b">>>>>>> generated"
_BETWEEN = b"======="


class Merge(NamedTuple):
    """Merged text, and how many conflicts are marked in it."""

    text: bytes
    conflicts: int


def merge(base: bytes, yours: bytes, generated: bytes) -> Merge | None:
    """Both sets of changes to `base` in one text; None for what is no text.

    What both changed in the same way is changed once. Line ends are parts of lines.
    """
    if any(b"\0" in each for each in (base, yours, generated)):
        return None
    old, left, right = (each.splitlines(keepends=True) for each in (base, yours, generated))
    merged: list[bytes] = []
    conflicts = 0
    for was, mine, theirs in _chunks(old, left, right):
        if mine == theirs or theirs == was:
            merged += mine
        elif mine == was:
            merged += theirs
        else:
            conflicts += 1
            merged += _marked(mine, theirs)
    return Merge(b"".join(merged), conflicts)


def has_marks(text: bytes) -> bool:
    """Whether a conflict that we marked stands in a text still."""
    lines = text.splitlines()
    return YOURS in lines and GENERATED in lines


def _chunks(
    base: list[bytes], left: list[bytes], right: list[bytes]
) -> Iterator[tuple[list[bytes], list[bytes], list[bytes]]]:
    """The three texts cut at the lines that all have, each piece of one beside those of the others.

    A piece is either the same in all three or changed in at least one.
    """
    at = (0, 0, 0)
    for start, in_left, in_right, length in _common(base, left, right):
        yield base[at[0] : start], left[at[1] : in_left], right[at[2] : in_right]
        same = base[start : start + length]
        yield same, same, same
        at = (start + length, in_left + length, in_right + length)
    yield base[at[0] :], left[at[1] :], right[at[2] :]


def _common(
    base: list[bytes], left: list[bytes], right: list[bytes]
) -> Iterator[tuple[int, int, int, int]]:
    """Runs of lines of `base` that both others have: where in each of the three, and how long."""
    of_left = SequenceMatcher(None, base, left, autojunk=False).get_matching_blocks()
    of_right = SequenceMatcher(None, base, right, autojunk=False).get_matching_blocks()
    i = j = 0
    while i < len(of_left) and j < len(of_right):
        a, b = of_left[i], of_right[j]
        start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
        if start < end:
            yield start, a.b + start - a.a, b.b + start - b.a, end - start
        if a.a + a.size < b.a + b.size:
            i += 1
        else:
            j += 1


def _marked(mine: list[bytes], theirs: list[bytes]) -> list[bytes]:
    """Both sides between marks, without the lines that they begin and end with in common."""
    most = min(len(mine), len(theirs))
    head = next((n for n in range(most) if mine[n] != theirs[n]), most)
    most -= head
    tail = next((n for n in range(most) if mine[-1 - n] != theirs[-1 - n]), most)
    end = b"\r\n" if (mine or theirs)[0].endswith(b"\r\n") else b"\n"
    return [
        *mine[:head],
        YOURS + end,
        *_ended(mine[head : len(mine) - tail], end),
        _BETWEEN + end,
        *_ended(theirs[head : len(theirs) - tail], end),
        GENERATED + end,
        *mine[len(mine) - tail :],
    ]


def _ended(lines: list[bytes], end: bytes) -> list[bytes]:
    """The lines, the last with its end."""
    if lines and not lines[-1].endswith((b"\n", b"\r")):
        return [*lines[:-1], lines[-1] + end]
    return lines
