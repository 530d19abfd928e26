"""A graph of classes in whatever language, read from JSON and partitioned.

Two formats are read. The plain one maps `"caller--callee"` to a number of calls, and `Root` stands
for the outside (that of the Mono2Micro study). The rich one is `ClassGraph`, which also knows
tables, transactions, routes and uses that are no calls.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from migrator.model.errors import ConfigurationError, Place
from migrator.plan.from_graph.file import ClassGraph, Use
from migrator.plan.from_graph.ties import ties
from migrator.plan.naming import slug, telling_part
from migrator.plan.partition.constraints import (
    Constraints,
    atoms_of,
    check_known,
    conflicts,
    infeasible,
)
from migrator.plan.partition.cut import Cut, Limits, counts_of, cuts
from migrator.plan.partition.metrics import Measures, measure_partition
from migrator.plan.partition.network import Network

OUTSIDE = "Root"
"""The caller that stands for users and other systems in the plain format."""

_BALANCE = 0.5
_RESOLUTION = 0.75
"""See `Network`; chosen by agreement with packages that people cut (`benchmarks/human_cuts.py`)."""

_HINT = "docs/propose.md describes both formats, under `Graphs from other languages`"


class GraphPartition(msgspec.Struct, kw_only=True):
    """A partition of classes with its scores."""

    partition: dict[str, str]
    """Class to the name of its group."""
    owners: dict[str, str]
    """Table to the group that writes it most, or reads it most if nobody writes it."""
    measures: Measures
    split_transactions: list[str]
    """Names of transactions that write tables of several groups."""
    signals: dict[str, float]
    """The signals that there was evidence for, with their weights."""
    left_out: dict[str, str]
    """Those that there was none for, or that were switched off, with why."""
    loose: list[str]
    """Classes that nothing ties to another: put where the fewest are, after the others were cut."""

    @property
    def groups(self) -> dict[str, list[str]]:
        """Group to its classes, both sorted."""
        found: dict[str, list[str]] = {}
        for name, group in sorted(self.partition.items()):
            found.setdefault(group, []).append(name)
        return dict(sorted(found.items()))


def read_graph(path: Path) -> ClassGraph:
    """The graph in a file of either format. Raises ConfigurationError with the place."""
    content = _json(path)
    if not isinstance(content, dict):
        raise ConfigurationError("must be a JSON object", place=Place(str(path)), hint=_HINT)
    if "calls" not in content and all("--" in key for key in content):
        return ClassGraph(calls=[_plain(path, key, value) for key, value in content.items()])
    try:
        return msgspec.convert(content, ClassGraph)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error), place=Place(str(path)), hint=_HINT) from None


def read_use_cases(path: Path) -> dict[str, list[str]]:
    """Class to the use cases that touch it. Raises ConfigurationError with the place."""
    try:
        return msgspec.convert(_json(path), dict[str, list[str]])
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{error}: use cases map each class to a list of names", place=Place(str(path))
        ) from None


def partition_graph(
    graph: ClassGraph,
    constraints: Constraints | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    use_cases: Mapping[str, Sequence[str]] | None = None,
) -> GraphPartition:
    """Partition the classes of a graph; names in the constraints are classes.

    `weights` replaces those of the signals that it names (`from_graph_ties.WEIGHTS`).
    `use_cases` change nothing but the score BCP. The same input gives the same partition. Raises
    ConfigurationError for unknown names and for demands that cannot be met together.
    """
    wanted = constraints or Constraints()
    classes = classes_of(graph)
    if not classes:
        raise ConfigurationError("the graph names no class", hint=_HINT)
    check_known(classes, wanted, "class")
    found = ties(graph, classes, weights)

    loose = _loose(classes, found.total, wanted)
    best = _best(_network(classes, loose, found.total, wanted), classes, wanted)
    if best is None and loose:
        loose = []
        best = _best(_network(classes, loose, found.total, wanted), classes, wanted)
    if best is None:
        raise infeasible(
            wanted,
            lambda asked: counts_of(_network(classes, [], found.total, asked), asked.largest),
        )
    grouped = [set(group) for group in best.groups]
    for name in loose:
        min(grouped, key=len).add(name)
    # Files give classes in an order of their own, and one of the measures depends on it.
    groups = [[name for name in classes if name in group] for group in grouped]
    named = _names(groups, found.total, wanted)
    partition = {name: named[i] for i, group in enumerate(groups) for name in group}
    owners = _owners(graph, partition)
    return GraphPartition(
        partition=partition,
        owners=owners,
        measures=measure_partition(
            groups,
            {(use.caller, use.callee): use.count for use in _inside(graph.calls)},
            use_cases=use_cases,
            accesses=_accesses(graph),
        ),
        split_transactions=[
            transaction.name or f"transaction {number}"
            for number, transaction in enumerate(graph.transactions, start=1)
            if len({owners[table] for table in transaction.tables if table in owners}) > 1
        ],
        signals=found.weights,
        left_out=found.missing,
        loose=loose,
    )


def _loose(
    classes: Sequence[str], total: Mapping[tuple[str, str], float], wanted: Constraints
) -> list[str]:
    """Classes that nothing ties to another, and that no demand names.

    They say nothing of where boundaries lie, so that the others are cut without them.
    """
    named = {name for pair in total for name in pair} | set(wanted.pinned)
    named |= {name for group in (*wanted.together, *wanted.apart) for name in group}
    loose = [name for name in classes if name not in named]
    return loose if len(loose) < len(classes) else []


def _network(
    classes: Sequence[str],
    loose: Collection[str],
    total: Mapping[tuple[str, str], float],
    wanted: Constraints,
) -> Network:
    left_out = set(loose)
    cut = [name for name in classes if name not in left_out]
    return Network(
        atoms_of(cut, wanted), total, conflicts(wanted), balance=_BALANCE, resolution=_RESOLUTION
    )


def _best(network: Network, classes: Collection[str], wanted: Constraints) -> Cut | None:
    """The cut of the greatest modularity that has room for all classes; None if there is none."""
    least, most = wanted.services or (1, 0)
    if wanted.largest:
        least = max(least, -(-len(classes) // wanted.largest))
    options = cuts(network, Limits(least, most, wanted.largest))
    return max(options, key=lambda cut: (round(cut.quality, 6), -len(cut.groups)), default=None)


def classes_of(graph: ClassGraph) -> list[str]:
    """Every class that a graph names, in the order of the file; the outside left out."""
    found: dict[str, None] = dict.fromkeys(graph.classes)
    for use in (*graph.calls, *graph.uses):
        found |= {use.caller: None, use.callee: None}
    for table in graph.tables.values():
        found |= dict.fromkeys((*table.writers, *table.readers))
    for transaction in graph.transactions:
        found |= dict.fromkeys(transaction.classes)
    for route in graph.routes:
        found |= dict.fromkeys(route.classes)
    found.pop(OUTSIDE, None)
    return list(found)


def _inside(uses: Sequence[Use]) -> list[Use]:
    return [use for use in uses if OUTSIDE not in (use.caller, use.callee)]


def _plain(path: Path, key: str, value: Any) -> Use:
    caller, _, callee = key.partition("--")
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 1 or not callee:
        raise ConfigurationError(
            f'"{key}": {json.dumps(value)} is not "caller--callee": number of calls',
            place=Place(str(path)),
            hint=_HINT,
        )
    return Use(caller=caller, callee=callee, count=float(value))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", place=Place(str(path)), hint=_HINT
        ) from None
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        raise ConfigurationError(
            f"is not valid JSON: {error}", place=Place(str(path), line), hint=_HINT
        ) from None


def _accesses(graph: ClassGraph) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, table in graph.tables.items():
        users = dict(table.writers)
        for unit, count in table.readers.items():
            users[unit] = users.get(unit, 0.0) + count
        found[name] = users
    return found


def _owners(graph: ClassGraph, partition: Mapping[str, str]) -> dict[str, str]:
    owners = {}
    for name, table in sorted(graph.tables.items()):
        votes: dict[str, float] = {}
        for unit, count in (table.writers or table.readers).items():
            if unit in partition:
                votes[partition[unit]] = votes.get(partition[unit], 0.0) + count
        if votes:
            owners[name] = min(votes, key=lambda group: (-votes[group], group))
    return owners


def _names(
    groups: Sequence[Sequence[str]], total: Mapping[tuple[str, str], float], wanted: Constraints
) -> list[str]:
    """A distinct name for each group: as demanded, else after the class that is tied most in it."""
    inside: dict[str, float] = {}
    home = {name: i for i, group in enumerate(groups) for name in group}
    for (a, b), weight in sorted(total.items()):
        if home[a] == home[b]:
            for name in {a, b}:
                inside[name] = inside.get(name, 0.0) + weight
    chosen: list[str] = []
    for group in groups:
        owner = next((wanted.pinned[name] for name in sorted(group) if name in wanted.pinned), "")
        centre = min(group, key=lambda name: (-round(inside.get(name, 0.0), 9), name))
        name = base = owner or slug(telling_part(centre))
        number = 2
        while name in chosen:
            name, number = f"{base}_{number}", number + 1
        chosen.append(name)
    return chosen
