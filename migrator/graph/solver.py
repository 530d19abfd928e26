"""The worklist: variables hold sets of values, and what is new travels along edges to watchers.

Only differences travel: when a variable gains values, its successors and watchers see those values
once. Sets are capped, so that one very general variable cannot make everything flow everywhere;
what is dropped is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
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
        self.held: list[set[int] | None] = []
        self.edges: list[set[int] | None] = []
        self.watchers: list[list[tuple[Watcher, Any]] | None] = []
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

    def put(self, variable: int, value: int) -> None:
        """Let a variable hold a value."""
        held = self.held[variable]
        if held is None:
            self.held[variable] = {value}
        elif value in held:
            return
        else:
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
            if len(new) > self.most_outside:
                for value in new:
                    self.put(variable, value)
                return
            self.held[variable] = set(new)
            self.fresh[variable] = new.copy()
            self.queue.append(variable)
            return
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
        if source == target:
            return
        edges = self.edges[source]
        if edges is None:
            self.edges[source] = {target}
        elif target in edges:
            return
        else:
            edges.add(target)
        held = self.held[source]
        if held:
            if len(held) == 1:
                (value,) = held
                self.put(target, value)
            else:
                self._put_all(target, list(held))

    def watch(self, variable: int, watcher: Watcher, data: Any) -> None:
        """Call `watcher(value, data)` once for every value, now and later."""
        watchers = self.watchers[variable]
        if watchers is None:
            self.watchers[variable] = [(watcher, data)]
        else:
            watchers.append((watcher, data))
        held = self.held[variable]
        if held:
            waiting = self.fresh.get(variable, ())
            known = tuple(value for value in held if value not in waiting)
            if known:
                self.starts.append((watcher, data, known))

    # -- callbacks ------------------------------------------------------------------------------

    def points_to(self, variable: int) -> tuple[int, ...]:
        """The values of a variable; the callback that runs is run again when there are more."""
        callback = self.current
        if callback is not None and variable not in callback.seen:
            callback.seen.add(variable)
            watchers = self.watchers[variable]
            if watchers is None:
                self.watchers[variable] = [(self._wake, callback)]
            else:
                watchers.append((self._wake, callback))
        held = self.held[variable]
        return tuple(held) if held else ()

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
        all_held = self.held
        while queue and not self.starts:
            variable = queue.popleft()
            new = fresh.pop(variable)
            edges = self.edges[variable]
            if edges:
                if len(new) == 1:
                    value = new[0]
                    for target in edges:
                        held = all_held[target]
                        if held is None or value not in held:
                            put(target, value)
                else:
                    for target in edges:
                        put_all(target, new)
            watchers = self.watchers[variable]
            if watchers:
                for index in range(len(watchers)):
                    watcher, data = watchers[index]
                    for value in new:
                        watcher(value, data)

    def values_of(self, variable: int) -> Iterable[int]:
        """The values of a variable, without being told of more."""
        return self.held[variable] or ()
