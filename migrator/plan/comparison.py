"""What one plan decides otherwise than another, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from migrator.model.plan import Plan


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A table or entry point that belongs to another service; empty: to none."""

    name: str
    before: str
    after: str


class Difference(msgspec.Struct, kw_only=True):
    """From one plan to another; services that own the same tables count as the same."""

    renamed: dict[str, str] = {}
    added: list[str] = []
    """Services of the second plan that stand for none of the first."""
    removed: list[str] = []
    tables: list[Moved] = []
    entry_points: list[Moved] = []
    crossings_added: list[str] = []
    crossings_removed: list[str] = []
    remedies: list[str] = []
    """Crossings of both that are paid for in another way."""
    replicas_added: list[str] = []
    replicas_removed: list[str] = []

    @property
    def none(self) -> bool:
        """Whether the plans decide the same."""
        return self == Difference()


def compare(before: Plan, after: Plan) -> Difference:
    """What has to change for the first plan to become the second."""
    same = _matched(before, after)
    renamed = {old: new for old, new in sorted(same.items()) if old != new}
    crossings = [_crossings(before, same), _crossings(after, {})]
    copies = [_replicas(before, same), _replicas(after, {})]
    return Difference(
        renamed=renamed,
        added=sorted(set(after.services) - set(same.values())),
        removed=sorted(set(before.services) - set(same)),
        tables=_moved(_homes(before, "tables"), _homes(after, "tables"), same),
        entry_points=_moved(_homes(before, "entry_points"), _homes(after, "entry_points"), same),
        crossings_added=sorted(set(crossings[1]) - set(crossings[0])),
        crossings_removed=sorted(set(crossings[0]) - set(crossings[1])),
        remedies=[
            f"{name}: {crossings[0][name]} -> {crossings[1][name]}"
            for name in sorted(set(crossings[0]) & set(crossings[1]))
            if crossings[0][name] != crossings[1][name]
        ],
        replicas_added=sorted(copies[1] - copies[0]),
        replicas_removed=sorted(copies[0] - copies[1]),
    )


def _matched(before: Plan, after: Plan) -> dict[str, str]:
    """Services of the first plan to those of the second whose tables are mostly the same.

    Of equals the one of the same name, then of the same entry points.
    """
    shared = []
    for old, a in before.services.items():
        for new, b in after.services.items():
            tables = len(set(a.tables) & set(b.tables))
            entries = len(set(a.entry_points) & set(b.entry_points))
            largest = max(len(a.tables), len(b.tables))
            if old == new or 2 * tables > largest or (entries and not largest):
                shared.append((-tables, old != new, -entries, old, new))
    same: dict[str, str] = {}
    for _, _, _, old, new in sorted(shared):
        if old not in same and new not in same.values():
            same[old] = new
    return same


def _homes(plan: Plan, section: str) -> dict[str, str]:
    return {
        each: name for name, service in plan.services.items() for each in getattr(service, section)
    }


def _moved(
    before: Mapping[str, str], after: Mapping[str, str], same: Mapping[str, str]
) -> list[Moved]:
    return [
        Moved(name=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in sorted({*before, *after})
        if same.get(before.get(name, ""), "?") != after.get(name, "")
    ]


def _crossings(plan: Plan, renamed: Mapping[str, str]) -> dict[str, str]:
    """Each crossing in words, with its remedy; services by the names that they have later."""
    return {
        f"{renamed.get(name, name)} -> {renamed.get(call.owner, call.owner)}: {call.function}": (
            call.remedy
        )
        for name, service in plan.services.items()
        for call in service.calls
    }


def _replicas(plan: Plan, renamed: Mapping[str, str]) -> set[str]:
    return {
        f"{table} in {renamed.get(name, name)}"
        for name, service in plan.services.items()
        for table in service.replicas
    }
