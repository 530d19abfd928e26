"""The decisions of a plan, from which all else follows: who owns what and who answers what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.plan.consequences.crossings import COST, Cut, Walk, Walker
from migrator.plan.evidence.evidence import Binding, Evidence
from migrator.plan.evidence.reach import Reach


@dataclass(frozen=True)
class Outline:
    """Tables and entry points to their service; `services` names also those with neither."""

    services: tuple[str, ...]
    owner: Mapping[str, str]
    placed: Mapping[str, str]
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service to entry points of others that it keeps the code of, to answer their reads."""

    def entry_points(self, service: str) -> list[str]:
        """All entry points whose code is in a service, sorted."""
        own = {name for name, where in self.placed.items() if where == service}
        return sorted(own | set(self.also.get(service, ())))


@dataclass
class Consequences:
    """What an outline entails."""

    walks: dict[str, Walk] = field(default_factory=dict)
    served: dict[str, set[str]] = field(default_factory=dict)
    """Service to the functions, by key, that its siblings call or send to it."""
    splits: dict[tuple[str, str, str], list[Binding]] = field(default_factory=dict)
    """Service, function and owner of a crossing to the transactions that it would split."""
    torn: list[Binding] = field(default_factory=list)
    """Transactions that write tables of several owners, one for an entry point and its tables."""
    reach: Reach | None = None
    """What the walks were walked on."""


def follow(evidence: Evidence, outline: Outline) -> Consequences:
    """Walk every service's code until no service asks another for a new function."""
    walker = Walker(evidence.reach, evidence.deferral, outline.owner)
    found = Consequences(
        served={service: set() for service in outline.services}, reach=evidence.reach
    )
    entries = {
        service: [
            evidence.entries[name]
            for name in outline.entry_points(service)
            if name in evidence.entries
        ]
        for service in outline.services
    }
    waiting = list(outline.services)
    while waiting:
        service = waiting.pop(0)
        walk = walker.walk(service, entries[service], sorted(found.served[service]))
        found.walks[service] = walk
        for cut in walk.cuts:
            if not cut.rows and cut.key not in found.served.get(cut.owner, {cut.key}):
                found.served[cut.owner].add(cut.key)
                if cut.owner not in waiting:
                    waiting.append(cut.owner)
    torn: dict[tuple[str, frozenset[str]], Binding] = {}
    for binding in evidence.transactions:
        service = outline.placed.get(binding.entry_point, "")
        owners = {outline.owner[table] for table in binding.tables if table in outline.owner}
        if len(owners) > 1 and service:
            torn.setdefault((binding.entry_point, binding.tables), binding)
            entry = evidence.entries[binding.entry_point]
            for cut in walker.cuts(service, entry):
                if cut.tables & binding.tables and cut.remedy != "defer":
                    key = (service, cut.function, cut.owner)
                    found.splits.setdefault(key, []).append(binding)
    found.torn = list(torn.values())
    return found


def cost(consequences: Consequences) -> float:
    """What all crossings of an outline cost together, each function and owner once."""
    worst: dict[tuple[str, str, str], float] = {}
    for service, walk in consequences.walks.items():
        for cut in walk.cuts:
            key = (service, cut.function, cut.owner)
            split = key in consequences.splits
            worst[key] = max(worst.get(key, 0.0), COST["merge"] if split else cut.cost)
    return sum(worst.values())


def cuts_by_function(walk: Walk) -> dict[tuple[str, str], list[Cut]]:
    """The cuts of a walk by function and owner, sorted."""
    grouped: dict[tuple[str, str], list[Cut]] = {}
    for cut in sorted(walk.cuts, key=lambda c: (c.function, c.owner, c.place)):
        grouped.setdefault((cut.function, cut.owner), []).append(cut)
    return grouped
