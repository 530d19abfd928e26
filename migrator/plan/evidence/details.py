"""Sets of what functions read and write, each detail one bit of a number: unions cost little."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.model.bits import members

ANY = ""
"""In place of a column: any of them."""

Detail = tuple[str, str]
"""A table and a column of it, or `ANY`."""

Mask = int
"""A set of details; the union is `|`."""


class Details:
    """Gives each detail its bit; a mask means something only to the one that made it."""

    def __init__(self) -> None:
        self._bits: dict[Detail, Mask] = {}
        self._listed: list[Detail] = []
        self._of_table: dict[str, Mask] = {}
        self._any: Mask = 0
        self._known: dict[Mask, frozenset[Detail]] = {}
        self._tables: dict[Mask, frozenset[str]] = {}
        self._widened: dict[Mask, Mask] = {}

    def mask(self, details: Iterable[Detail]) -> Mask:
        """The mask of these details."""
        found = 0
        for detail in details:
            bit = self._bits.get(detail)
            if bit is None:
                bit = self._bits[detail] = 1 << len(self._listed)
                self._listed.append(detail)
                self._of_table[detail[0]] = self._of_table.get(detail[0], 0) | bit
                self._any |= bit if detail[1] == ANY else 0
            found |= bit
        return found

    def details(self, mask: Mask) -> frozenset[Detail]:
        """What a mask stands for."""
        known = self._known.get(mask)
        if known is None:
            known = self._known[mask] = frozenset(members(mask, self._listed))
        return known

    def tables(self, mask: Mask) -> frozenset[str]:
        """The tables among what a mask stands for."""
        known = self._tables.get(mask)
        if known is None:
            known = self._tables[mask] = frozenset(
                t for t, bits in self._of_table.items() if bits & mask
            )
        return known

    def overlap(self, written: Mask, read: Mask) -> bool:
        """Whether something that is written is among what is read; any column is like each."""
        return bool(self._wide(written) & read or written & self._wide(read))

    def _wide(self, mask: Mask) -> Mask:
        """With all columns of the tables of which it has any."""
        rest = mask & self._any
        known = self._widened.get(rest)
        if known is None:
            known = 0
            for table in self.tables(rest):
                known |= self._of_table[table]
            self._widened[rest] = known
        return mask | known
