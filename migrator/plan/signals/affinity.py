"""How strongly tables belong together: the weighted sum of the signals, each normalised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from math import sqrt
from typing import NamedTuple

from migrator.model.errors import ConfigurationError
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import (
    Pair,
    Signal,
    Weights,
    authors,
    calls,
    co_change,
    foreign_keys,
    identifiers,
    observed,
    packages,
    paths,
    reads,
    transactions,
    writes,
)


class Kind(NamedTuple):
    """A signal: how it weighs pairs, what it counts for, and why it may have nothing to say."""

    weigh: Signal
    factor: float
    absent: Callable[[Evidence], str]


def _says(reason: str) -> Callable[[Evidence], str]:
    return lambda _: reason


SIGNALS: dict[str, Kind] = {
    "transactions": Kind(
        transactions.weigh, 4.0, _says("no transaction was found that writes several tables")
    ),
    "writes": Kind(writes.weigh, 2.0, _says("no table is written")),
    "packages": Kind(packages.weigh, 2.0, _says("all tables are declared in one file")),
    "reads": Kind(reads.weigh, 1.0, _says("no entry point reads a table")),
    "foreign-keys": Kind(foreign_keys.weigh, 1.0, _says("no table refers to another")),
    "paths": Kind(paths.weigh, 1.0, _says("no path or blueprint groups entry points")),
    "calls": Kind(calls.weigh, 0.5, _says("no code of one table calls code of another")),
    "observed": Kind(observed.weigh, 0.5, observed.absent),
    "co-change": Kind(co_change.weigh, 0.5, co_change.absent),
    "authors": Kind(authors.weigh, 0.25, authors.absent),
    "identifiers": Kind(identifiers.weigh, 0.25, identifiers.absent),
}
"""By name; the factors are those that hold unless somebody says otherwise."""


class Affinity:
    """The sum for every pair of tables, and what each signal gave to it."""

    def __init__(
        self, by_signal: Mapping[str, Weights], missing: Mapping[str, str] | None = None
    ) -> None:
        self.by_signal = by_signal
        self.missing = dict(missing or {})
        """The signals that are left out, with why."""
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
    """The affinity of all pairs; `weights` replaces the factors of the signals that it names.

    A signal with the factor 0, or with no evidence, is left out. Raises ConfigurationError for a
    signal that there is not.
    """
    chosen = {name: kind.factor for name, kind in SIGNALS.items()}
    for name, factor in (weights or {}).items():
        check_signal(name, SIGNALS)
        chosen[name] = factor
    asked = ("affinity", tuple(chosen.items()))
    if asked not in evidence.worked_out:
        evidence.worked_out[asked] = _measured(evidence, chosen)
    known: Affinity = evidence.worked_out[asked]
    return known


def _measured(evidence: Evidence, chosen: Mapping[str, float]) -> Affinity:
    found: dict[str, Weights] = {}
    missing: dict[str, str] = {}
    for name, kind in SIGNALS.items():
        if chosen[name] <= 0:
            missing[name] = "its weight is 0"
            continue
        weighed = normalised(_declared(evidence, kind.weigh(evidence)), chosen[name])
        if weighed:
            found[name] = weighed
        else:
            missing[name] = kind.absent(evidence)
    return Affinity(found, missing)


def _declared(evidence: Evidence, weights: Weights) -> Weights:
    """Without the tables that SQL names and nothing declares: nobody can own them."""
    tables = evidence.program.tables
    return {pair: weight for pair, weight in weights.items() if {*pair} <= tables.keys()}


def check_signal(name: str, known: Collection[str]) -> None:
    """Raise ConfigurationError for a signal that there is not."""
    if name not in known:
        close = get_close_matches(name, known, 1)
        raise ConfigurationError(
            f"there is no signal {name}",
            hint=f"did you mean {close[0]}?" if close else "one of: " + ", ".join(sorted(known)),
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
