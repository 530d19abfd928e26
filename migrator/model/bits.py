"""Sets of listed things as the bits of one integer, which are joined and compared at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def members(mask: int, listed: Sequence[Thing]) -> Iterator[Thing]:
    """What the bits of `mask` stand for, in the order of `listed`: bit 0 is its first."""
    while mask:
        lowest = mask & -mask
        yield listed[lowest.bit_length() - 1]
        mask ^= lowest
