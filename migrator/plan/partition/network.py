"""What is partitioned: atoms, the ties between them, and what may not be together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

Conflict = tuple[str, str]
"""Two names that may not be in one group."""

BALANCE = 1.0
"""How much of an atom's mass is its size; the rest is its share of all ties."""

RESOLUTION = 1.5
"""How many times the expected ties count against the real ones: more makes groups smaller."""


class Network:
    """Atoms by number with symmetric ties, masses and conflicts; made once, then only read.

    An atom is a set of names that stay together. Its mass, by which ties are expected, is between
    its share of all ties (the configuration model) and its share of all names (the constant Potts
    model, V. Traag et al., "Narrow scope for resolution-limit-free community detection",
    Phys. Rev. E 84, 016114, 2011, which makes groups of comparable size and has no least size that
    it can see): `balance` says how far it is the latter.
    """

    def __init__(
        self,
        atoms: Sequence[frozenset[str]],
        ties: Mapping[tuple[str, str], float],
        conflicts: Collection[Conflict] = (),
        *,
        balance: float = BALANCE,
        resolution: float = RESOLUTION,
    ) -> None:
        self.atoms = atoms
        self.resolution = resolution
        number = {name: i for i, atom in enumerate(atoms) for name in atom}
        self.ties: list[dict[int, float]] = [{} for _ in atoms]
        """To other atoms."""
        self.inner = [0.0] * len(atoms)
        """Twice the ties inside an atom."""
        for (a, b), weight in sorted(ties.items()):
            i, j = number[a], number[b]
            if i == j:
                self.inner[i] += weight if a == b else 2 * weight
            else:
                self.ties[i][j] = self.ties[i].get(j, 0.0) + weight
                self.ties[j][i] = self.ties[j].get(i, 0.0) + weight
        degree = [self.inner[i] + sum(near.values()) for i, near in enumerate(self.ties)]
        self.total = sum(degree) or 1.0
        self.sizes = [len(atom) for atom in atoms]
        names = sum(self.sizes) or 1
        self.mass = [
            (1 - balance) * each / self.total + balance * size / names
            for each, size in zip(degree, self.sizes, strict=True)
        ]
        self.foes: list[frozenset[int]] = _foes(len(atoms), number, conflicts)

    def __len__(self) -> int:
        return len(self.atoms)

    def quality(self, labels: Sequence[int]) -> float:
        """The modularity of a cut, given each atom's group."""
        inside = 0.0
        mass: dict[int, float] = {}
        for i, near in enumerate(self.ties):
            inside += self.inner[i]
            inside += sum(weight for j, weight in near.items() if labels[i] == labels[j])
            mass[labels[i]] = mass.get(labels[i], 0.0) + self.mass[i]
        return inside / self.total - self.resolution * sum(m * m for m in mass.values())


def _foes(
    count: int, number: Mapping[str, int], conflicts: Iterable[Conflict]
) -> list[frozenset[int]]:
    found: list[set[int]] = [set() for _ in range(count)]
    for a, b in conflicts:
        i, j = number[a], number[b]
        if i != j:
            found[i].add(j)
            found[j].add(i)
    return [frozenset(each) for each in found]
