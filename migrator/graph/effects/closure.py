"""What functions do through every call: tables, exceptions, request context, and by which path.

Works on a `Program` alone, so that every stage can ask. A function that acts differently by its
receiver or caller has variants (`Program.variants`); wherever a function is asked for, the key of
a variant may stand instead of its name, and calls lead to the variant that they really run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from migrator.graph.components import components
from migrator.model.bits import members
from migrator.model.program import Event, Function, Program

_NOTHING: frozenset[str] = frozenset()


class Evidence(NamedTuple):
    """The nearest place, seen from some roots, where a table is touched in one way."""

    path: tuple[str, ...]
    """Names of functions, from the root to the one whose body touches the table."""
    event: Event
    file: str


class Closure:
    """Transitive facts of functions; computed once, for all functions, when first asked."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._bits: dict[str, int] = {}
        self._names: list[str] = []
        self._of_prefix: dict[str, int] = {}
        """What a text begins with to the bits of all such texts."""
        self._known_texts: dict[int, frozenset[str]] = {}

    def function(self, key: str) -> Function | None:
        """The function or variant of that key."""
        return self.program.variants.get(key) or self.program.functions.get(key)

    def name(self, key: str) -> str:
        """The plain name of a function or variant."""
        function = self.program.variants.get(key)
        return function.name if function is not None else key

    def target(self, event: Event) -> str:
        """The key of what a call event runs, or nothing where that is outside of the program."""
        variant = event.variant
        if variant and variant in self.program.variants:
            return variant
        return event.target if event.target in self.program.functions else ""

    @cached_property
    def _successors(self) -> dict[str, tuple[str, ...]]:
        target = self.target
        found: dict[str, tuple[str, ...]] = {}
        for key, function in self._all():
            events = function.events
            called = (
                {target(each): None for each in events if each.kind == "call"} if events else {}
            )
            called.pop("", None)
            found[key] = tuple(called)
        return found

    def _all(self) -> Iterator[tuple[str, Function]]:
        yield from self.program.functions.items()
        yield from self.program.variants.items()

    # -- sets -------------------------------------------------------------------------------------

    def _bit(self, text: str) -> int:
        known = self._bits.get(text)
        if known is None:
            known = self._bits[text] = 1 << len(self._names)
            self._names.append(text)
            prefix = text[: text.find(" ") + 1]
            self._of_prefix[prefix] = self._of_prefix.get(prefix, 0) | known
        return known

    def _texts(self, mask: int, prefix: str) -> frozenset[str]:
        wanted = mask & self._of_prefix.get(prefix, 0)
        if not wanted:
            return _NOTHING
        known = self._known_texts.get(wanted)
        if known is None:
            texts = (each[len(prefix) :] for each in members(wanted, self._names))
            known = self._known_texts[wanted] = frozenset(texts)
        return known

    def _own(self, function: Function) -> int:
        mask = 0
        for event in function.events:
            if event.kind in ("read", "write", "emit"):
                mask |= self._bit(f"{event.kind} {event.target}")
            elif event.kind in ("commit", "rollback"):
                mask |= self._bit(event.kind)
        for name in function.raises:
            mask |= self._bit(f"raises {name}")
        for name in function.context_reads:
            mask |= self._bit(f"context {name}")
        for name in function.context_writes:
            mask |= self._bit(f"sets {name}")
        return mask

    @cached_property
    def _masks(self) -> dict[str, int]:
        masks: dict[str, int] = {}
        own = {key: self._own(function) for key, function in self._all()}
        successors = self._successors
        for component in components(own, successors.__getitem__):
            mask = 0
            for key in component:
                mask |= own[key]
                for called in successors[key]:
                    mask |= masks.get(called, 0)
            for key in component:
                masks[key] = mask
        return masks

    def _reached(self, key: str, prefix: str) -> frozenset[str]:
        return self._texts(self._masks.get(key, 0), prefix)

    def reads(self, function: str) -> frozenset[str]:
        """The tables that a function may read, through every call."""
        return self._reached(function, "read ")

    def writes(self, function: str) -> frozenset[str]:
        """The tables that a function may write, through every call."""
        return self._reached(function, "write ")

    def emits(self, function: str) -> frozenset[str]:
        """The signals and topics that a function may send, through every call."""
        return self._reached(function, "emit ")

    def commits(self, function: str) -> bool:
        """Whether a function may commit, itself or through a call."""
        return bool(self._masks.get(function, 0) & self._bit("commit"))

    def rolls_back(self, function: str) -> bool:
        """Whether a function may roll back, itself or through a call."""
        return bool(self._masks.get(function, 0) & self._bit("rollback"))

    def raises(self, function: str) -> frozenset[str]:
        """The exception classes that may leave a function or what it calls."""
        return self._reached(function, "raises ")

    def context_reads(self, function: str) -> frozenset[str]:
        """The request context that a function or what it calls reads: `flask.g.member`."""
        return self._reached(function, "context ")

    def context_writes(self, function: str) -> frozenset[str]:
        """The request context that a function or what it calls sets."""
        return self._reached(function, "sets ")

    def event_reads(self, event: Event) -> frozenset[str]:
        """The tables that one event may read: its own, or those of what it calls."""
        if event.kind == "call":
            return self.reads(self.target(event))
        return frozenset({event.target}) if event.kind == "read" else frozenset()

    def event_writes(self, event: Event) -> frozenset[str]:
        """The tables that one event may write: its own, or those of what it calls."""
        if event.kind == "call":
            return self.writes(self.target(event))
        return frozenset({event.target}) if event.kind == "write" else frozenset()

    # -- paths ------------------------------------------------------------------------------------

    def direct_callees(self, function: str) -> tuple[str, ...]:
        """The keys of what a function's own body calls, in order."""
        return self._successors.get(function, ())

    def callees(self, function: str) -> frozenset[str]:
        """The names of all functions that a function may reach, itself left out."""
        return frozenset(self.reachable([function])) - {self.name(function)}

    def reachable(self, roots: Iterable[str]) -> set[str]:
        """The names of all functions that these may reach, themselves included."""
        return {self.name(key) for key in self._search(roots)}

    def reachable_keys(self, roots: Iterable[str]) -> set[str]:
        """The same, with variants by their own keys."""
        return set(self._search(roots))

    def _search(self, roots: Iterable[str]) -> dict[str, str]:
        """Every reachable key with the one that led to it, nearest first."""
        came_from = {root: "" for root in roots if self.function(root) is not None}
        queue = deque(came_from)
        while queue:
            key = queue.popleft()
            for called in self._successors.get(key, ()):
                if called not in came_from:
                    came_from[called] = key
                    queue.append(called)
        return came_from

    def _path(self, came_from: dict[str, str], key: str) -> tuple[str, ...]:
        path: list[str] = []
        while key:
            name = self.name(key)
            if not path or path[-1] != name:
                path.append(name)
            key = came_from[key]
        return tuple(reversed(path))

    def path(self, source: str, target: str) -> tuple[str, ...]:
        """The names on a shortest way of calls between two functions; empty if there is none."""
        came_from = self._search([source])
        for key in came_from:
            if key == target or self.name(key) == target:
                return self._path(came_from, key)
        return ()

    def evidence(self, roots: Iterable[str]) -> dict[tuple[str, str, str], Evidence]:
        """(kind, table, operation) of all that is touched from `roots`, with the nearest place."""
        came_from = self._search(roots)
        found: dict[tuple[str, str, str], Evidence] = {}
        for key in came_from:
            for event, file in self._accesses.get(key, ()):
                what = (event.kind, event.target, event.operation)
                if what not in found:
                    found[what] = Evidence(self._path(came_from, key), event, file)
        return found

    @cached_property
    def _accesses(self) -> dict[str, list[tuple[Event, str]]]:
        """The reads and writes that stand in a function itself, with its file."""
        found: dict[str, list[tuple[Event, str]]] = {}
        for key, function in self._all():
            own = [(e, function.file) for e in function.events if e.kind in ("read", "write")]
            if own:
                found[key] = own
        return found
