"""Where a service's code reaches a table of somebody else, and what is done about it.

Copy before cut: code that writes nothing foreign is copied. A call is cut at the highest function
on the way whose writes all belong to one foreign owner and whose signature can cross. What the
request does not wait for is deferred; a signal is sent where it always was, and what its receivers
do is deferred. Where no function can be cut, rows are sent; where these cannot be, people decide.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from migrator.graph.components import components
from migrator.model.bits import members
from migrator.model.plan import Remedy
from migrator.model.program import Access, EntryPoint, Event
from migrator.plan.consequences.rows import obstacle as obstacle_of_rows
from migrator.plan.consequences.signature import hindrance
from migrator.plan.evidence.deferral import Deferral
from migrator.plan.evidence.reach import Reach, Site, handlers, hooks

COST: dict[Remedy, float] = {
    "copy": 0,
    "defer": 1,
    "call": 4,
    "row-write": 50,
    "saga": 100,
    "merge": 200,
}
"""What a crossing costs, in the order that the lessons give; a call in a loop costs thrice."""

LOOP_FACTOR = 3


class Cut(NamedTuple):
    """One place at which a service reaches into another."""

    function: str
    key: str
    """The function's key in `Reach`, or its name where it is not known there."""
    owner: str
    remedy: Remedy
    rows: bool
    """The rows travel, and not the function with its arguments."""
    tables: frozenset[str]
    place: str
    caller: str
    looped: bool
    reason: str

    @property
    def cost(self) -> float:
        """What this place costs."""
        return COST[self.remedy] * (LOOP_FACTOR if self.looped and self.remedy != "defer" else 1)


class Walk(NamedTuple):
    """What a service keeps of the code that it reaches, and where it ends."""

    kept: frozenset[str]
    """Keys of the functions whose code runs in the service."""
    cuts: tuple[Cut, ...]


_AROUND = "it is done around requests, and nobody uses its result"
_UNUSED = "nobody in the request uses its result, exception or effect"


class _Step(NamedTuple):
    key: str
    later: str
    """Why whatever it does may be done after the request; empty: it may not."""
    looped: bool


class Walker:
    """Walks code on behalf of services; `owner` says which service has a table."""

    def __init__(self, reach: Reach, deferral: Deferral, owner: Mapping[str, str]) -> None:
        self._reach = reach
        self._deferral = deferral
        self._owner = owner
        self._known: dict[tuple[str, frozenset[str]], Mapping[str, set[str]]] = {}
        self._steps: dict[str, dict[_Step, tuple[list[Cut], list[_Step], list[_Step]]]] = {}
        self._listed: list[Cut] = []
        self._numbers: dict[Cut, int] = {}
        self._below: dict[str, dict[_Step, int]] = {}
        """For steps of a service the cuts at or below them, each one bit: many share most."""
        self._unwalked: dict[str, list[Access]] = {}
        self._handlers = {
            reach.name(handler)
            for entry in reach.program.entry_points.values()
            if entry.kind != "signal"
            for handler in (entry.handler, *handlers(reach, entry))
        }

    def walk(self, service: str, entries: Iterable[EntryPoint], served: Iterable[str] = ()) -> Walk:
        """What `service` keeps and cuts if it has these entry points and serves these functions."""
        listed = list(entries)
        queue = deque(self._start(listed, served))
        seen = set(queue)
        cuts: dict[Cut, None] = {}
        while queue:
            found, following, _ = self._from(service, queue.popleft())
            cuts.update(dict.fromkeys(found))
            for step in following:
                if step not in seen:
                    seen.add(step)
                    queue.append(step)
        for entry in listed:
            cuts.update(dict.fromkeys(self._not_walked(service, entry)))
        return Walk(frozenset(step.key for step in seen), tuple(cuts))

    def cuts(self, service: str, entry: EntryPoint) -> tuple[Cut, ...]:
        """What `service` cuts if it has an entry point, in no order that means anything."""
        found = 0
        for step in self._start([entry], ()):
            found |= self._cuts_below(service, step)
        cuts = members(found, self._listed)
        return tuple(dict.fromkeys([*cuts, *self._not_walked(service, entry)]))

    def cost(self, service: str, entry: EntryPoint) -> float:
        """What `service` pays for all that it cuts if it has an entry point."""
        return sum(cut.cost for cut in self.cuts(service, entry))

    def _start(self, entries: list[EntryPoint], served: Iterable[str]) -> list[_Step]:
        start = [_Step(h, "", False) for e in entries for h in handlers(self._reach, e)]
        start += [_Step(hook, _AROUND, False) for e in entries for hook in hooks(self._reach, e)]
        start += [_Step(key, "", False) for key in served]
        return list(dict.fromkeys(step for step in start if step.key in self._reach))

    def _cuts_below(self, service: str, start: _Step) -> int:
        """The numbers of the cuts that a step leads to, as bits; each step is asked once."""
        known = self._below.setdefault(service, {})
        if start not in known:

            def unknown(step: _Step) -> list[_Step]:
                return [each for each in self._from(service, step)[2] if each not in known]

            for component in components([start], unknown):
                found = 0
                for step in component:
                    cuts, _, foreign = self._from(service, step)
                    for cut in cuts:
                        found |= 1 << self._number(cut)
                    for each in foreign:
                        found |= known.get(each, 0)
                for step in component:
                    known[step] = found
        return known[start]

    def _number(self, cut: Cut) -> int:
        if cut not in self._numbers:
            self._numbers[cut] = len(self._listed)
            self._listed.append(cut)
        return self._numbers[cut]

    def _from(self, service: str, step: _Step) -> tuple[list[Cut], list[_Step], list[_Step]]:
        """What a step cuts, what follows it, and of that what reaches tables of others.

        Entry points share most of their code, so that each step is worked out once.
        """
        known = self._steps.setdefault(service, {})
        if step not in known:
            cuts = self._own_writes(service, step)
            following: dict[_Step, None] = {}
            for site in self._reach.sites(step.key):
                decided = self._decide(service, step, site)
                if isinstance(decided, Cut):
                    cuts.append(decided)
                else:
                    following[decided] = None
            foreign = [each for each in following if self._reaches_foreign(service, each)]
            known[step] = cuts, list(following), foreign
        return known[step]

    def _foreign(self, service: str, tables: Iterable[str]) -> Mapping[str, set[str]]:
        """Tables of others by their owner."""
        asked = (service, frozenset(tables))
        if asked not in self._known:
            found: dict[str, set[str]] = {}
            for table in asked[1]:
                owner = self._owner.get(table, service)
                if owner != service:
                    found.setdefault(owner, set()).add(table)
            self._known[asked] = found
        return self._known[asked]

    def _reaches_foreign(self, service: str, step: _Step) -> bool:
        return bool(self._foreign(service, self._reach.writes(step.key)))

    def _decide(self, service: str, step: _Step, site: Site) -> Cut | _Step:
        """Cut a site, or go on into what it calls."""
        written = self._reach.writes(site.callee)
        foreign = self._foreign(service, written)
        all_foreign = len(written) == sum(map(len, foreign.values()))
        # What also writes the service's own tables is done now: only what is foreign is deferred.
        later = step.later or (_UNUSED if all_foreign and self._deferral.may_defer(site) else "")
        looped = step.looped or site.event.in_loop
        go_on = _Step(site.callee, later, looped)
        if not foreign or self._reach.name(site.callee) in self._handlers:
            return go_on
        if not later:
            return self._call(service, site, looped) or go_on
        if len(foreign) > 1 or not all_foreign or site.callee in self._reach.announcers:
            return go_on
        if step.later and not self._deferral.may_defer_in_hook(site):
            return go_on
        (owner,) = foreign
        if not self._can_cut(site.callee, owner):
            return go_on
        return self._cut(site, owner, "defer", written, looped, later)

    def _call(self, service: str, site: Site, looped: bool) -> Cut | None:
        """The site cut as a call that is waited for; None: it cannot be cut here."""
        needed = self._deferral.needed[site.callee]
        foreign = self._foreign(service, needed)
        if not foreign or len(needed) > sum(map(len, foreign.values())):
            return None
        owner = next(iter(foreign)) if len(foreign) == 1 else self._first_owner(site, foreign)
        if not owner or not self._can_cut(site.callee, owner) or self._unflushed(site):
            return None
        return self._cut(site, owner, "call", foreign[owner], looped, "")

    def _can_cut(self, key: str, owner: str) -> bool:
        """Whether calls of a function can cross to `owner`, whatever its variant.

        One that writes for several owners, depending on its receiver, has no single other end.
        """
        name = self._reach.name(key)
        elsewhere = self._reach.writes(name) - self._reach.writes(key)
        if any(self._owner.get(table) != owner for table in elsewhere):
            return False
        return hindrance(self._reach, key) is None

    def _first_owner(self, site: Site, foreign: Mapping[str, set[str]]) -> str:
        """Of several owners the one whose tables the function itself writes; it asks the others.

        Empty unless there is exactly one: then it is cheaper to cut further down.
        """
        own = {e.target for e in self._reach.function(site.callee).events if e.kind == "write"}
        direct = [owner for owner, tables in sorted(foreign.items()) if tables & own]
        return direct[0] if len(direct) == 1 else ""

    def _cut(
        self,
        site: Site,
        owner: str,
        remedy: Remedy,
        written: Iterable[str],
        looped: bool,
        reason: str,
    ) -> Cut:
        return Cut(
            function=self._reach.name(site.callee),
            key=site.callee,
            owner=owner,
            remedy=remedy,
            rows=False,
            tables=frozenset(written),
            place=f"{self._reach.function(site.caller).file}:{site.event.line}",
            caller=self._reach.name(site.caller),
            looped=looped,
            reason=reason,
        )

    def _own_writes(self, service: str, step: _Step) -> list[Cut]:
        """Writes of foreign tables in the function's own body: no call can be cut there."""
        function = self._reach.function(step.key)
        written: dict[str, list[Event]] = {}
        for event in function.events:
            if event.kind == "write":
                for owner in self._foreign(service, [event.target]):
                    written.setdefault(owner, []).append(event)
        cuts = []
        for owner, events in sorted(written.items()):
            unsent = obstacle_of_rows(self._reach.program, events)
            if unsent:
                remedy: Remedy = "merge"
                why = f"its rows cannot be sent to their owner: {unsent}"
            elif step.later:
                remedy = "defer"
                why = "it does other things that are needed, so its changed rows are sent later"
            else:
                remedy = "row-write"
                cascade = next((e.via for e in events if e.via.startswith("cascade")), "")
                why = f"a delete reaches them: {cascade}" if cascade else ""
                why = why or self._why_not_cut(step.key)
            cuts.append(
                Cut(
                    function=self._reach.name(step.key),
                    key=step.key,
                    owner=owner,
                    remedy=remedy,
                    rows=True,
                    tables=frozenset(event.target for event in events),
                    place=f"{function.file}:{events[0].line}",
                    caller=self._reach.name(step.key),
                    looped=step.looped or any(event.in_loop for event in events),
                    reason=why,
                )
            )
        return cuts

    def _why_not_cut(self, key: str) -> str:
        if self._reach.name(key) in self._handlers:
            return "the entry point itself writes them, and no function can be cut"
        found = hindrance(self._reach, key)
        why = found.why if found is not None else "it writes tables of several owners"
        return f"no call of it can be cut: {why}"

    def _not_walked(self, service: str, entry: EntryPoint) -> list[Cut]:
        """Writes that the graph knows of an entry point, but of none of its functions."""
        if entry.name not in self._unwalked:
            roots = [*handlers(self._reach, entry), *hooks(self._reach, entry)]
            walked = frozenset().union(*(self._reach.writes(root) for root in roots))
            self._unwalked[entry.name] = [a for a in entry.writes if a.table not in walked]
        cuts = []
        for access in self._unwalked[entry.name]:
            for owner in self._foreign(service, [access.table]):
                function = access.path[-1] if access.path else entry.handler
                cuts.append(
                    Cut(
                        function=function,
                        key=function,
                        owner=owner,
                        remedy="defer" if access.in_hook else "row-write",
                        rows=True,
                        tables=frozenset({access.table}),
                        place=f"{access.file}:{access.line}",
                        caller=function,
                        looped=False,
                        reason=f"it is written by way of {access.via or 'something not called'}",
                    )
                )
        return cuts

    def _unflushed(self, site: Site) -> bool:
        """Whether a row that the caller has made, and not flushed, may be among the arguments."""
        models = {t.model: name for name, t in self._reach.program.tables.items() if t.model}
        given = {
            models[each]
            for parameter in self._reach.function(site.callee).parameters
            for each in parameter.types
            if each in models
        }
        made: set[str] = set()
        for event in self._reach.function(site.caller).events[: site.position]:
            if event.kind in ("commit", "flush", "rollback"):
                made.clear()
            elif event.kind == "call":
                if (event.variant or event.target) in self._reach.commits:
                    made.clear()
            elif event.kind == "write" and event.operation == "insert":
                made.add(event.target)
        return bool(made & given)
