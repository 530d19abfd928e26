"""Five measures of a partition of classes, and the purity of its tables.

As the artifact of A. Kalia et al., "Mono2Micro: a practical and effective tool for decomposing
monolithic Java applications to microservices", ESEC/FSE 2021, computes them, so that figures can
be compared with those published; database purity is that of V. Nitin et al., "CARGO: AI-guided
dependency analysis for migrating monolithic applications to microservices architecture", ASE 2022.
Other papers mean other formulas by the same names. A class that no group holds is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import log
from typing import TypeVar

import msgspec

Unit = TypeVar("Unit", bound=Hashable)
"""What is partitioned: classes, functions, modules; any value that compares."""

_USUAL = range(5, 21)
"""Sizes of a partition, in classes, that are not extreme."""


class Measures(msgspec.Struct, kw_only=True, frozen=True):
    """Of one partition. Up is better for `sm` and `database_purity`, down for all others.

    None: nothing is known that it could be measured by (use cases, tables).
    """

    sm: float
    """Structural modularity: connections inside groups less connections between them."""
    icp: float
    """Inter-partition calls: the share of the logarithmic call volume that crosses."""
    bcp: float | None
    """Business context purity: the mean logarithm of the number of use cases of a group."""
    ifn: float
    """Interfaces: pairs of classes of different groups that call each other, for each group."""
    ned: float
    """Non-extreme distribution: the share of classes in groups of fewer than 5 or more than 20."""
    database_purity: float | None
    """1 less the mean entropy (nats) of the groups that use a table."""


def measure_partition(
    groups: Sequence[Sequence[Unit]],
    calls: Mapping[tuple[Unit, Unit], float],
    *,
    use_cases: Mapping[Unit, Iterable[str]] | None = None,
    accesses: Mapping[str, Mapping[Unit, float]] | None = None,
) -> Measures:
    """All measures of `groups`; `calls` maps caller and callee to a number of calls, at least 1.

    `use_cases` says which use cases touch a class, `accesses` how often a class uses each table.
    The order of classes in a group matters to SM alone (see there). Empty groups do not count.
    """
    filled = [list(group) for group in groups if group]
    home = {unit: number for number, group in enumerate(filled) for unit in group}
    known = {pair: v for pair, v in calls.items() if pair[0] in home and pair[1] in home}
    return Measures(
        sm=structural_modularity(filled, known),
        icp=inter_partition_calls(home, known),
        bcp=None if use_cases is None else business_context_purity(filled, use_cases),
        ifn=interfaces(home, known) / len(filled) if filled else 0.0,
        ned=non_extreme_distribution(filled),
        database_purity=None if not accesses else database_purity(home, accesses),
    )


def structural_modularity(
    groups: Sequence[Sequence[Unit]], calls: Mapping[tuple[Unit, Unit], float]
) -> float:
    """SM: the mean of mu_i / n_i^2 less the mean over pairs of groups of sigma_ij / (n_i n_j).

    mu_i counts the undirected pairs of classes in group i that call each other, and classes that
    call themselves, but for the group's last one: the artifact's loop ends before it.
    """
    home = {unit: number for number, group in enumerate(groups) for unit in group}
    last = {group[-1] for group in groups}
    inside: Counter[int] = Counter()
    between: Counter[tuple[int, int]] = Counter()
    for a, b in _undirected(calls):
        if home[a] != home[b]:
            between[min(home[a], home[b]), max(home[a], home[b])] += 1
        elif a != b or a not in last:
            inside[home[a]] += 1
    count = len(groups)
    if not count:
        return 0.0
    cohesion = sum(inside[i] / len(group) ** 2 for i, group in enumerate(groups)) / count
    if count == 1:
        return cohesion
    pairs = count * (count - 1) / 2
    coupling = sum(n / (len(groups[i]) * len(groups[j])) for (i, j), n in sorted(between.items()))
    return cohesion - coupling / pairs


def inter_partition_calls(
    home: Mapping[Unit, int], calls: Mapping[tuple[Unit, Unit], float]
) -> float:
    """ICP: the sum of ln(volume) + 1 over calls that cross, of that over all; none to itself."""
    crossing = everything = 0.0
    for (caller, callee), volume in calls.items():
        if caller != callee:
            weight = log(volume) + 1
            everything += weight
            crossing += weight if home[caller] != home[callee] else 0.0
    return crossing / everything if everything else 0.0


def business_context_purity(
    groups: Sequence[Sequence[Unit]], use_cases: Mapping[Unit, Iterable[str]]
) -> float:
    """BCP: the mean over groups of ln(number of distinct use cases).

    A class that no use case touches counts as touched by one, the same for all such classes.
    """
    if not groups:
        return 0.0
    logs = [
        log(len({case for unit in group for case in use_cases.get(unit) or ("",)}))
        for group in groups
    ]
    return sum(logs) / len(groups)


def interfaces(home: Mapping[Unit, int], calls: Mapping[tuple[Unit, Unit], float]) -> int:
    """The undirected pairs of classes that call each other across groups; IFN is that by group."""
    return sum(home[a] != home[b] for a, b in _undirected(calls))


def non_extreme_distribution(groups: Sequence[Sequence[Unit]]) -> float:
    """NED: 1 less the share of classes in groups of 5 to 20 classes."""
    sizes = [len(group) for group in groups]
    return 1 - sum(size for size in sizes if size in _USUAL) / (sum(sizes) or 1)


def database_purity(
    home: Mapping[Unit, int], accesses: Mapping[str, Mapping[Unit, float]]
) -> float:
    """1 less the mean over tables of the entropy, in nats, of the groups that use each."""
    entropies = []
    for users in accesses.values():
        shares: dict[int, float] = {}
        for unit, weight in users.items():
            if unit in home:
                shares[home[unit]] = shares.get(home[unit], 0.0) + weight
        total = sum(shares.values())
        if total:
            entropies.append(-sum(n / total * log(n / total) for n in shares.values() if n))
    return 1 - sum(entropies) / len(entropies) if entropies else 1.0


def _undirected(calls: Mapping[tuple[Unit, Unit], float]) -> list[tuple[Unit, Unit]]:
    """Each pair that calls, in either direction, once; a class that calls itself is a pair too."""
    seen: set[tuple[Unit, Unit]] = set()
    pairs = []
    for a, b in calls:
        if (b, a) not in seen:
            seen.add((a, b))
            pairs.append((a, b))
    return list(dict.fromkeys(pairs))
