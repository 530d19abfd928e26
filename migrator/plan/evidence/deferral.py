"""Which calls may happen later: nobody in the request uses value, exception or effect.

See "Calls that cross": an unused result is not enough. What cannot be shown is not deferred.
"""

from __future__ import annotations

from functools import cached_property

from migrator.model.program import EntryPoint
from migrator.plan.evidence.details import ANY, Mask
from migrator.plan.evidence.reach import Reach, Site, handlers

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
"""RFC 9110, 9.2.1: a request whose purpose is not to change anything."""


class Deferral:
    """What of the writes can be deferred, and what must be done within the request."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._models = {
            table.model: name for name, table in reach.program.tables.items() if table.model
        }
        self._known: dict[Site, bool] = {}
        self._bound: dict[str, frozenset[str]] = {}

    def may_defer(self, site: Site) -> bool:
        """Whether what a site makes run may be done after the request."""
        if site not in self._known:
            self._known[site] = self._shown(site)
        return self._known[site]

    def may_defer_in_hook(self, site: Site) -> bool:
        """The same in code that runs around requests, whose effects are nobody's purpose.

        Not where it changes objects that a request may show afterwards: those are changed there,
        and their rows are sent later.
        """
        return (
            not _used(site)
            and bool(self._reach.writes(site.callee))
            and self._mute(site)
            and not self._changes_argument(site)
            and not self._updates_what_is_shown(site)
        )

    def _updates_what_is_shown(self, site: Site) -> bool:
        details = self._reach.details
        written = details.details(self._reach.write_details[site.callee])
        updated = details.mask(detail for detail in written if detail[1] != ANY)
        return details.overlap(updated, self._shown_by_routes)

    @cached_property
    def _shown_by_routes(self) -> Mask:
        return self._reach.details.mask(
            (access.table, column)
            for entry in self._reach.program.entry_points.values()
            if entry.kind == "route"
            for access in entry.reads
            for column in access.columns or (ANY,)
        )

    def _shown(self, site: Site) -> bool:
        if _used(site) or not self._mute(site):
            return False
        written = self._reach.write_details[site.callee]
        if not written or self._changes_argument(site):
            return False
        after = self._reach.reads_behind(site) | self._reach.reads_afterwards[site.caller]
        seen = self._reach.details.overlap(written, after)
        return not seen and not self._saves_for_caller(site)

    def _mute(self, site: Site) -> bool:
        """It neither raises, nor says anything to the request."""
        callee = self._reach.function(site.callee)
        return self._reach.is_mute(site.callee) and not callee.is_generator

    def _changes_argument(self, site: Site) -> bool:
        """It writes rows of a kind that it is given, or associations of them: the caller holds
        them, and might look."""
        callee = self._reach.function(site.callee)
        types = {each for parameter in callee.parameters for each in parameter.types}
        scope = self._reach.name(site.callee).rpartition(".")[0]
        if scope in self._reach.program.classes:
            types.add(scope)
            types |= {m for m in self._models if scope in self._reach.program.classes.get(m, ())}
        given = {self._models[each] for each in types if each in self._models}
        tables = self._reach.program.tables
        associated = {r.secondary for name in given for r in tables[name].relationships}
        return bool((given | associated) & self._reach.writes(site.callee))

    def _saves_for_caller(self, site: Site) -> bool:
        """It commits what the caller has written so far, and nobody else does."""
        if site.callee not in self._reach.commits:
            return False
        pending = False
        calls = {s.position: s for s in self._reach.sites(site.caller) if s != site}
        for index, event in enumerate(self._reach.function(site.caller).events):
            call = calls.get(index)
            commits = event.kind == "commit" or (call and call.callee in self._reach.commits)
            if index < site.position:
                wrote = event.kind == "write" or (call and self._reach.writes(call.callee))
                ended = commits or event.kind == "rollback"
                pending = not ended and (pending or bool(wrote))
            elif index > site.position and commits:
                return False
        return pending

    @cached_property
    def needed(self) -> dict[str, frozenset[str]]:
        """For every function the tables that it must write before it returns."""
        closed = self._reach.closed(self._reach.own_writes, lambda site: not self.may_defer(site))
        return {key: self._reach.details.tables(mask) for key, mask in closed.items()}

    def bound(self, entry: EntryPoint) -> frozenset[str]:
        """The tables that bind an entry point to their owner: those it is there to write.

        Left out are writes in hooks and writes that may be deferred, unless the entry point is
        one that is meant to change something and does nothing else.
        """
        if entry.name not in self._bound:
            self._bound[entry.name] = self._binding(entry)
        return self._bound[entry.name]

    def _binding(self, entry: EntryPoint) -> frozenset[str]:
        written = {access.table for access in entry.writes}
        roots = handlers(self._reach, entry)
        through_calls = frozenset().union(*(self._reach.writes(root) for root in roots))
        known = frozenset().union(*(self.needed[root] for root in roots)) & written
        unknown = {a.table for a in entry.writes if not a.in_hook and a.table not in through_calls}
        bound = known | unknown
        if not bound and not is_safe(entry):
            bound = through_calls & written
        return bound


def is_safe(entry: EntryPoint) -> bool:
    """Whether an entry point only ever answers safe methods."""
    methods = {method for route in entry.routes for method in route.methods}
    return entry.kind == "route" and methods <= _SAFE_METHODS


def _used(site: Site) -> bool:
    return site.event.kind == "call" and site.event.result_used
