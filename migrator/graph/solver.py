"""The worklist: variables hold sets of values, and what is new travels along edges to watchers.

Only differences travel: when a variable gains values, its successors and watchers see those values
once. Sets are capped, so that one very general variable cannot make everything flow everywhere;
what is dropped is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable
from typing import Any

from migrator.graph.values import Values

MOST_VALUES = 80
MOST_VALUES_OF_LARGE = 30
"""A variable holds no more values than this; a large program affords fewer."""
LARGE = 100_000
"""A program of more instructions than this is large."""
MOST_OUTSIDE = 20
MOST_OUTSIDE_OF_LARGE = 10
"""Nor more than this by adding constants and outside things; nor containers, in a large one."""

NOWHERE = 0
"""The variable of results that nobody uses; it holds nothing."""

Watcher = Callable[[int, Any], None]


class Callback:
    """Code that looks at variables, and runs again when one of them has grown."""

    __slots__ = ("queued", "run", "seen")

    def __init__(self, run: Callable[[], None]) -> None:
        self.run = run
        self.seen: set[int] = set()
        self.queued = False


class Solver:
    """Variables, edges between them, and the queue of what is new."""

    def __init__(self) -> None:
        self.values = Values()
        self.held: list[int | set[int] | None] = []
        """By variable; most hold one value, have one edge and one watcher, which need no set."""
        self.edges: list[int | set[int] | None] = []
        self.watchers: list[tuple[Watcher, Any] | list[tuple[Watcher, Any]] | None] = []
        self.fresh: dict[int, list[int]] = {}
        self.queue: deque[int] = deque()
        self.starts: deque[tuple[Watcher, Any, tuple[int, ...]]] = deque()
        """Watchers of variables that held something already when they came."""
        self.callbacks: deque[Callback] = deque()
        self.current: Callback | None = None
        self.dropped = 0
        self.most_values = MOST_VALUES
        self.most_outside = MOST_OUTSIDE
        self._slots: dict[tuple[Hashable, ...], int] = {}
        self.new()  # NOWHERE

    # -- variables ------------------------------------------------------------------------------

    def new(self, count: int = 1) -> int:
        """The first of `count` new variables in a row."""
        first = len(self.held)
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

    def _leads(self, source: int, target: int) -> bool:
        """Whether `flow` has been called with these."""
        edges = self.edges[source]
        return edges == target if type(edges) is int else edges is not None and target in edges  # type: ignore[operator]

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
            self.held[variable] = {held, value}
        elif value in held:  # type: ignore[operator]
            return
        else:
            assert isinstance(held, set)
            size = len(held)
            if size >= self.most_outside and (
                size >= self.most_values or self.values.outside[value]
            ):
                self.dropped += 1
                return
            held.add(value)
        fresh = self.fresh.get(variable)
        if fresh is None:
            self.fresh[variable] = [value]
            self.queue.append(variable)
        else:
            fresh.append(value)

    def _put_all(self, variable: int, new: list[int]) -> None:
        """`put` for many values, most of which are often known already."""
        held = self.held[variable]
        if held is None:
            if variable == NOWHERE:
                return
            held, size, unknown = set(), 0, new.copy()
        else:
            if type(held) is int:
                held = {held}
            assert isinstance(held, set)
            size = len(held)
            if size >= self.most_values:
                self.dropped += 1
                return
            unknown = [value for value in new if value not in held]
            if not unknown:
                return
        if size + len(unknown) > self.most_outside:
            for value in unknown:
                self.put(variable, value)
            return
        held.update(unknown)
        self.held[variable] = held
        fresh = self.fresh.get(variable)
        if fresh is None:
            self.fresh[variable] = unknown
            self.queue.append(variable)
        else:
            fresh += unknown

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
            self.edges[source] = {edges, target}
        elif target in edges:  # type: ignore[operator]
            return
        else:
            edges.add(target)  # type: ignore[union-attr]
        held = self.held[source]
        if held is None:
            return
        if type(held) is int:
            self.put(target, held)
        else:
            self._put_all(target, list(held))  # type: ignore[arg-type]

    def watch(self, variable: int, watcher: Watcher, data: Any) -> None:
        """Call `watcher(value, data)` once for every value, now and later."""
        self._add_watcher(variable, watcher, data)
        held = self.held[variable]
        if held is not None:
            waiting = self.fresh.get(variable, ())
            known = tuple(value for value in self.values_of(variable) if value not in waiting)
            if known:
                self.starts.append((watcher, data, known))

    def _add_watcher(self, variable: int, watcher: Watcher, data: Any) -> None:
        watchers = self.watchers[variable]
        if watchers is None:
            self.watchers[variable] = (watcher, data)
        elif type(watchers) is tuple:
            self.watchers[variable] = [watchers, (watcher, data)]
        else:
            watchers.append((watcher, data))  # type: ignore[union-attr]

    # -- callbacks ------------------------------------------------------------------------------

    def points_to(self, variable: int) -> tuple[int, ...]:
        """The values of a variable; the callback that runs is run again when there are more."""
        callback = self.current
        if callback is not None and variable not in callback.seen:
            callback.seen.add(variable)
            self._add_watcher(variable, self._wake, callback)
        return tuple(self.values_of(variable))

    def _wake(self, value: int, callback: Callback) -> None:
        if not callback.queued:
            callback.queued = True
            self.callbacks.append(callback)

    def start(self, run: Callable[[], None]) -> None:
        """Run something now, and again whenever what it looked at has grown."""
        self._run(Callback(run))

    def _run(self, callback: Callback) -> None:
        outer, self.current = self.current, callback
        callback.queued = False
        try:
            callback.run()
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

    def more(self) -> bool:
        """Called when nothing is left to do; True when it has made something to do."""
        return False

    def _propagate(self) -> None:
        queue, fresh, put, put_all = self.queue, self.fresh, self.put, self._put_all
        all_held, all_edges, all_watchers = self.held, self.edges, self.watchers
        starts = self.starts
        while queue and not starts:
            variable = queue.popleft()
            new = fresh.pop(variable)
            edges = all_edges[variable]
            if edges is not None:
                targets = (edges,) if type(edges) is int else edges
                if len(new) == 1:
                    value = new[0]
                    for target in targets:  # type: ignore[union-attr]
                        held = all_held[target]
                        if held is None:
                            all_held[target] = value
                            known = fresh.get(target)
                            if known is None:
                                fresh[target] = [value]
                                queue.append(target)
                            else:
                                known.append(value)
                        elif held != value if type(held) is int else value not in held:  # type: ignore[operator]
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
                for index in range(len(watchers)):
                    watcher, data = watchers[index]  # type: ignore[misc]
                    for value in new:
                        watcher(value, data)

    def values_of(self, variable: int) -> Collection[int]:
        """The values of a variable, without being told of more."""
        held = self.held[variable]
        if held is None:
            return ()
        return (held,) if type(held) is int else held  # type: ignore[return-value]
