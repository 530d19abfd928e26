"""Cuts a set of tables into groups: greedy modularity with constraints on top of hard merging.

Modularity: M. Newman, M. Girvan, "Finding and evaluating community structure in networks",
Phys. Rev. E 69, 026113, 2004; greedy merging as in A. Clauset et al., Phys. Rev. E 70, 066111,
and local moves as in V. Blondel et al., J. Stat. Mech. P10008, 2008. All orders are fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Groups = tuple[frozenset[str], ...]
"""Groups of tables, the alphabetically first table's group first."""


@dataclass(frozen=True)
class Cut:
    """A way to group the tables, and its modularity."""

    groups: Groups
    quality: float


def merge_bound(
    tables: Iterable[str], bonds: Iterable[frozenset[str]], apart: Callable[[str, str], bool]
) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
    """Sets of tables that stay together because of `bonds`; and the bonds that `apart` forbids."""
    group = {table: {table} for table in sorted(tables)}
    broken = []
    for bond in sorted(bonds, key=sorted):
        together = set().union(*(group[table] for table in bond if table in group))
        if any(apart(a, b) for a in together for b in together if a < b):
            broken.append(bond)
            continue
        for table in together:
            group[table] = together
    atoms = {frozenset(members) for members in group.values()}
    return sorted(atoms, key=min), broken


def cuts(
    atoms: Sequence[frozenset[str]],
    affinity: Callable[[str, str], float],
    apart: Callable[[str, str], bool],
) -> list[Cut]:
    """For every possible number of groups a good cut, the most groups first."""
    network = _Network(atoms, affinity, apart)
    groups: list[set[int]] = [{atom} for atom in range(len(atoms))]
    found = [network.cut(groups)]
    while True:
        best = network.best_merger(groups)
        if best is None:
            return found
        i, j = best
        groups[i] |= groups.pop(j)
        found.append(network.cut(network.refined(groups)))


class _Network:
    """Atoms with the affinities between them."""

    def __init__(
        self,
        atoms: Sequence[frozenset[str]],
        affinity: Callable[[str, str], float],
        apart: Callable[[str, str], bool],
    ) -> None:
        self._atoms = atoms
        n = len(atoms)
        self._weight = [[0.0] * n for _ in range(n)]
        self._apart = [[False] * n for _ in range(n)]
        for i in range(n):
            for j in range(i, n):
                pairs = [(a, b) for a in sorted(atoms[i]) for b in sorted(atoms[j])]
                both = sum(affinity(a, b) for a, b in pairs)
                self._weight[i][j] = self._weight[j][i] = both
                separate = i != j and any(apart(a, b) for a, b in pairs)
                self._apart[i][j] = self._apart[j][i] = separate
        self._degree = [sum(row) for row in self._weight]
        self._total = sum(self._degree) or 1.0

    def _gain(self, a: Iterable[int], b: Iterable[int]) -> float:
        """What modularity gains if two groups are one."""
        others = list(b)
        return sum(
            2 * self._weight[i][j] / self._total
            - 2 * self._degree[i] * self._degree[j] / self._total**2
            for i in a
            for j in others
        )

    def _forbidden(self, a: Iterable[int], b: Iterable[int]) -> bool:
        others = list(b)
        return any(self._apart[i][j] for i in a for j in others)

    def best_merger(self, groups: list[set[int]]) -> tuple[int, int] | None:
        """The positions of the two groups whose merging gains most; None: all are forbidden."""
        best: tuple[float, int, int] | None = None
        for i in range(len(groups)):
            for j in range(i + 1, len(groups)):
                if self._forbidden(groups[i], groups[j]):
                    continue
                gain = round(self._gain(groups[i], groups[j]), 12)
                if best is None or gain > best[0]:
                    best = (gain, i, j)
        return None if best is None else best[1:]

    def refined(self, groups: list[set[int]]) -> list[set[int]]:
        """The same number of groups after single atoms moved where they gain most."""
        groups = [set(group) for group in groups]
        for _ in range(10):
            moved = False
            for atom in range(len(self._atoms)):
                home = next(i for i, group in enumerate(groups) if atom in group)
                rest = groups[home] - {atom}
                if not rest:
                    continue
                stay = self._gain([atom], rest)
                options = [
                    (round(self._gain([atom], group) - stay, 12), -i)
                    for i, group in enumerate(groups)
                    if i != home and not self._forbidden([atom], group)
                ]
                if options and max(options)[0] > 1e-9:
                    groups[home].discard(atom)
                    groups[-max(options)[1]].add(atom)
                    moved = True
            if not moved:
                break
        return groups

    def cut(self, groups: list[set[int]]) -> Cut:
        """The groups by their tables, with their modularity."""
        quality = sum(
            self._weight[i][j] / self._total - self._degree[i] * self._degree[j] / self._total**2
            for group in groups
            for i in group
            for j in group
        )
        named = [frozenset().union(*(self._atoms[i] for i in group)) for group in groups]
        return Cut(tuple(sorted(named, key=min)), round(quality, 9))
