"""Cuts what belongs together into groups: the objective, and the road to a good cut.

The objective is a modularity: the share of all ties that lie inside groups, less what a null model
expects there. M. Newman, M. Girvan, "Finding and evaluating community structure in networks",
Phys. Rev. E 69, 026113, 2004; with a resolution and another mass than the degree as in
J. Reichardt, S. Bornholdt, "Statistical mechanics of community detection", Phys. Rev. E 74,
016110, 2006. The road is that of A. Noack, R. Rotta, "Multi-level algorithms for modularity
clustering", SEA 2009: groups merge in order of the significance of their tie (`merging`), and
chunks of all sizes then move where they gain most, from coarse to fine (`moving`).

All orders are fixed and all sums are rounded before they are compared: the same input gives the
same cut, on any machine. About n log n steps for n atoms of bounded degree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from migrator.plan.partition.merging import Merging, merge
from migrator.plan.partition.moving import refine
from migrator.plan.partition.network import Conflict, Network

Groups = tuple[frozenset[str], ...]
"""Groups of names, the alphabetically first name's group first."""

_ALL_COUNTS = 40
"""Up to so many atoms every number of groups is tried to the end; beyond, those near the best."""

_LEAST_TRIES = 3
_WORK = 4000
"""Of many atoms so many numbers of groups, times atoms, are tried to the end."""


@dataclass(frozen=True)
class Cut:
    """A way to group the names, and its modularity."""

    groups: Groups
    quality: float


@dataclass(frozen=True)
class Limits:
    """What a cut must keep to: the number of groups, and how many names one may have at most."""

    least: int = 1
    most: int = 0
    """0: as many as there are."""
    largest: int = 0
    """0: any number."""


def merge_bound(
    names: Iterable[str],
    bonds: Iterable[frozenset[str]],
    conflicts: Collection[Conflict],
    largest: int = 0,
) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
    """Sets of names that stay together because of `bonds`; and the bonds that are broken.

    A bond is broken if it would bring two names of a conflict together, or more than `largest`
    (0: any number).
    """
    group = {name: {name} for name in sorted(names)}
    foes: dict[str, set[str]] = {}
    for a, b in conflicts:
        foes.setdefault(a, set()).add(b)
        foes.setdefault(b, set()).add(a)
    broken = []
    for bond in sorted(bonds, key=sorted):
        parts = {id(group[name]): group[name] for name in bond if name in group}
        if len(parts) < 2:
            continue  # of hundreds of bonds most bind again what is together
        together = set().union(*parts.values())
        too_large = largest and len(together) > largest
        if too_large or any(foes[name] & together for name in foes.keys() & together):
            broken.append(bond)
            continue
        for name in together:
            group[name] = together
    atoms = {frozenset(members) for members in group.values()}
    return sorted(atoms, key=min), broken


def cuts(network: Network, limits: Limits | None = None) -> list[Cut]:
    """Good cuts for the numbers of groups that are worth it, the most groups first.

    Of few atoms every number within the limits; of many those around the best. Empty if no number
    of groups within the limits can be reached.
    """
    wanted = limits or Limits()
    merging = merge(network, max(wanted.least, 1), wanted.largest)
    most = wanted.most or len(network)
    possible = [n for n in merging.counts if wanted.least <= n <= most]
    if not possible:
        return []
    if len(possible) > _ALL_COUNTS:
        tries = max(_LEAST_TRIES, min(_ALL_COUNTS // 2, _WORK // len(network)))
        possible = sorted(possible, key=lambda n: (-merging.quality[n], n))[:tries]
    return [_cut(network, merging, count, wanted) for count in sorted(possible, reverse=True)]


def counts_of(network: Network, largest: int = 0) -> list[int]:
    """The numbers of groups that there can be, the most first."""
    return merge(network, 1, largest).counts


def _cut(network: Network, merging: Merging, count: int, limits: Limits) -> Cut:
    labels = refine(network, merging, count, limits.largest)
    groups: dict[int, set[str]] = {}
    for atom, label in enumerate(labels):
        groups.setdefault(label, set()).update(network.atoms[atom])
    named = sorted((frozenset(members) for members in groups.values()), key=min)
    return Cut(tuple(named), round(network.quality(labels), 9))
