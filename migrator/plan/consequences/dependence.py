"""What a request needs to be answered, and how long it is expected to wait for what crosses.

The forecast for an entry point is what one request is expected to pass, and not all that it might:

    wait(entry)    = the mean of wait(f) over what it starts with (one of a view's methods runs)
                     + CATCH_UP_MS if it reads a copy that is kept fresh
    wait(f)        = the sum over the places in f's body that call: times(place) * wait(call)
    wait(call)     = CALL_MS + wait(callee, at its owner)  if the call is cut and waited for,
                     0                                     if it is cut and sent later,
                     wait(callee)                          otherwise;
                     of several callees that one place may call one is called: their mean
    times(place)   = calls seen for each run of f, where it was observed; else LOOP_FACTOR in a
                     loop, CONDITIONAL under a condition, and 1
    wait(recursion) = what the function passes itself, and the mean of the others in the circle

Rows that are sent to their owner travel together, when they are flushed: CALL_MS for each owner, as
often as they are expected to be written, and at most once a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from migrator.graph.components import components
from migrator.model.graph import EdgeKind, Graph
from migrator.model.plan import Plan
from migrator.plan.consequences.crossings import LOOP_FACTOR, Cut
from migrator.plan.consequences.outline import Consequences
from migrator.plan.evidence.reach import Reach, Site, handlers, place_of

CALL_MS = 4.0
"""What a call that is waited for adds: 3 to 5 ms measured, against 0.8 in process."""

CATCH_UP_MS = 0.3
"""What a request pays to learn that the replicas which it reads are fresh: measured."""

CONDITIONAL = 0.5
"""How often code under a condition runs: nothing is known of it, and so both are as likely."""


@dataclass(frozen=True)
class Dependence:
    """What answering takes, by entry point."""

    on: Mapping[str, frozenset[str]]
    """The services without which an entry point fails: its own, and those that it waits for."""
    added_ms: Mapping[str, float]
    """What crossings are expected to add to it, by the formula of the module."""


def dependence(plan: Plan, graph: Graph, consequences: Consequences) -> Dependence:
    """What each entry point of a plan needs to answer; replicas are no dependency.

    A function that is called at its owner may wait for others in its turn: they count as well.
    """
    program = graph.program
    reach = consequences.reach or Reach(program)
    starts = {
        name: [(service, key) for key in handlers(reach, program.entry_points[name])]
        for service, planned in plan.services.items()
        for name in planned.entry_points
        if name in program.entry_points
    }
    waiting = _Waiting(reach, consequences, observed_calls(graph))
    waiting.settle(node for name in sorted(starts) for node in starts[name])
    on: dict[str, frozenset[str]] = {}
    added: dict[str, float] = {}
    for service, planned in plan.services.items():
        fresh = {table for table, copy in planned.replicas.items() if copy.freshness != "eventual"}
        for name in planned.entry_points:
            if name not in starts:
                continue
            waits = [waiting.of(node) for node in starts[name]]
            on[name] = frozenset({service}).union(*(each.on for each in waits))
            mean = sum(each.total for each in waits) / (len(waits) or 1)
            reads = any(access.table in fresh for access in program.entry_points[name].reads)
            added[name] = round(mean + CATCH_UP_MS * reads, 6)
    return Dependence(on, added)


def observed_calls(graph: Graph) -> dict[tuple[str, str], int]:
    """How often each function was seen calling which; empty if nothing was observed."""
    if graph.program.observed is None:
        return {}
    found: Counter[tuple[str, str]] = Counter()
    for edge in graph.edges(EdgeKind.CALLS):
        if edge.observed:
            found[edge.source.name, edge.target.name] += edge.observed
    return found


class _Wait(NamedTuple):
    """What running a function waits for: expected milliseconds, and whoever it may ask."""

    ms: float
    on: frozenset[str]
    rows: Mapping[str, float]
    """Owner to how often rows of it are expected to be written, to be sent at once."""

    @property
    def total(self) -> float:
        """All milliseconds."""
        return self.ms + CALL_MS * sum(min(1.0, self.rows[owner]) for owner in sorted(self.rows))


_NONE = _Wait(0.0, frozenset(), {})

_Node = tuple[str, str]
"""A service, and the key of a function that runs in it."""


class _Step(NamedTuple):
    """One way on from a function: how often, what it costs itself, and where it goes on."""

    times: float
    ms: float
    owner: str
    node: _Node | None
    rows: bool = False


class _Waiting:
    """The waits of all functions that services run, callees before callers."""

    def __init__(
        self, reach: Reach, consequences: Consequences, seen: Mapping[tuple[str, str], int]
    ) -> None:
        self._reach = reach
        self._calls: dict[str, dict[tuple[str, str], Cut]] = {}
        self._rows: dict[str, dict[str, set[str]]] = {}
        for service, walk in consequences.walks.items():
            calls = self._calls.setdefault(service, {})
            rows = self._rows.setdefault(service, {})
            for cut in walk.cuts:
                if not cut.rows:
                    calls[cut.caller, cut.function] = cut
                elif cut.remedy != "defer":
                    rows.setdefault(cut.caller, set()).add(cut.owner)
        self._seen = seen
        self._runs: Counter[str] = Counter()
        for (_, callee), count in seen.items():
            self._runs[callee] += count
        self._steps: dict[_Node, list[_Step]] = {}
        self._known: dict[_Node, _Wait] = {}

    def of(self, node: _Node) -> _Wait:
        """The wait of a function that `settle` was asked for."""
        return self._known[node]

    def settle(self, nodes: Iterable[_Node]) -> None:
        """Work out the waits of `nodes` and of all that they reach."""
        for component in components(nodes, self._next):
            own = {node: self._own(node, set(component)) for node in sorted(component)}
            on = frozenset().union(*(each.on for each in own.values()))
            for node in component:
                others = [(1 / (len(own) - 1), own[other]) for other in own if other != node]
                ms, rows = _sum([(1.0, own[node]), *others])
                self._known[node] = _Wait(ms, on, rows)

    def _next(self, node: _Node) -> list[_Node]:
        if not self._calls.get(node[0]) and not self._rows.get(node[0]):
            return []
        if node not in self._steps:
            self._steps[node] = self._steps_of(*node)
        return [step.node for step in self._steps[node] if step.node is not None]

    def _own(self, node: _Node, circle: set[_Node]) -> _Wait:
        on: set[str] = set()
        parts: list[tuple[float, _Wait]] = []
        for step in self._steps.get(node, ()):
            below = self._known[step.node] if step.node and step.node not in circle else _NONE
            rows = {step.owner: 1.0} if step.rows else {}
            parts += [(step.times, below), (step.times, _Wait(step.ms, frozenset(), rows))]
            on |= below.on | ({step.owner} if step.owner else set())
        ms, rows = _sum(parts)
        return _Wait(ms, frozenset(on), rows)

    def _steps_of(self, service: str, key: str) -> list[_Step]:
        name = self._reach.name(key)
        steps = [
            _Step(1.0, 0.0, owner, None, rows=True)
            for owner in sorted(self._rows[service].get(name, ()))
        ]
        places: dict[object, list[Site]] = {}
        sites = self._reach.sites(key)
        for site in sites:
            # All receivers of a signal run; of the functions that a call may mean, one.
            called = site.event.kind == "call"
            places.setdefault(place_of(site.event) if called else site, []).append(site)
        callees = Counter(self._reach.name(site.callee) for site in sites)
        for alternatives in places.values():
            for site in alternatives:
                callee = self._reach.name(site.callee)
                times = self._times(name, callee, site, len(alternatives), callees[callee])
                steps.append(self._step(service, site, times))
        return steps

    def _step(self, service: str, site: Site, times: float) -> _Step:
        cut = self._calls[service].get(
            (self._reach.name(site.caller), self._reach.name(site.callee))
        )
        if cut is None:
            return _Step(times, 0.0, "", (service, site.callee))
        if cut.remedy == "defer":
            return _Step(0.0, 0.0, "", None)
        return _Step(times, CALL_MS, cut.owner, (cut.owner, cut.key))

    def _times(self, caller: str, callee: str, site: Site, alternatives: int, places: int) -> float:
        if self._runs[caller]:
            return self._seen.get((caller, callee), 0) / self._runs[caller] / places
        if site.event.in_loop:
            return LOOP_FACTOR / alternatives
        return (CONDITIONAL if site.event.conditional else 1.0) / alternatives


def _sum(parts: Iterable[tuple[float, _Wait]]) -> tuple[float, dict[str, float]]:
    """Waits added up, each as often as it comes."""
    ms, rows = 0.0, dict[str, float]()
    for times, wait in parts:
        ms += times * wait.ms
        for owner, count in wait.rows.items():
            rows[owner] = rows.get(owner, 0.0) + times * count
    return ms, rows
