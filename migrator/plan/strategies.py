"""Ways to draw the boundaries, each with a trade-off of its own; one function a strategy.

Each takes the groups of the default proposal and returns others, made of whole groups or of sets
of tables that transactions bind, and keeps the architect's demands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from migrator.model.errors import ConfigurationError
from migrator.plan.consequences.outline import Consequences, Outline, follow
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.evidence.teams import team_of_tables
from migrator.plan.findings.bonds import loosened, meant, without
from migrator.plan.naming import slug
from migrator.plan.partition.constraints import Constraints
from migrator.plan.propose import apart_by, boundaries, inseparable, outline_of
from migrator.plan.signals.affinity import Affinity, measure

Groups = list[frozenset[str]]

Names = dict[str, str]
"""Table to the name that its service is to have, where the strategy knows one."""

_FEW = 3
_FEW_OF_ALL = 0.05
"""So many entry points, or this share of them, are exceptions that somebody can remake."""

_KEPT_QUALITY = 0.9
"""Of the modularity of the best cut, what a coarser one must keep to separate the same domains."""


class Strategy(NamedTuple):
    """How groups are made, and in a sentence what is gained and what is paid."""

    make: Callable[[Evidence, Groups, Constraints], tuple[Groups, Names]]
    tradeoff: str


def whole_transactions(_: Evidence, groups: Groups, __: Constraints) -> tuple[Groups, Names]:
    """The groups of the greatest modularity among those that split no transaction."""
    return groups, {}


def fewest(evidence: Evidence, groups: Groups, wanted: Constraints) -> tuple[Groups, Names]:
    """Merge those that are tied most until they would no longer separate the domains."""
    affinity = measure(evidence, wanted.weights)
    floor = _KEPT_QUALITY * modularity(affinity, groups)
    allowed = _mergeable(wanted)
    least = max(2, wanted.services[0] if wanted.services else 2)
    while len(groups) > least:
        pairs = [
            (round(_mean_tie(affinity, a, b), 9), i, j)
            for i, a in enumerate(groups)
            for j, b in enumerate(groups)
            if i < j and allowed(a, b)
        ]
        if not pairs:
            break
        _, i, j = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
        merged = _merged(groups, i, j)
        if modularity(affinity, merged) < floor:
            break
        groups = merged
    return groups, {}


def independent(evidence: Evidence, groups: Groups, wanted: Constraints) -> tuple[Groups, Names]:
    """Merge services that wait for each other until none does, the dearest calls first."""
    allowed = _mergeable(wanted)
    least = wanted.services[0] if wanted.services else 1
    while len(groups) > least:
        gathered = evidence.copied()
        outline, _ = outline_of(gathered, groups, replace(wanted, first=""))
        waits = _waits(follow(gathered, outline), outline, groups)
        pairs = [(cost, -i, -j) for (i, j), cost in waits.items() if allowed(groups[i], groups[j])]
        if not pairs:
            break
        _, i, j = max(pairs)
        groups = _merged(groups, -i, -j)
    return groups, {}


def domains(evidence: Evidence, _: Groups, wanted: Constraints) -> tuple[Groups, Names]:
    """The cut as it would be without the transactions that bind most tables into one service.

    A few entry points are left out as exceptions. Where many bind, as where one place commits for
    everybody, transactions tie what they are there to write, and bind nothing.
    Raises ConfigurationError where none do.
    """
    binding = loosened(evidence, wanted)
    if binding is None:
        raise ConfigurationError("no transactions bind more than half of the tables to each other")
    exceptions = max(_FEW, _FEW_OF_ALL * len(evidence.working))
    if len(binding.entry_points) <= exceptions:
        return boundaries(without(evidence, binding.entry_points), wanted), {}
    return boundaries(meant(evidence), wanted), {}


def by_team(evidence: Evidence, groups: Groups, wanted: Constraints) -> tuple[Groups, Names]:
    """A service for each team that owns code of tables; what a transaction binds stays whole.

    Raises ConfigurationError where nobody is known to own code, or one team owns all of it.
    """
    teams, source = team_of_tables(evidence)
    if not teams:
        raise ConfigurationError(source)
    atoms = inseparable(evidence, wanted)
    by_name: dict[str, set[str]] = {}
    for atom in atoms:
        votes = [teams[table] for table in sorted(atom) if table in teams]
        if votes:
            team = min(set(votes), key=lambda name: (-votes.count(name), name))
            by_name.setdefault(team, set()).update(atom)
    used = frozenset().union(*evidence.bound.values(), *evidence.reads.values())
    by_name = {name: tables for name, tables in by_name.items() if tables & used}
    if len(by_name) < 2:
        raise ConfigurationError(f"one team has all tables ({source})")
    left = frozenset(evidence.program.tables) - frozenset().union(*by_name.values())
    if left:
        affinity = measure(evidence, wanted.weights)
        for table in sorted(left):
            nearest = max(
                sorted(by_name),
                key=lambda name: sum(affinity.between(table, other) for other in by_name[name]),
            )
            by_name[nearest].add(table)
    named = {t: slug(name.rpartition("/")[2]) for name, tables in by_name.items() for t in tables}
    return sorted((frozenset(tables) for tables in by_name.values()), key=min), named


def one_service(evidence: Evidence, _: Groups, wanted: Constraints) -> tuple[Groups, Names]:
    """No split. Raises ConfigurationError where more than one service is demanded."""
    if (
        (wanted.services and wanted.services[0] > 1)
        or wanted.apart
        or wanted.first
        or len(set(wanted.pinned.values())) > 1
    ):
        raise ConfigurationError("more than one service is demanded")
    return [frozenset(evidence.program.tables)], {}


WHOLE_TRANSACTIONS = "whole-transactions"
ONE_SERVICE = "one-service"
DOMAINS = "domains"

STRATEGIES: Mapping[str, Strategy] = {
    WHOLE_TRANSACTIONS: Strategy(
        whole_transactions,
        "a service for each domain; every transaction stays whole",
    ),
    "fewest": Strategy(
        fewest,
        "the fewest services that still separate the domains: less to run, more in each",
    ),
    "independent": Strategy(
        independent,
        "no service waits for another: each answers alone, and those that call are one",
    ),
    DOMAINS: Strategy(
        domains,
        "a service for each domain, also where few transactions bind most tables: these are split,"
        " and each has to be remade",
    ),
    "by-team": Strategy(
        by_team,
        "a service for each team that owns the code, so that teams release alone",
    ),
    ONE_SERVICE: Strategy(
        one_service,
        "do not split: a modular monolith, nothing crosses and everything is released together",
    ),
}
"""By the name that a proposal has; the first is the default."""


def modularity(affinity: Affinity, groups: Groups) -> float:
    """Newman's modularity of groups in the network of affinities (Phys. Rev. E 69, 026113)."""
    total = 2 * sum(affinity.total.values())
    if not total:
        return 0.0
    degree: dict[str, float] = {}
    inside = 0.0
    home = {table: i for i, group in enumerate(groups) for table in group}
    for (a, b), weight in sorted(affinity.total.items()):
        degree[a] = degree.get(a, 0.0) + weight
        degree[b] = degree.get(b, 0.0) + weight
        if home.get(a) == home.get(b):
            inside += 2 * weight
    expected = sum((sum(degree.get(t, 0.0) for t in sorted(g)) / total) ** 2 for g in groups)
    return round(inside / total - expected, 9)


def _mean_tie(affinity: Affinity, a: frozenset[str], b: frozenset[str]) -> float:
    between = sum(affinity.between(x, y) for x in sorted(a) for y in sorted(b))
    return between / (len(a) * len(b))


def _mergeable(wanted: Constraints) -> Callable[[frozenset[str], frozenset[str]], bool]:
    apart = apart_by(wanted)

    def allowed(a: frozenset[str], b: frozenset[str]) -> bool:
        fits = not wanted.largest or len(a | b) <= wanted.largest
        return fits and not any(apart(x, y) for x in a for y in b)

    return allowed


def _merged(groups: Groups, i: int, j: int) -> Groups:
    rest = [group for n, group in enumerate(groups) if n not in (i, j)]
    return sorted([*rest, groups[i] | groups[j]], key=min)


def _waits(
    consequences: Consequences, outline: Outline, groups: Groups
) -> dict[tuple[int, int], float]:
    """What pairs of groups cost each other by what is waited for."""
    number = {outline.owner[table]: i for i, group in enumerate(groups) for table in group}
    worst: dict[tuple[str, str, str], float] = {}
    for service, walk in consequences.walks.items():
        for cut in walk.cuts:
            if cut.remedy not in ("defer", "copy"):
                key = (service, cut.function, cut.owner)
                worst[key] = max(worst.get(key, 0.0), cut.cost)
    found: dict[tuple[int, int], float] = {}
    for (service, _, owner), cost in sorted(worst.items()):
        i, j = sorted((number[service], number[owner]))
        found[i, j] = found.get((i, j), 0.0) + cost
    return found
