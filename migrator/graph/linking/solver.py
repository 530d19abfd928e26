"""The worklist: variables hold sets of values, and what is new travels along edges to watchers.

Only differences travel: when a variable gains values, its successors and watchers see those values
once. Sets are capped, so that one very general variable cannot make everything flow everywhere;
what is dropped is counted. A variable that is *closed* gets no more values: it needs no edges and
no watchers, since all that it has can be told at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, TypeVar

from migrator.graph.linking.values import Values

MOST_VALUES = 80
MOST_VALUES_OF_LARGE = 30
"""A variable holds no more values than this; a large program affords fewer."""
LARGE = 100_000
"""A program of more instructions than this is large."""
MOST_OUTSIDE = 20
MOST_OUTSIDE_OF_LARGE = 10
"""Nor more than this by adding constants and outside things; nor containers, in a large one."""
FEW = 12
"""So many are held in a tuple, which takes a quarter of the memory; also what is full."""

NOWHERE = 0
"""The variable of results that nobody uses; it holds nothing."""
CLOSED = -1
"""In place of the edges of a variable that is closed."""

Watcher = Callable[[int, Any], None]


class Callback:
    """Code that looks at variables, and runs again when one of them has grown."""

    __slots__ = ("given", "queued", "run", "seen")

    def __init__(self, run: Callable[..., None], given: tuple[Any, ...]) -> None:
        self.run = run
        self.given = given
        self.seen: tuple[int, ...] | set[int] = ()
        self.queued = False


class Solver:
    """Variables, edges between them, and the queue of what is new."""

    def __init__(self) -> None:
        self.values = Values()
        self.held: list[int | tuple[int, ...] | dict[int, None] | None] = []
        """By variable; most hold one value, have one edge and one watcher, which need no set.

        Large ones keep the order in which they grew: what a full variable holds must not depend on
        how values and variables are numbered, or one more function somewhere changes all else."""
        self.edges: list[int | tuple[int, ...] | dict[int, None] | None] = []
        self.watchers: list[tuple[Watcher, Any] | list[Any] | None] = []
        """By variable: a watcher and its data, or a list of these by turns."""
        self.fresh: dict[int, list[int]] = {}
        self.queue: deque[int] = deque()
        self.starts: deque[tuple[Watcher, Any, tuple[int, ...]]] = deque()
        """Watchers of variables that held something already when they came."""
        self.callbacks: deque[Callback] = deque()
        self.current: Callback | None = None
        self.closing = False
        """Whether variables may be closed as soon as they hold their only value."""
        self.dropped = 0
        self.most_values = MOST_VALUES
        self.most_outside = MOST_OUTSIDE
        self.made: dict[Any, Any] = {}
        """What `once` has made."""
        self._slots: dict[tuple[Hashable, ...], int] = {}
        self.new()  # NOWHERE

    # -- variables ------------------------------------------------------------------------------

    def new(self, count: int = 1) -> int:
        """The first of `count` new variables in a row."""
        first = len(self.held)
        if count == 1:
            self.held.append(None)
            self.edges.append(None)
            self.watchers.append(None)
            return first
        nothing = [None] * count
        self.held.extend(nothing)
        self.edges.extend(nothing)
        self.watchers.extend(nothing)
        return first

    def slot(self, *name: Hashable) -> int:
        """The variable that is known by a name of its own."""
        known = self._slots.get(name)
        if known is None:
            known = self._slots[name] = self.new()
        return known

    def has_slot(self, *name: Hashable) -> bool:
        """Whether `slot` has been asked for that name."""
        return name in self._slots

    def slots_of(self, kind: Hashable) -> list[tuple[tuple[Any, ...], int]]:
        """Names and variables of the slots whose names begin so."""
        return [each for each in self._slots.items() if each[0][0] == kind]

    def put(self, variable: int, value: int) -> None:
        """Let a variable hold a value."""
        held = self.held[variable]
        if held is None:
            if variable == NOWHERE:
                return
            self.held[variable] = value
        elif type(held) is int:
            if held == value:
                return
            self.held[variable] = (held, value)
        else:
            size = len(held)  # type: ignore[arg-type]
            if size >= self.most_values:
                self.dropped += 1
                return
            if value in held:  # type: ignore[operator]
                return
            if size >= self.most_outside and self.values.outside[value]:
                self.dropped += 1
                return
            if size < FEW or size + 1 == self.most_values:
                self.held[variable] = (*held, value)  # type: ignore[misc]
            elif size == FEW:
                self.held[variable] = dict.fromkeys((*held, value))  # type: ignore[misc]
            else:
                held[value] = None  # type: ignore[index]
        if self.edges[variable] is None and self.watchers[variable] is None:
            return  # whoever comes later is told of all that is held
        fresh = self.fresh.get(variable)
        if fresh is None:
            self.fresh[variable] = [value]
            self.queue.append(variable)
        else:
            fresh.append(value)

    def fix(self, variable: int, value: int) -> None:
        """Let a variable hold a value that is the only one which it will ever hold."""
        if (
            self.closing
            and self.held[variable] is None
            and self.edges[variable] is None
            and self.watchers[variable] is None
        ):
            self.held[variable] = value
            self.edges[variable] = CLOSED
        else:
            self.put(variable, value)

    def close(self, variable: int) -> None:
        """Promise that a variable will hold no more than what has gone out from it by now."""
        self.edges[variable] = CLOSED
        self.watchers[variable] = None

    def _put_all(self, variable: int, new: Sequence[int]) -> None:
        """`put` for many values, most of which are often known already."""
        held = self.held[variable]
        if held is None:
            if variable == NOWHERE:
                return
            size = 0
            unknown = list(new)
        elif type(held) is int:
            size = 1
            unknown = [value for value in new if value != held]
        else:
            size = len(held)  # type: ignore[arg-type]
            if size >= self.most_values:
                self.dropped += 1
                return
            unknown = [value for value in new if value not in held]  # type: ignore[operator]
        if not unknown:
            return
        if size + len(unknown) > self.most_outside:
            unknown = self._affordable(size, unknown)
            if not unknown:
                return
        whole = size + len(unknown)
        if type(held) is dict and whole < self.most_values:
            held.update(dict.fromkeys(unknown))
        elif whole == 1:
            self.held[variable] = unknown[0]
        else:
            before = () if held is None else (held,) if type(held) is int else held
            made = (*before, *unknown)  # type: ignore[misc]
            few = whole <= FEW or whole == self.most_values
            self.held[variable] = made if few else dict.fromkeys(made)
        if self.edges[variable] is None and self.watchers[variable] is None:
            return
        fresh = self.fresh.get(variable)
        if fresh is None:
            self.fresh[variable] = unknown
            self.queue.append(variable)
        else:
            fresh += unknown

    def _affordable(self, size: int, unknown: list[int]) -> list[int]:
        """Those values that a variable which holds `size` others still takes."""
        outside, most_outside = self.values.outside, self.most_outside
        room = self.most_values - size
        taken = []
        for value in unknown:
            if size < most_outside or not outside[value]:
                taken.append(value)
                size += 1
        self.dropped += len(unknown) - min(len(taken), room)
        return taken[:room]

    def add(self, variable: int, *values: int) -> None:
        """Let a variable hold values."""
        for value in values:
            self.put(variable, value)

    def flow(self, source: int, target: int) -> None:
        """Let all values of `source`, now and later, be values of `target`."""
        if source == target or target == NOWHERE:
            return
        edges = self.edges[source]
        if edges is None:
            self.edges[source] = target
        elif type(edges) is int:
            if edges == target:
                return
            if edges != CLOSED:
                self.edges[source] = (edges, target)
        elif target in edges:  # type: ignore[operator]
            return
        elif type(edges) is dict:
            edges[target] = None
        elif len(edges) < FEW:  # type: ignore[arg-type]
            self.edges[source] = (*edges, target)  # type: ignore[misc]
        else:
            self.edges[source] = dict.fromkeys((*edges, target))  # type: ignore[misc]
        held = self.held[source]
        if held is None:
            return
        if type(held) is int:
            self.put(target, held)
        else:
            self._put_all(target, list(held))  # type: ignore[arg-type]

    def watch(self, variable: int, watcher: Watcher, data: Any) -> None:
        """Call `watcher(value, data)` once for every value, now and later."""
        held = self.held[variable]
        if self.edges[variable] == CLOSED:
            outer, self.current = self.current, None
            if type(held) is int:
                watcher(held, data)
            elif held is not None:
                for value in tuple(held):  # type: ignore[arg-type]
                    watcher(value, data)
            self.current = outer
            return
        self._add_watcher(variable, watcher, data)
        if held is not None:
            known: tuple[int, ...] = (held,) if type(held) is int else tuple(held)  # type: ignore[arg-type]
            waiting = self.fresh.get(variable)
            if waiting is not None:
                known = tuple([value for value in known if value not in waiting])
                if not known:
                    return
            self.starts.append((watcher, data, known))

    def _add_watcher(self, variable: int, watcher: Watcher, data: Any) -> None:
        watchers = self.watchers[variable]
        if watchers is None:
            self.watchers[variable] = (watcher, data)
        elif type(watchers) is tuple:
            self.watchers[variable] = [*watchers, watcher, data]
        else:
            watchers.append(watcher)  # type: ignore[union-attr]
            watchers.append(data)  # type: ignore[union-attr]

    # -- callbacks ------------------------------------------------------------------------------

    def points_to(self, variable: int) -> tuple[int, ...]:
        """The values of a variable; the callback that runs is run again when there are more."""
        callback = self.current
        if (
            callback is not None
            and self.edges[variable] != CLOSED
            and variable not in (seen := callback.seen)
        ):
            if type(seen) is set:
                seen.add(variable)
            elif len(seen) < FEW:
                callback.seen = (*seen, variable)
            else:
                callback.seen = {*seen, variable}
            self._add_watcher(variable, self._wake, callback)
        return tuple(self.values_of(variable))

    def _wake(self, value: int, callback: Callback) -> None:
        if not callback.queued:
            callback.queued = True
            self.callbacks.append(callback)

    def start(self, run: Callable[..., None], *given: Any) -> Callback:
        """Run something now, and again whenever what it looked at has grown."""
        callback = Callback(run, given)
        self._run(callback)
        return callback

    def _run(self, callback: Callback) -> None:
        outer, self.current = self.current, callback
        callback.queued = False
        try:
            callback.run(*callback.given)
        finally:
            self.current = outer

    # -- the loop -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Work until nothing changes any more."""
        while True:
            if self.starts:
                watcher, data, known = self.starts.popleft()
                for value in known:
                    watcher(value, data)
            elif self.queue:
                self._propagate()
            elif self.callbacks:
                self._run(self.callbacks.popleft())
            elif not self.more():
                return

    def rest(self) -> None:
        """Nothing will settle any more: forget who would have to be told."""
        self.watchers = [None] * len(self.watchers)
        self.made = {}

    def release(self) -> None:
        """Nothing is asked any more: give back what the variables hold."""
        self.held, self.edges, self.watchers = [], [], []

    def more(self) -> bool:
        """Called when nothing is left to do; True when it has made something to do."""
        return False

    def _propagate(self) -> None:
        queue, fresh, put, put_all = self.queue, self.fresh, self.put, self._put_all
        all_held, all_edges, all_watchers = self.held, self.edges, self.watchers
        starts, most = self.starts, self.most_values
        while queue and not starts:
            variable = queue.popleft()
            new = fresh.pop(variable)
            edges = all_edges[variable]
            if edges is not None and edges != CLOSED:
                targets = (edges,) if type(edges) is int else edges
                if len(new) == 1:
                    value = new[0]
                    for target in targets:  # type: ignore[union-attr]
                        held = all_held[target]
                        if held is None or (
                            held != value
                            if type(held) is int
                            else len(held) < most and value not in held  # type: ignore[arg-type, operator]
                        ):
                            put(target, value)
                else:
                    for target in targets:  # type: ignore[union-attr]
                        put_all(target, new)
            watchers = all_watchers[variable]
            if watchers is None:
                continue
            if type(watchers) is tuple:
                watcher, data = watchers
                for value in new:
                    watcher(value, data)
            else:
                for index in range(0, len(watchers), 2):
                    watcher = watchers[index]
                    data = watchers[index + 1]
                    for value in new:
                        watcher(value, data)

    def values_of(self, variable: int) -> Collection[int]:
        """The values of a variable, without being told of more."""
        held = self.held[variable]
        if held is None:
            return ()
        return (held,) if type(held) is int else held  # type: ignore[return-value]


S = TypeVar("S", bound=Solver)
T = TypeVar("T")


def once(make: Callable[[S], T]) -> Callable[[S], T]:
    """Decorates what makes a watcher that needs nothing but the solver: it makes one for each."""

    def known(solver: S) -> T:
        found = solver.made.get(make)
        if found is None:
            found = solver.made[make] = make(solver)
        return found

    return known
