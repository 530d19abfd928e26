"""Moves chunks between a fixed number of groups while that gains: from coarse chunks to atoms."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.plan.partition.merging import Merging, members_at
from migrator.plan.partition.network import Network

_ROUNDS = 20
_LEAST_GAIN = 1e-9


def refine(network: Network, merging: Merging, count: int, largest: int = 0) -> list[int]:
    """Each atom's group, of `count` groups, after no single move gains any more.

    Chunks are the groups that there were when there were twice, four times, ... as many.
    """
    atoms = len(network)
    labels = members_at(merging, atoms, count)
    levels = []
    chunks = 2 * count
    while chunks < atoms:
        levels.append(chunks)
        chunks *= 2
    for level in [*levels, atoms]:
        moved = _Moves(network, members_at(merging, atoms, level), labels, largest)
        labels = moved.run()
    return labels


class _Moves:
    """Chunks of atoms and the groups that they are in."""

    def __init__(
        self, network: Network, chunk_of: Sequence[int], labels: Sequence[int], largest: int
    ) -> None:
        self._network = network
        self._largest = largest
        self._chunk_of = chunk_of
        self._chunks = sorted(set(chunk_of))
        self._ties: dict[int, dict[int, float]] = {chunk: {} for chunk in self._chunks}
        self._mass = dict.fromkeys(self._chunks, 0.0)
        self._size = dict.fromkeys(self._chunks, 0)
        self._foes: dict[int, set[int]] = {chunk: set() for chunk in self._chunks}
        self._home: dict[int, int] = {}
        for atom, chunk in enumerate(chunk_of):
            self._home[chunk] = labels[atom]
            self._mass[chunk] += network.mass[atom]
            self._size[chunk] += network.sizes[atom]
            self._foes[chunk] |= {chunk_of[foe] for foe in network.foes[atom]}
            ties = self._ties[chunk]
            for other, weight in network.ties[atom].items():
                if chunk_of[other] != chunk:
                    ties[chunk_of[other]] = ties.get(chunk_of[other], 0.0) + weight
        self._group_mass: dict[int, float] = {}
        self._group_size: dict[int, int] = {}
        self._group_chunks: dict[int, int] = {}
        for chunk, group in self._home.items():
            self._add(chunk, group, 1)

    def _add(self, chunk: int, group: int, sign: int) -> None:
        self._home[chunk] = group
        self._group_mass[group] = self._group_mass.get(group, 0.0) + sign * self._mass[chunk]
        self._group_size[group] = self._group_size.get(group, 0) + sign * self._size[chunk]
        self._group_chunks[group] = self._group_chunks.get(group, 0) + sign

    def run(self) -> list[int]:
        """The groups of all atoms after the last round that moved anything."""
        for _ in range(_ROUNDS):
            lightest = min(self._group_mass, key=lambda g: (round(self._group_mass[g], 12), g))
            if not sum(self._move(chunk, lightest) for chunk in self._chunks):
                break
        return [self._home[chunk] for chunk in self._chunk_of]

    def _move(self, chunk: int, lightest: int) -> bool:
        """Move a chunk where it gains most; the last chunk of a group stays.

        What it is not tied to at all gains most in the lightest group.
        """
        home = self._home[chunk]
        if self._group_chunks[home] == 1:
            return False
        near: dict[int, float] = {}
        for other, weight in self._ties[chunk].items():
            near[self._home[other]] = near.get(self._home[other], 0.0) + weight
        barred = {self._home[foe] for foe in self._foes[chunk]}
        options = [(home, self._worth(chunk, home, near))]
        for group in sorted({*near, lightest}):
            fits = not self._largest or self._group_size[group] + self._size[chunk] <= self._largest
            if group != home and group not in barred and fits:
                options.append((group, self._worth(chunk, group, near)))
        best, worth = max(options, key=lambda option: (round(option[1], 12), -option[0]))
        if best == home or worth - options[0][1] <= _LEAST_GAIN:
            return False
        self._add(chunk, home, -1)
        self._add(chunk, best, 1)
        return True

    def _worth(self, chunk: int, group: int, near: dict[int, float]) -> float:
        """What being in a group is worth to a chunk, itself left out."""
        network, mass = self._network, self._mass[chunk]
        others = self._group_mass[group] - (mass if self._home[chunk] == group else 0.0)
        return near.get(group, 0.0) / network.total - network.resolution * mass * others
