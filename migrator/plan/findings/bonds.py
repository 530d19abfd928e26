"""Which transactions bind most tables into one service, and which few would have to be remade."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from migrator.model.plan import Finding, Plan
from migrator.plan.evidence.evidence import Binding, Evidence
from migrator.plan.findings.kinds import GIANT
from migrator.plan.partition.constraints import Constraints, atoms_of, conflicts
from migrator.plan.partition.cut import merge_bound
from migrator.plan.wording import counted, enumerated

GIANT_SHARE = 0.5
"""A set of tables is a giant if it has more than this share of all, and so many at least."""

LEAST_TABLES = 6


class Loosened(NamedTuple):
    """The entry points whose transactions bind the giant, the most binding first."""

    entry_points: tuple[str, ...]
    largest: int
    """The tables of the largest set that is bound without them."""


def is_giant(tables: int, total: int) -> bool:
    """Whether so many tables of one service are most of the application."""
    return tables >= LEAST_TABLES and tables > GIANT_SHARE * total


def bound_sets(evidence: Evidence, wanted: Constraints | None = None) -> list[frozenset[str]]:
    """The sets of tables that demands and transactions keep together."""
    return _sets(evidence, wanted or Constraints(), evidence.bonds)


def loosened(evidence: Evidence, wanted: Constraints | None = None) -> Loosened | None:
    """What would have to be remade for the largest set of bound tables to be no giant; None: it
    is none.

    Greedy: the entry points with the widest transactions go first; those that turn out not to
    matter are put back, the narrowest first.
    """
    wanted = wanted or Constraints()
    total = len(evidence.program.tables)
    alike = _alike(evidence)
    kept = dict(alike)

    def sizes(kinds: Iterable[frozenset[frozenset[str]]]) -> list[int]:
        bonds = sorted({bond for kind in kinds for bond in kind}, key=sorted)
        found = [len(each) for each in _sets(evidence, wanted, bonds)]
        return sorted(found, reverse=True)

    largest = sizes(kept)[0] if total else 0
    if not is_giant(largest, total):
        return None
    gone: list[frozenset[frozenset[str]]] = []
    for kind in sorted(alike, key=lambda k: (-max(map(len, k)), -len(alike[k]), alike[k])):
        if not is_giant(sizes(kept)[0], total):
            break
        gone.append(kind)
        del kept[kind]
    for kind in reversed(gone.copy()):
        if not is_giant(sizes([*kept, kind])[0], total):
            kept[kind] = alike[kind]
            gone.remove(kind)
    names = [name for kind in gone for name in alike[kind]]
    return Loosened(tuple(names), sizes(kept)[0])


def giants(evidence: Evidence, plan: Plan) -> list[Finding]:
    """Services that have most of the tables, each with what binds them and how it could be cut.

    A remainder is meant to have them.
    """
    total = len(evidence.program.tables)
    routes = _routes(entry for each in plan.services.values() for entry in each.entry_points)
    found = []
    for name, service in sorted(plan.services.items()):
        alone = len(plan.services) < 2 or service.remainder
        if alone or not is_giant(len(service.tables), total):
            continue
        binding = loosened(evidence)
        because = (
            "; ".join(told(evidence, binding.entry_points))
            if binding
            else "no transaction binds them, but they are tied closely"
        )
        found.append(
            Finding(
                kind=GIANT,
                subject=name,
                message=f"it owns {len(service.tables)} of {counted(total, 'table')} and answers"
                f" {_routes(service.entry_points)} of {counted(routes, 'route')}: {because}",
                hint="cut by domain: `migrator propose --proposal domains` shows where, and which"
                " transactions have to be remade"
                if binding
                else f"`migrator propose --largest {max(1, total // 2)}` cuts it",
            )
        )
    return found


def _routes(entry_points: Iterable[str]) -> int:
    return sum(each.startswith("route:") for each in entry_points)


def without(evidence: Evidence, entry_points: Collection[str]) -> Evidence:
    """The evidence as if these entry points used no table: who uses all says nothing of domains."""
    found = evidence.copied()
    found.transactions = [b for b in found.transactions if b.entry_point not in entry_points]
    found.bound.update({name: frozenset() for name in entry_points})
    found.reads.update({name: frozenset() for name in entry_points})
    found.worked_out.clear()
    return found


def meant(evidence: Evidence) -> Evidence:
    """The evidence as if entry points wrote only what they are there to write, and transactions
    bound nothing."""
    found = evidence.copied()
    found.bound = dict(evidence.own)
    found.transactions = []
    found.worked_out.clear()
    return found


def told(evidence: Evidence, entry_points: Collection[str], most: int = 3) -> list[str]:
    """What binds, by the place that commits most: how many tables, where, and for whom."""
    places: dict[tuple[str, int], tuple[list[str], Binding]] = {}
    for name in entry_points:
        binding = _widest(evidence, name)
        at = (binding.transaction.file, binding.transaction.line)
        names, widest = places.setdefault(at, ([], binding))
        places[at] = ([*names, name], max(widest, binding, key=_width))
    said = [
        f"{enumerated(names, 2)} {'commits' if len(names) == 1 else 'commit'}"
        f" {counted(len(binding.tables), 'table')} together ({file}:{line})"
        for (file, line), (names, binding) in places.items()
    ]
    return said if len(said) <= most else [*said[:most], f"and {len(said) - most} more likewise"]


def _widest(evidence: Evidence, entry_point: str) -> Binding:
    return max((b for b in evidence.transactions if b.entry_point == entry_point), key=_width)


def _width(binding: Binding) -> tuple[int, list[str]]:
    return len(binding.tables), sorted(binding.tables)


def _alike(evidence: Evidence) -> dict[frozenset[frozenset[str]], list[str]]:
    """Entry points by the sets of tables that their transactions bind; wide ones in a hundred
    routes with one base class are one."""
    bonds: dict[str, set[frozenset[str]]] = {}
    working = evidence.working
    for binding in evidence.transactions:
        if binding.entry_point in working:
            bonds.setdefault(binding.entry_point, set()).add(binding.tables)
    found: dict[frozenset[frozenset[str]], list[str]] = {}
    for name in sorted(bonds):
        found.setdefault(frozenset(bonds[name]), []).append(name)
    return found


def _sets(
    evidence: Evidence, wanted: Constraints, bonds: list[frozenset[str]]
) -> list[frozenset[str]]:
    tables = evidence.program.tables
    return merge_bound(
        tables, [*atoms_of(tables, wanted), *bonds], conflicts(wanted), wanted.largest
    )[0]
