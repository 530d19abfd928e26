"""Merges groups one pair at a time, the most significant tie first, and keeps the whole history."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import sqrt

from migrator.plan.partition.network import Network


@dataclass(frozen=True)
class Merging:
    """How all atoms became few groups."""

    steps: tuple[tuple[int, int], ...]
    """The group that stays and the one that joins it, each by the number of an atom in it."""
    quality: dict[int, float]
    """The number of groups to the modularity of the cut at that point."""

    @property
    def counts(self) -> list[int]:
        """The numbers of groups that there were, the most first."""
        return sorted(self.quality, reverse=True)


def members_at(merging: Merging, atoms: int, count: int) -> list[int]:
    """Each atom's group when there were `count` groups."""
    parent = list(range(atoms))
    for into, joined in merging.steps[: atoms - count]:
        parent[joined] = into

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    return [root(i) for i in range(atoms)]


def merge(network: Network, least: int, largest: int = 0) -> Merging:
    """Merge until `least` groups are left, or until size and conflicts forbid every merger.

    Order: the gain of modularity over the root of both masses (significance). Where no ties are
    left the two lightest groups merge.
    """
    return _Merger(network, largest).run(least)


class _Merger:
    def __init__(self, network: Network, largest: int) -> None:
        self._network = network
        self._largest = largest
        self._near = [dict(near) for near in network.ties]
        self._mass = list(network.mass)
        self._size = list(network.sizes)
        self._foes = [set(foes) for foes in network.foes]
        self._alive = set(range(len(network)))
        self._age = [0] * len(network)
        self._heap: list[tuple[float, int, int, int, int]] = []

    def run(self, least: int) -> Merging:
        network = self._network
        for i, near in enumerate(self._near):
            self._heap += [self._entry(i, j) for j in near if i < j]
        heapify(self._heap)
        quality = network.quality(range(len(network)))
        found = {len(network): quality}
        steps: list[tuple[int, int]] = []
        while len(self._alive) > least:
            pair = self._next()
            if pair is None:
                break
            quality += self._gain(*pair)
            steps.append(self._join(*pair))
            found[len(self._alive)] = round(quality, 12)
        return Merging(tuple(steps), found)

    def _gain(self, i: int, j: int) -> float:
        network = self._network
        expected = 2 * network.resolution * self._mass[i] * self._mass[j]
        return 2 * self._near[i].get(j, 0.0) / network.total - expected

    def _entry(self, i: int, j: int) -> tuple[float, int, int, int, int]:
        i, j = min(i, j), max(i, j)
        weight = sqrt(self._mass[i] * self._mass[j]) or 1.0
        return (-round(self._gain(i, j) / weight, 9), i, j, self._age[i], self._age[j])

    def _may(self, i: int, j: int) -> bool:
        fits = not self._largest or self._size[i] + self._size[j] <= self._largest
        return fits and j not in self._foes[i]

    def _next(self) -> tuple[int, int] | None:
        while self._heap:
            _, i, j, age_i, age_j = heappop(self._heap)
            current = i in self._alive and j in self._alive
            if current and (self._age[i], self._age[j]) == (age_i, age_j) and self._may(i, j):
                return i, j
        light = sorted(self._alive, key=lambda i: (round(self._mass[i], 12), i))
        return next(
            ((i, j) for n, j in enumerate(light) for i in light[:n] if self._may(i, j)), None
        )

    def _join(self, i: int, j: int) -> tuple[int, int]:
        """Merge two groups under the number of the one with more ties, so that less is moved."""
        if (len(self._near[i]), -i) < (len(self._near[j]), -j):
            i, j = j, i
        near = self._near[i]
        for k, weight in self._near[j].items():
            if k != i:
                near[k] = near.get(k, 0.0) + weight
                self._near[k][i] = near[k]
                del self._near[k][j]
        near.pop(j, None)
        self._near[j] = {}
        for foe in self._foes[j]:
            self._foes[foe].add(i)
        self._foes[i] |= self._foes[j]
        self._mass[i] += self._mass[j]
        self._size[i] += self._size[j]
        self._age[i] += 1
        self._alive.discard(j)
        for k in near:
            heappush(self._heap, self._entry(i, k))
        return i, j
