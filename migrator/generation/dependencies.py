"""What a route of a service needs of others: replicas, synchronous calls, pending commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from migrator.model.plan import Crossing, Plan
from migrator.model.program import EntryPoint
from migrator.plan.deferral import handlers
from migrator.plan.reach import ANY, Detail, Reach


class Needs(NamedTuple):
    """Services, sorted, as `model.manifest.OwnRoute` names them."""

    replicas_of: list[str]
    depends_on: list[str]
    commands_of: list[str]


class Dependencies:
    """Answers for one resolved plan."""

    def __init__(self, reach: Reach, plan: Plan) -> None:
        self._reach = reach
        self._plan = plan
        self._crossings: dict[str, dict[str, list[Crossing]]] = {}
        for name, service in plan.services.items():
            own = self._crossings.setdefault(name, {})
            for crossing in service.calls:
                own.setdefault(crossing.function, []).append(crossing)
        self._deferred = [
            (name, deferred_details(reach, crossing))
            for name, service in sorted(plan.services.items())
            for crossing in service.calls
            if crossing.remedy == "defer"
        ]

    def of(self, service: str, entry: EntryPoint) -> Needs:
        """What an entry point of `service` needs, its hooks included."""
        starts = [*handlers(self._reach, entry), *entry.hooks]
        called, read = self._walk(service, starts)
        for access in entry.reads:
            read.update((access.table, column) for column in access.columns or (ANY,))
        replicas = self._plan.services[service].replicas
        tables = {table for table, _ in read}
        return Needs(
            sorted(
                {r.owner for t, r in replicas.items() if t in tables and r.freshness != "eventual"}
            ),
            sorted(called - {service}),
            sorted({name for name, written in self._deferred if _overlap(read, written)}),
        )

    def _walk(self, service: str, starts: Iterable[str]) -> tuple[set[str], set[Detail]]:
        """Services called synchronously, through others too; and what the own code reads."""
        called: set[str] = set()
        read: set[Detail] = set()
        waiting = [(service, key) for key in starts if key in self._reach]
        seen = set(waiting)
        while waiting:
            where, key = waiting.pop()
            if where == service:
                for event in self._reach.function(key).events:
                    if event.kind == "read":
                        read.update((event.target, column) for column in event.columns or (ANY,))
            here = self._crossings[where]
            for crossing in here.get(self._reach.name(key), ()):
                if crossing.unit == "rows" and crossing.remedy == "row-write":
                    called.add(crossing.owner)
            for site in self._reach.sites(key):
                step = (where, site.callee)
                for crossing in here.get(self._reach.name(site.callee), ()):
                    if crossing.unit == "function" and crossing.remedy in ("call", "defer"):
                        step = (crossing.owner, site.callee)
                        if crossing.remedy == "call":
                            called.add(crossing.owner)
                        else:
                            step = (where, "")
                if step[1] and step not in seen:
                    seen.add(step)
                    waiting.append(step)
        return called, read


def deferred_details(reach: Reach, crossing: Crossing) -> frozenset[Detail]:
    """The columns of the owner's tables that a crossing writes."""
    keys = [crossing.function] if crossing.function in reach else []
    return frozenset(
        (table, column)
        for key in keys
        for table, column in _written(reach, key, crossing)
        if table in crossing.tables
    ) or frozenset((table, ANY) for table in crossing.tables)


def _written(reach: Reach, key: str, crossing: Crossing) -> Iterable[Detail]:
    """By the function itself where its rows travel, else through all that it calls."""
    if crossing.unit == "rows":
        for event in reach.function(key).events:
            if event.kind == "write":
                whole = event.operation in ("insert", "delete") or not event.columns
                yield from ((event.target, c) for c in ((ANY,) if whole else event.columns))
    else:
        yield from reach.write_details.get(key, ())


def _overlap(read: set[Detail], written: frozenset[Detail]) -> bool:
    columns: dict[str, set[str]] = {}
    for table, column in read:
        columns.setdefault(table, set()).add(column)
    return any(
        table in columns and (column == ANY or ANY in columns[table] or column in columns[table])
        for table, column in written
    )
