"""Brackets in source text: where they end, what stands in them, and what a text is in blanks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.facts.formatted import Unreadable, prefix_start, string_end

_MARK = re.compile(r"""(?P<string>['"])|#[^\n]*|[()\[\]{},:]""")
_FOR = re.compile(r"\bfor\b")


def marks(source: str, position: int) -> Iterator[tuple[re.Match[str], int, int]]:
    """Every bracket, comma, colon, comment and string behind a position.

    Each with its end, and how many more brackets are open there than at the position.
    """
    depth = 0
    while (found := _MARK.search(source, position)) is not None:
        position = found.end()
        if found["string"]:
            position = string_end(source, prefix_start(source, found.start()))
        elif found.group() in "([{":
            depth += 1
        elif found.group() in ")]}":
            depth -= 1
        yield found, position, depth


def is_comprehension(source: str, position: int) -> bool:
    """Whether the first element of a bracket is followed by `for`."""
    start, outer = position, 0
    for found, end, depth in marks(source, position):
        if outer == 0 and _FOR.search(source, start, found.start()):
            return True
        if depth < 0 or (depth == 0 and found.group() in ",:"):
            return False
        start, outer = end, depth
    return False


def closing(source: str, position: int) -> int:
    """The end of a bracket that was opened before `position`."""
    for _, end, depth in marks(source, position):
        if depth < 0:
            return end
    raise Unreadable


def blank(text: str) -> str:
    """Spaces, with the line ends where they are, also those behind a backslash."""
    return re.sub(r"(\\\n)|[^\n]", lambda each: each[1] or " ", text)


def place_of(source: str, position: int) -> tuple[int, int]:
    """Line and column of a position."""
    return source.count("\n", 0, position) + 1, position - (source.rfind("\n", 0, position) + 1)
