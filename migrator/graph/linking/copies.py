"""How much code may be copied: the variants of functions that a program can afford."""

from __future__ import annotations

from migrator.graph.linking.solver import LARGE

TINY = 15
"""Instructions of a function that is copied at the cost of others of its kind alone."""
MOST_OF_TINY = 70_000
"""Instructions of their copies: what a million lines can hold in the memory that they may take."""


class Copies:
    """The budget of a program with so many instructions.

    What runs for instances that are told apart has as much again as the rest: without it what
    belongs to one of them would be everybody's. So have the smallest: helpers that fetch one of
    what they are given are many, and cost little. And so has, but in a large program, what is
    copied for a place in the code at all (`written`), which is done when the rest is used up. What
    nobody calls (`uncalled`) comes last of all.
    """

    def __init__(self, size: int) -> None:
        self._limit = 50_000 + size // 8
        self._limit_of_written = self._limit if size <= LARGE else 0
        self._copied = {(tiny, apart): 0 for tiny in (False, True) for apart in (False, True)}
        self._written = 0
        self._uncalled = 0

    def afford(self, size: int, *, apart: bool = False) -> bool:
        """Whether one more variant of that many instructions may be made; it counts if so."""
        tiny = size <= TINY
        limit = min(self._limit, MOST_OF_TINY) if tiny else self._limit
        if self._copied[tiny, apart] + size > limit:
            return False
        self._copied[tiny, apart] += size
        return True

    def afford_written(self, size: int) -> bool:
        """The same of one that is made for a place in the code."""
        if self._written + size > self._limit_of_written:
            return False
        self._written += size
        return True

    def afford_uncalled(self, size: int) -> bool:
        """The same of a closure that nobody in the project calls."""
        if self._uncalled + size > self._limit // 4:
            return False
        self._uncalled += size
        return True
