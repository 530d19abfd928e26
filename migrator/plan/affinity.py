"""How strongly tables belong together: the weighted sum of the signals, each normalised."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from migrator.plan.evidence import Evidence
from migrator.plan.signals import (
    Pair,
    Signal,
    Weights,
    calls,
    foreign_keys,
    packages,
    paths,
    reads,
    transactions,
    writes,
)

SIGNALS: dict[str, tuple[Signal, float]] = {
    "transactions": (transactions.weigh, 4.0),
    "writes": (writes.weigh, 2.0),
    "packages": (packages.weigh, 2.0),
    "reads": (reads.weigh, 1.0),
    "foreign-keys": (foreign_keys.weigh, 1.0),
    "paths": (paths.weigh, 1.0),
    "calls": (calls.weigh, 0.5),
}
"""Signal to how it weighs pairs, and what it counts for in the sum."""


class Affinity:
    """The sum for every pair of tables, and what each signal gave to it."""

    def __init__(self, by_signal: Mapping[str, Weights]) -> None:
        self.by_signal = by_signal
        self.total: Weights = {}
        for name in sorted(by_signal):
            for pair, weight in sorted(by_signal[name].items()):
                self.total[pair] = self.total.get(pair, 0.0) + weight

    def between(self, a: str, b: str) -> float:
        """The affinity of two tables."""
        return self.total.get((min(a, b), max(a, b)), 0.0)

    def reasons(self, a: str, b: str) -> list[tuple[str, float]]:
        """What each signal gives to a pair, the strongest first."""
        pair = (min(a, b), max(a, b))
        found = [(name, w[pair]) for name, w in self.by_signal.items() if w.get(pair, 0) > 0]
        return sorted(found, key=lambda each: (-each[1], each[0]))


def measure(evidence: Evidence, weights: Mapping[str, float] | None = None) -> Affinity:
    """The affinity of all pairs; `weights` replaces the factors of the signals that it names."""
    chosen = {name: factor for name, (_, factor) in SIGNALS.items()} | dict(weights or {})
    return Affinity(
        {
            name: normalised(signal(evidence), chosen[name])
            for name, (signal, _) in SIGNALS.items()
            if chosen[name] > 0
        }
    )


def normalised(weights: Weights, factor: float) -> Weights:
    """Divide each weight by the root of the product of both tables' sums, times `factor`.

    The symmetric normalisation of an adjacency matrix: hubs are tied weakly to each neighbour.
    """
    degree: dict[str, float] = {}
    for (a, b), weight in sorted(weights.items()):
        for table in {a, b}:
            degree[table] = degree.get(table, 0.0) + weight

    def scaled(pair: Pair, weight: float) -> float:
        return factor * weight / sqrt(degree[pair[0]] * degree[pair[1]])

    return {pair: scaled(pair, weight) for pair, weight in sorted(weights.items()) if weight > 0}
