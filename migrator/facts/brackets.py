"""Brackets in source text: where they end, what stands in them, and what a text is in blanks."""

from __future__ import annotations

import re

from migrator.facts.formatted import Unreadable, prefix_start, string_end

BRACKET = re.compile(r"""(?P<string>['"])|#[^\n]*|[()\[\]{},:]""")
_FOR = re.compile(r"\bfor\b")


def is_comprehension(source: str, position: int) -> bool:
    """Whether the first element of a bracket is followed by `for`."""
    depth, start = 0, position
    while True:
        found = BRACKET.search(source, position)
        if found is None:
            return False
        if depth == 0 and _FOR.search(source, start, found.start()):
            return True
        position, mark = found.end(), found.group()
        if found["string"]:
            position = string_end(source, prefix_start(source, found.start()))
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        if depth < 0 or (depth == 0 and mark in ",:"):
            return False
        start = position


def closing(source: str, position: int) -> int:
    """The end of a bracket that was opened before `position`."""
    depth = 1
    while depth:
        found = BRACKET.search(source, position)
        if found is None:
            raise Unreadable
        position = found.end()
        if found["string"]:
            position = string_end(source, prefix_start(source, found.start()))
        elif found.group() in "([{":
            depth += 1
        elif found.group() in ")]}":
            depth -= 1
    return position


def blank(text: str) -> str:
    """Spaces, with the line ends where they are, also those behind a backslash."""
    return re.sub(r"(\\\n)|[^\n]", lambda each: each[1] or " ", text)


def place_of(source: str, position: int) -> tuple[int, int]:
    """Line and column of a position."""
    return source.count("\n", 0, position) + 1, position - (source.rfind("\n", 0, position) + 1)
