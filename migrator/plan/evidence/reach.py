"""What each function may do through everything that it calls, as the plan needs to know it.

Functions are meant by *key*: the name of a function, or of one of its variants. A *site* is one
place where a function calls another, or emits a signal that another receives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from migrator.graph.components import components
from migrator.model.program import EntryPoint, Event, Function, Program
from migrator.plan.evidence.details import ANY, Detail, Details, Mask

Place = tuple[int, int, int, int]
"""Where an expression begins and ends: line and column, twice."""


class Site(NamedTuple):
    """Where `caller` makes `callee` run; `event` is a call or an emission."""

    caller: str
    callee: str
    event: Event
    position: int
    """The event's position in the caller's body."""


class _Body:
    """What each event of a function reads, and what is read behind it."""

    def __init__(self, events: Sequence[Event], reads: Sequence[Mask]) -> None:
        self._events = events
        self._reads = reads
        self._places = [place_of(event) for event in events]
        self._last = {place: index for index, place in enumerate(self._places)}
        self._after = [0] * (len(events) + 1)
        for index in range(len(events) - 1, -1, -1):
            self._after[index] = self._after[index + 1] | reads[index]
        self._in_loop: dict[Place, Mask] = {}
        for event, place, read in zip(events, self._places, reads, strict=True):
            if event.in_loop and read:
                self._in_loop[place] = self._in_loop.get(place, 0) | read

    def behind(self, position: int) -> Mask:
        """What is read after an event; what stands at the same place is an alternative to it."""
        place = self._places[position]
        start = position + 1
        while start < len(self._places) and self._places[start] == place:
            start += 1
        if self._last[place] < start:
            found = self._after[start]
        else:
            found = 0
            for index in range(start, len(self._places)):
                if self._places[index] != place:
                    found |= self._reads[index]
        if self._events[position].in_loop:
            for other, read in self._in_loop.items():
                if other != place:
                    found |= read
        return found


class Start(NamedTuple):
    """The factory or module that makes the application, and the tables that this uses."""

    function: str
    reads: frozenset[str]
    writes: frozenset[str]


_JOBS = ("schedule", "process")
"""Kinds of entry points that a start begins and does not wait for."""


class Reach:
    """Transitive effects over the events of `program`, computed once for all functions."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._functions = {**program.functions, **program.variants}
        receivers: dict[str, list[str]] = {}
        for entry in program.entry_points.values():
            if entry.kind == "signal":
                receivers.setdefault(entry.trigger, []).append(entry.handler)
        self._receivers = {signal: sorted(set(names)) for signal, names in receivers.items()}
        self._sites = {key: tuple(self._sites_of(key)) for key in self._functions}
        self.details = Details()
        """What the masks of reads and writes stand for."""
        self._names = Details()
        """The same for what is no table: exceptions and the request's context."""
        self._bodies: dict[str, _Body] = {}

    def _sites_of(self, key: str) -> Iterable[Site]:
        called = {event.target for event in self._functions[key].events if event.kind == "call"}
        for index, event in enumerate(self._functions[key].events):
            if event.kind == "call":
                callee = event.variant if event.variant in self._functions else event.target
                if callee in self._functions:
                    yield Site(key, callee, event, index)
            elif event.kind == "emit":
                for receiver in self._receivers.get(event.target, ()):
                    if receiver in self._functions and receiver not in called:
                        yield Site(key, receiver, event, index)

    def function(self, key: str) -> Function:
        """The function or variant of that key; KeyError if there is none."""
        return self._functions[key]

    def __contains__(self, key: str) -> bool:
        return key in self._functions

    def name(self, key: str) -> str:
        """The name of the function that a key means, its variant left out."""
        variant = self.program.variants.get(key)
        return variant.name if variant is not None else key

    def sites(self, key: str) -> tuple[Site, ...]:
        """The sites in the body of a function, in source order."""
        return self._sites.get(key, ())

    @cached_property
    def order(self) -> list[list[str]]:
        """Strongly connected components of the call graph, callees first."""
        return list(
            components(sorted(self._functions), lambda key: [s.callee for s in self.sites(key)])
        )

    def closed(
        self,
        own: Callable[[Function], Mask],
        follow: Callable[[Site], bool] = lambda _: True,
    ) -> dict[str, Mask]:
        """For every function, what `own` finds in it and in all that it reaches by `follow`."""
        found: dict[str, Mask] = {}
        for component in self.order:
            together = 0
            for key in component:
                together |= own(self._functions[key])
                for site in self._sites[key]:
                    there = found.get(site.callee, 0)
                    # What adds nothing need not be asked whether it is followed.
                    if there | together != together and follow(site):
                        together |= there
            for key in component:
                found[key] = together
        return found

    def own_writes(self, function: Function) -> Mask:
        """The columns that a function's own body writes."""
        return self.details.mask(_details(function, "write"))

    @cached_property
    def read_details(self) -> dict[str, Mask]:
        """For every function the columns that it reads through every call."""
        return self.closed(lambda function: self.details.mask(_details(function, "read")))

    @cached_property
    def write_details(self) -> dict[str, Mask]:
        """For every function the columns that it writes through every call."""
        return self.closed(self.own_writes)

    def written(self, key: str) -> frozenset[Detail]:
        """The columns that a function writes through every call."""
        return self.details.details(self.write_details.get(key, 0))

    @cached_property
    def commits(self) -> frozenset[str]:
        """The functions that commit, by themselves or through what they call."""
        closed = self.closed(lambda f: int(any(e.kind == "commit" for e in f.events)))
        return frozenset(key for key, found in closed.items() if found)

    @cached_property
    def _raises(self) -> dict[str, Mask]:
        return self.closed(
            lambda function: self._names.mask((name, ANY) for name in function.raises),
            lambda site: not site.event.handled,
        )

    @cached_property
    def _context_writes(self) -> dict[str, Mask]:
        return self.closed(
            lambda function: self._names.mask((name, ANY) for name in function.context_writes)
        )

    def raises(self, key: str) -> list[str]:
        """The exception classes that may leave a function, also from what it calls; sorted."""
        return sorted(self._names.tables(self._raises.get(key, 0)))

    def context_writes(self, key: str) -> list[str]:
        """The request context that a function sets, also through what it calls; sorted."""
        return sorted(self._names.tables(self._context_writes.get(key, 0)))

    def is_mute(self, key: str) -> bool:
        """Whether a function neither raises nor sets context, itself or through what it calls."""
        return not (self._raises.get(key, 0) or self._context_writes.get(key, 0))

    @cached_property
    def announcers(self) -> frozenset[str]:
        """The functions that emit a signal which somebody receives, also through what they call."""
        closed = self.closed(
            lambda function: int(
                any(e.kind == "emit" and e.target in self._receivers for e in function.events)
            )
        )
        return frozenset(key for key, found in closed.items() if found)

    def reads(self, key: str) -> frozenset[str]:
        """The tables that a function reads through every call."""
        return self.details.tables(self.read_details.get(key, 0))

    def writes(self, key: str) -> frozenset[str]:
        """The tables that a function writes through every call."""
        return self.details.tables(self.write_details.get(key, 0))

    @cached_property
    def start(self) -> Start | None:
        """What every process does when it starts; jobs that it starts are entry points."""
        module, _, attribute = self.program.application.partition(":")
        factory = f"{module}.{attribute.partition('(')[0]}"
        first = next((key for key in (factory, module) if key in self), None)
        if first is None:
            return None
        jobs = {e.handler for e in self.program.entry_points.values() if e.kind in _JOBS}
        run = self._reached([first], lambda site: self.name(site.callee) not in jobs)
        events = [event for key in run for event in self._functions[key].events]
        reads, writes = (
            frozenset(event.target for event in events if event.kind == kind)
            for kind in ("read", "write")
        )
        return Start(first, reads, writes)

    @cached_property
    def starting(self) -> frozenset[str]:
        """Names of functions that are called, but by nothing that an entry point reaches.

        They run when the application is made: factories, and what these have plug-ins do. Commands
        make an application too, and are no evidence of more.
        """
        working = {
            function
            for entry in self.program.entry_points.values()
            if entry.kind != "command"
            for function in (entry.handler, *entry.functions)
        }
        called = {self.name(site.callee) for sites in self._sites.values() for site in sites}
        return frozenset(called - working)

    @cached_property
    def live(self) -> frozenset[str]:
        """The functions that entry points reach, each by the key under which it really runs."""
        entries = self.program.entry_points.values()
        return self._reached(key for e in entries for key in (*handlers(self, e), *hooks(self, e)))

    def _reached(
        self, keys: Iterable[str], follow: Callable[[Site], bool] = lambda _: True
    ) -> frozenset[str]:
        """Some functions, and all that they reach by `follow`."""
        waiting = list(keys)
        seen = set(waiting)
        while waiting:
            for site in self.sites(waiting.pop()):
                if site.callee not in seen and follow(site):
                    seen.add(site.callee)
                    waiting.append(site.callee)
        return frozenset(seen)

    @cached_property
    def reads_afterwards(self) -> dict[str, Mask]:
        """For every function what may be read after it has returned, in any of its callers."""
        after: dict[str, Mask] = dict.fromkeys(self._functions, 0)
        for component in reversed(self.order):
            members = set(component)
            shared = 0
            for key in component:
                shared |= after[key]
                if len(component) > 1:
                    shared |= self.read_details[key]
            for key in component:
                after[key] = shared
            for key in component:
                for site in self._sites[key] if key in self.live else ():
                    if site.callee not in members:
                        after[site.callee] |= shared | self.reads_behind(site)
        return after

    def reads_behind(self, site: Site) -> Mask:
        """What the caller's own body may read after a site: later in source, or in the loop."""
        body = self._bodies.get(site.caller)
        if body is None:
            body = self._bodies[site.caller] = self._body(site.caller)
        return body.behind(site.position)

    def _body(self, key: str) -> _Body:
        events = self._functions[key].events
        reads = [self.details.mask(_detail(event, "read")) for event in events]
        for site in self._sites[key]:
            reads[site.position] |= self.read_details[site.callee]
        return _Body(events, reads)

    def path(self, source: str, target: str) -> list[Site]:
        """The shortest chain of sites from one function to another by name; empty: there is none.

        `target` is the name of a function, whatever its variant.
        """
        came: dict[str, Site] = {}
        queue = deque([source])
        seen = {source}
        while queue:
            key = queue.popleft()
            for site in self.sites(key):
                if site.callee in seen:
                    continue
                seen.add(site.callee)
                came[site.callee] = site
                if self.name(site.callee) == target:
                    chain = [site]
                    while chain[0].caller != source:
                        chain.insert(0, came[chain[0].caller])
                    return chain
                queue.append(site.callee)
        return []


def handlers(reach: Reach, entry: EntryPoint) -> list[str]:
    """The functions, by key, that an entry point starts with: one, or methods of a view's class."""
    roots = [root for root in entry.roots if root in reach]
    if roots or entry.handler in reach:
        return roots or [entry.handler]
    start = entry.handler + "."
    methods = {m.lower() for route in entry.routes for m in route.methods}
    own = [f for f in sorted(reach.program.functions) if f.startswith(start)]
    named = [f for f in own if f[len(start) :] in methods | {"dispatch_request"}]
    return named or [f for f in own if f in set(entry.functions)]


def hooks(reach: Reach, entry: EntryPoint) -> list[str]:
    """The functions, by key, that run around an entry point."""
    return [root for root in entry.hook_roots or entry.hooks if root in reach]


def place_of(event: Event) -> Place:
    """Where an event stands: alternatives of one expression stand at the same place."""
    return (event.line, event.column, event.end_line, event.end_column)


def _detail(event: Event, kind: str) -> list[Detail]:
    if event.kind != kind or not event.target:
        return []
    return [(event.target, column) for column in event.columns or (ANY,)]


def _details(function: Function, kind: str) -> list[Detail]:
    return [detail for event in function.events for detail in _detail(event, kind)]
