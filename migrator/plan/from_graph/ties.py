"""How strongly the classes of a graph belong together: signals of classes, one function each.

What is shared gives weights of pairs, which are divided by the fourth root of the product of both
classes' sums before they are added up: half-way to the symmetric normalisation of tables
(`affinity.normalised`), since the number of ties of a class is in part what it is, and in part how
many use it. What one class does with another has a direction, and is discounted at each end by
itself: what many use says little of who uses it, while a class that uses many may well be what
holds them together. V. Satuluri, S. Parthasarathy, "Symmetrizations for clustering directed
graphs", EDBT 2011 (there with 1/2 at both ends). Chosen like the resolution of `partitioned`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from migrator.plan.from_graph.file import ClassGraph, Use
from migrator.plan.signals import Weights, add_clique
from migrator.plan.signals.affinity import check_signal
from migrator.plan.signals.paths import first_part

_SHARED_EXPONENT = 0.25
"""Of both classes' sums, where they share something."""

_USER_EXPONENT = 0.25
_USED_EXPONENT = 0.5
"""Of the sums of who uses and of what is used."""

_CROWD = 50
"""Classes that share something with more than so many others are not tied by it."""

_CROWD_AT_TABLE = 20
"""The same for a table: what so many use is infrastructure, and says nothing of their domain."""


@dataclass(frozen=True)
class Ties:
    """The sum over all signals, and which there were."""

    total: Weights
    weights: dict[str, float]
    missing: dict[str, str]


def ties(
    graph: ClassGraph, classes: Sequence[str], weights: Mapping[str, float] | None = None
) -> Ties:
    """The ties of all pairs of `classes`. Raises ConfigurationError for an unknown signal."""
    chosen = {name: factor for name, (_, factor) in _SIGNALS.items()}
    for name, factor in (weights or {}).items():
        check_signal(name, _SIGNALS)
        chosen[name] = factor
    known = frozenset(classes)
    total: Weights = {}
    used: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name, (signal, _) in _SIGNALS.items():
        if chosen[name] <= 0:
            missing[name] = "its weight is 0"
            continue
        found = {p: w for p, w in signal(graph, known).items() if p[0] != p[1] and known >= {*p}}
        if not found:
            missing[name] = _NOTHING[name]
            continue
        used[name] = chosen[name]
        temper = _tempered_by_direction if name in _DIRECTED else _tempered
        for pair, weight in temper(found).items():
            total[pair] = total.get(pair, 0.0) + chosen[name] * weight
    return Ties(total, used, missing)


def _tempered(weights: Weights) -> Weights:
    degree: dict[str, float] = {}
    for (a, b), weight in sorted(weights.items()):
        degree[a] = degree.get(a, 0.0) + weight
        degree[b] = degree.get(b, 0.0) + weight
    return {
        (a, b): weight / (degree[a] * degree[b]) ** _SHARED_EXPONENT
        for (a, b), weight in sorted(weights.items())
    }


def _tempered_by_direction(weights: Weights) -> Weights:
    """Of pairs of who uses and what is used, the weights of pairs in alphabetical order."""
    using: dict[str, float] = {}
    used: dict[str, float] = {}
    for (a, b), weight in sorted(weights.items()):
        using[a] = using.get(a, 0.0) + weight
        used[b] = used.get(b, 0.0) + weight
    found: Weights = {}
    for (a, b), weight in sorted(weights.items()):
        pair = (min(a, b), max(a, b))
        rest = weight / (using[a] ** _USER_EXPONENT * used[b] ** _USED_EXPONENT)
        found[pair] = found.get(pair, 0.0) + rest
    return found


def _calls(graph: ClassGraph, _: Collection[str]) -> Weights:
    """Logarithms of volumes: a loop of a thousand calls ties little more than one of ten."""
    return _directed(graph.calls, lambda use: log(max(use.count, 1.0)) + 1)


def _uses(graph: ClassGraph, _: Collection[str]) -> Weights:
    return _directed(graph.uses, lambda use: 1.0)


def _writes(graph: ClassGraph, _: Collection[str]) -> Weights:
    return _cliques((table.writers for table in graph.tables.values()), _CROWD_AT_TABLE)


def _reads(graph: ClassGraph, _: Collection[str]) -> Weights:
    users = ({**table.writers, **table.readers} for table in graph.tables.values())
    return _cliques(users, _CROWD_AT_TABLE)


def _transactions(graph: ClassGraph, _: Collection[str]) -> Weights:
    """What takes part in a transaction, and who writes the tables that it commits."""
    weights: Weights = {}
    for transaction in graph.transactions:
        members = set(transaction.classes)
        for table in transaction.tables:
            if table in graph.tables:
                members |= set(graph.tables[table].writers)
        if len(members) <= _CROWD:
            add_clique(weights, members, log(max(transaction.count, 1.0)) + 1)
    return weights


def _references(graph: ClassGraph, _: Collection[str]) -> Weights:
    """Who writes a table, and who writes those that it refers to."""
    weights: Weights = {}
    for table in graph.tables.values():
        for other in table.references:
            if other in graph.tables:
                ends = sorted(table.writers), sorted(graph.tables[other].writers)
                for a in ends[0]:
                    for b in ends[1]:
                        if a != b:
                            pair = (min(a, b), max(a, b))
                            share = 1 / (len(ends[0]) * len(ends[1]))
                            weights[pair] = weights.get(pair, 0.0) + share
    return weights


def _routes(graph: ClassGraph, _: Collection[str]) -> Weights:
    """What answers under the same first part of the path."""
    groups: dict[str, set[str]] = {}
    for route in graph.routes:
        groups.setdefault(first_part(route.path), set()).update(route.classes)
    groups.pop("", None)
    return _cliques(groups.values(), _CROWD)


def _packages(_: ClassGraph, classes: Collection[str]) -> Weights:
    """Classes of one package: by how much of all classes it leaves out."""
    groups: dict[str, set[str]] = {}
    for name in classes:
        package = name.rpartition(".")[0]
        while package:
            groups.setdefault(package, set()).add(name)
            package = package.rpartition(".")[0]
    weights: Weights = {}
    for package in sorted(groups):
        members = groups[package]
        if 1 < len(members) <= min(_CROWD, len(classes) - 1):
            add_clique(weights, members, log(len(classes) / len(members)))
    return weights


def _cliques(groups: Iterable[Collection[str]], crowd: int) -> Weights:
    weights: Weights = {}
    for members in groups:
        if len(members) <= crowd:
            add_clique(weights, members)
    return weights


def _directed(uses: Iterable[Use], weigh: Callable[[Use], float]) -> Weights:
    weights: Weights = {}
    for use in uses:
        pair = (use.caller, use.callee)
        weights[pair] = weights.get(pair, 0.0) + weigh(use)
    return weights


_SIGNALS: dict[str, tuple[Callable[[ClassGraph, Collection[str]], Weights], float]] = {
    "transactions": (_transactions, 4.0),
    "writes": (_writes, 2.0),
    "packages": (_packages, 0.5),
    "calls": (_calls, 1.0),
    "uses": (_uses, 3.0),
    "reads": (_reads, 1.0),
    "foreign-keys": (_references, 1.0),
    "paths": (_routes, 0.5),
}

_DIRECTED = frozenset({"calls", "uses"})
"""Signals whose pairs are of who uses and what is used."""

WEIGHTS = {name: factor for name, (_, factor) in _SIGNALS.items()}
"""What each signal counts for in the sum, if nobody says otherwise."""

_NOTHING = {
    "transactions": "no transaction ties several classes",
    "writes": "no table is written by several classes",
    "packages": "the names of the classes have no packages that tell them apart",
    "calls": "the graph has no calls",
    "uses": "the graph has no other uses than calls",
    "reads": "no table is used by several classes",
    "foreign-keys": "no table refers to another",
    "paths": "no path is answered by several classes",
}
