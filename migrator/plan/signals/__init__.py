"""Signals that two tables belong together: one file each, found through `affinity.SIGNALS`.

A signal is a function from the evidence to weights of pairs of tables, in units of its own.
A pair of a table with itself says how much of the signal concerns that table alone. Affinity
normalises them, so that what is tied to everything is not tied strongly to anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations

from migrator.plan.evidence.evidence import Evidence

Pair = tuple[str, str]
"""Two tables in alphabetical order, or one twice."""

Weights = dict[Pair, float]

Signal = Callable[[Evidence], Weights]


def add_clique(weights: Weights, tables: Iterable[str], weight: float = 1.0) -> None:
    """Tie tables that occur together once: each is tied to the others with `weight` in sum.

    A table that occurs alone is tied to itself.
    """
    members = sorted(set(tables))
    if len(members) == 1:
        alone = (members[0], members[0])
        weights[alone] = weights.get(alone, 0.0) + weight
    for pair in combinations(members, 2):
        weights[pair] = weights.get(pair, 0.0) + weight / (len(members) - 1)


def cliques(sets: Iterable[Iterable[str]]) -> Weights:
    """Every set tied as by `add_clique`; equal ones, of which real code has hundreds, at once."""
    weights: Weights = {}
    for members, times in Counter(map(frozenset, sets)).items():
        add_clique(weights, members, float(times))
    return weights
