"""Which writes are committed together: an algebra over what functions do, in order.

A function's body is a tree of steps: writes, commits, rollbacks, calls, branches, loops, `try`
and exits. Its *summary* says what it does to the transaction that is open when it is called:

* `through`: what it writes on ways without a commit, which stays pending in the caller;
* `first`: what it writes before its first commit, which is committed with what the caller wrote;
* `whole`: transactions that begin and end inside of it;
* `rest`: what it writes after its last commit or rollback, which stays pending in the caller;
* `raised`: what is pending where an exception leaves it.

Sets of tables are bit masks. Only maximal sets are kept: a way that writes less, and is committed
at the same place, tells nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from migrator.graph.components import components

_MOST_WAYS = 24
_MOST_ROUNDS = 6


class Commit(NamedTuple):
    """The place of a commit."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Write:
    """A table, as a bit, is written."""

    tables: int


@dataclass(frozen=True, slots=True)
class Commits:
    """What is pending is committed."""

    place: Commit


@dataclass(frozen=True, slots=True)
class RollsBack:
    """What is pending is thrown away."""


@dataclass(frozen=True, slots=True)
class Calls:
    """One of several functions is called; `optional`: or none that is known."""

    callees: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the arms is taken. A missing `else` is an empty arm."""

    arms: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """The body is run any number of times."""

    body: Block


@dataclass(frozen=True, slots=True)
class Try:
    """The body, or part of it and one of the handlers; then `final`."""

    body: Block
    handlers: tuple[Block, ...] = ()
    orelse: Block = ()
    final: Block = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """Control leaves the function or the loop."""

    kind: Literal["return", "raise", "break", "continue"]


Node = Write | Commits | RollsBack | Calls | Branch | Loop | Try | Exit
Block = tuple[Node, ...]


class _State(NamedTuple):
    committed: bool
    """Whether a commit or rollback has happened since the function began."""
    pending: int


_States = frozenset[_State]
_START: _States = frozenset({_State(False, 0)})
_NONE: _States = frozenset()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a function does to the open transaction; see the module."""

    through: frozenset[int] = frozenset({0})
    first: frozenset[tuple[int, Commit | None]] = frozenset()
    whole: frozenset[tuple[int, Commit]] = frozenset()
    rest: frozenset[int] = frozenset()
    raised: _States = _NONE

    @property
    def is_neutral(self) -> bool:
        """Whether a call of the function does nothing to transactions."""
        return self == _NEUTRAL


_NEUTRAL = Summary()


def _maximal(masks: Iterable[int]) -> frozenset[int]:
    """The sets that no other contains; their union where they are too many."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda each: (-each.bit_count(), each)):
        if not any(mask | other == other for other in kept):
            kept.append(mask)
    if len(kept) > _MOST_WAYS:
        union = 0
        for mask in kept:
            union |= mask
        kept = [union]
    return frozenset(kept)


def _reduced(states: Iterable[_State]) -> _States:
    states = tuple(states)
    if len(states) < 2:
        return frozenset(states)
    return frozenset(
        _State(committed, pending)
        for committed in (False, True)
        for pending in _maximal(each.pending for each in states if each.committed == committed)
    )


@dataclass(slots=True)
class _Flow:
    """What leaves a block, by the way that it leaves."""

    normal: _States = _NONE
    returned: _States = _NONE
    raised: _States = _NONE
    broken: _States = _NONE
    continued: _States = _NONE
    seen: _States = _NONE
    """Every state on the way: where an exception might have left."""

    def take_exits(self, other: _Flow) -> None:
        self.returned |= other.returned
        self.raised |= other.raised
        self.broken |= other.broken
        self.continued |= other.continued
        self.seen |= other.seen


@dataclass(slots=True)
class _Interpreter:
    summary_of: Callable[[Hashable], Summary]
    first: set[tuple[int, Commit | None]] = field(default_factory=set)
    whole: set[tuple[int, Commit]] = field(default_factory=set)

    def block(self, nodes: Block, states: _States) -> _Flow:
        flow = _Flow(seen=states)
        for node in nodes:
            if not states:
                break
            step = self.node(node, states)
            flow.take_exits(step)
            states = _reduced(step.normal)
            flow.seen |= states
        flow.normal = states
        return flow

    def node(self, node: Node, states: _States) -> _Flow:
        if isinstance(node, Write):
            return _Flow(frozenset(_State(c, pending | node.tables) for c, pending in states))
        if isinstance(node, Commits):
            self._close(states, node.place)
            return _Flow(frozenset({_State(True, 0)}))
        if isinstance(node, RollsBack):
            self._close(states, None)
            return _Flow(frozenset({_State(True, 0)}))
        if isinstance(node, Calls):
            return self._call(node, states)
        if isinstance(node, Branch):
            flow = _Flow()
            for arm in node.arms:
                taken = self.block(arm, states)
                flow.take_exits(taken)
                flow.normal |= taken.normal
            return flow
        if isinstance(node, Loop):
            return self._loop(node, states)
        if isinstance(node, Try):
            return self._try(node, states)
        flow = _Flow()
        if node.kind == "return":
            flow.returned = states
        elif node.kind == "raise":
            flow.raised = states
        elif node.kind == "break":
            flow.broken = states
        else:
            flow.continued = states
        return flow

    def _close(self, states: _States, place: Commit | None) -> None:
        for committed, pending in states:
            if not committed:
                self.first.add((pending, place))
            elif pending and place is not None:
                self.whole.add((pending, place))

    def _call(self, node: Calls, states: _States) -> _Flow:
        normal: set[_State] = set()
        raised: set[_State] = set()
        for callee in node.callees:
            summary = self.summary_of(callee)
            if summary is _NEUTRAL:
                normal |= states
                continue
            self.whole |= summary.whole
            for committed, pending in states:
                for written in summary.through:
                    normal.add(_State(committed, pending | written))
                for written, place in summary.first:
                    self._close(frozenset({_State(committed, pending | written)}), place)
                for after in summary.raised:
                    if after.committed:
                        raised.add(after)
                    else:
                        raised.add(_State(committed, pending | after.pending))
            normal |= {_State(True, after) for after in summary.rest}
        return _Flow(frozenset(normal), raised=_reduced(raised))

    def _loop(self, node: Loop, states: _States) -> _Flow:
        flow = _Flow()
        around = states
        for _ in range(_MOST_ROUNDS):
            taken = self.block(node.body, around)
            grown = _reduced(around | taken.normal | taken.continued)
            flow.returned |= taken.returned
            flow.raised |= taken.raised
            flow.normal |= taken.broken
            flow.seen |= taken.seen
            if grown == around:
                break
            around = grown
        flow.normal |= around
        return flow

    def _try(self, node: Try, states: _States) -> _Flow:
        body = self.block(node.body, states)
        flow = _Flow(seen=body.seen)
        ends = [self.block(node.orelse, _reduced(body.normal)) if node.orelse else body]
        if node.handlers:
            thrown = _reduced(body.seen | body.raised)
            ends += [self.block(handler, thrown) for handler in node.handlers]
            body.raised = _NONE if node.orelse else body.raised
        for end in ends:
            flow.take_exits(end)
            flow.normal |= end.normal
        if node.orelse:
            flow.take_exits(body)
        return self._finally(node.final, flow) if node.final else flow

    def _finally(self, final: Block, flow: _Flow) -> _Flow:
        after = _Flow(seen=flow.seen)
        for way in ("normal", "returned", "raised", "broken", "continued"):
            states: _States = getattr(flow, way)
            if states:
                ended = self.block(final, _reduced(states))
                setattr(after, way, getattr(after, way) | ended.normal)
                ended.normal = _NONE
                after.take_exits(ended)
        return after


def summarise(body: Block, summary_of: Callable[[Hashable], Summary]) -> Summary:
    """The summary of one function's body."""
    interpreter = _Interpreter(summary_of)
    flow = interpreter.block(body, _START)
    ends = flow.normal | flow.returned
    return Summary(
        through=_maximal(pending for committed, pending in ends if not committed),
        first=_largest(interpreter.first),
        whole=frozenset((tables, place) for tables, place in _largest(interpreter.whole) if place),
        rest=_maximal(pending for committed, pending in ends if committed),
        raised=_reduced(flow.raised),
    )


def _largest(closed: Iterable[tuple[int, Commit | None]]) -> frozenset[tuple[int, Commit | None]]:
    """Of the transactions closed at one place, those that no other contains."""
    by_place: dict[Commit | None, list[int]] = {}
    for tables, place in closed:
        by_place.setdefault(place, []).append(tables)
    return frozenset(
        (tables, place) for place, masks in by_place.items() for tables in _maximal(masks)
    )


def summaries(bodies: Mapping[Hashable, Block]) -> dict[Hashable, Summary]:
    """The summaries of all functions; recursion is followed until nothing changes."""
    known: dict[Hashable, Summary] = {}

    def summary_of(callee: Hashable) -> Summary:
        return known.get(callee, _NEUTRAL)

    called = {key: tuple(_callees(body)) for key, body in bodies.items()}
    for component in components(bodies, lambda key: called.get(key, ())):
        callers: dict[Hashable, list[Hashable]] = {key: [] for key in component}
        for key in component:
            for callee in called.get(key, ()):
                if callee in callers:
                    callers[callee].append(key)
        waiting = set(component)
        for _ in range(_MOST_ROUNDS):
            for key in component:
                if key not in waiting:
                    continue  # nothing that it calls has changed since
                waiting.discard(key)
                summary = summarise(bodies.get(key, ()), summary_of)
                if known.get(key) != summary:
                    known[key] = _NEUTRAL if summary == _NEUTRAL else summary
                    waiting.update(callers[key])
            if not waiting:
                break
    return known


def _callees(block: Block) -> Iterable[Hashable]:
    for node in block:
        if isinstance(node, Calls):
            yield from node.callees
        elif isinstance(node, Branch):
            for arm in node.arms:
                yield from _callees(arm)
        elif isinstance(node, Loop):
            yield from _callees(node.body)
        elif isinstance(node, Try):
            for part in (node.body, *node.handlers, node.orelse, node.final):
                yield from _callees(part)


def transactions(
    sequence: Block, summary_of: Callable[[Hashable], Summary], *, commits_at_end: Commit | None
) -> list[tuple[int, Commit]]:
    """The transactions of one way from outside: `sequence` calls hooks and handler in order.

    What is pending at the end is thrown away, unless something outside commits it then
    (`commits_at_end`). Sets of tables are masks; sorted by place.
    """
    body = sequence if commits_at_end is None else (*sequence, Commits(commits_at_end))
    summary = summarise(body, summary_of)
    closed = {(tables, place) for tables, place in summary.first if place is not None and tables}
    closed |= {(tables, place) for tables, place in summary.whole if tables}
    found = {(tables, place) for tables, place in _largest(closed) if place is not None}
    return sorted(found, key=lambda each: (each[1], each[0]))
