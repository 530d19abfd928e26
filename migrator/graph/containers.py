"""What lists, tuples, dicts, sets and generators hold: a variable a constant key, one for the rest.

`element` gets what is stored under a key that is not known; `every` holds all that the container
holds; `keys` holds a dict's keys. A slot for a constant key is made when somebody uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from migrator.graph.solver import Solver

MOST_SLOTS = 64

SlotListener = Callable[[Hashable, int, Any], None]


class Container:
    """The variables of one container value. `length` is known for displays without stars."""

    __slots__ = ("element", "every", "keys", "length", "listeners", "slots")

    def __init__(self, solver: Solver) -> None:
        first = solver.new(3)
        self.element = first
        self.every = first + 1
        self.keys = first + 2
        self.slots: dict[tuple[type, Hashable], int] = {}
        self.listeners: list[tuple[SlotListener, Any]] = []
        self.length: int | None = None
        solver.flow(self.element, self.every)


class Containers:
    """All containers, by value."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._known: dict[int, Container] = {}

    def of(self, value: int) -> Container:
        """The variables of a container value, or of an opaque value that has items stored."""
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = Container(self._solver)
        return known

    def slot(self, value: int, key: Hashable) -> int:
        """The variable for a constant key: what was stored under it."""
        container = self.of(value)
        identity = (type(key), key)
        known = container.slots.get(identity)
        if known is None:
            if len(container.slots) >= MOST_SLOTS:
                return container.element
            known = container.slots[identity] = self._solver.new()
            self._solver.flow(known, container.every)
            for listener, data in list(container.listeners):
                listener(key, known, data)
        return known

    def listen(self, value: int, listener: SlotListener, data: Any) -> None:
        """Call `listener(key, variable, data)` for every slot, now and later."""
        container = self.of(value)
        container.listeners.append((listener, data))
        for (_, key), variable in list(container.slots.items()):
            listener(key, variable, data)

    def read(self, value: int, key: Hashable | None, target: int) -> None:
        """`target` gets what `value[key]` may be; `key` None is unknown."""
        container = self.of(value)
        if key is None:
            self._solver.flow(container.every, target)
            return
        if isinstance(key, int) and key < 0 and container.length is not None:
            key += container.length
        self._solver.flow(self.slot(value, key), target)
        self._solver.flow(container.element, target)

    def held(self, value: int) -> tuple[int, ...]:
        """All values in a container: of those under constant keys more than one variable takes."""
        container = self.of(value)
        found = dict.fromkeys(self._solver.points_to(container.every))
        for variable in container.slots.values():
            found.update(dict.fromkeys(self._solver.points_to(variable)))
        return tuple(found)

    def write(self, value: int, key: Hashable | None, source: int) -> None:
        """`value[key] = source`."""
        variable = self.of(value).element if key is None else self.slot(value, key)
        self._solver.flow(source, variable)

    def copy(self, source: int, target: int, shift: int = 0) -> None:
        """All that one container holds is held by another too; integer keys move by `shift`."""
        origin, copy = self.of(source), self.of(target)
        self._solver.flow(origin.element, copy.element)
        self._solver.flow(origin.keys, copy.keys)
        self.listen(source, self._copy_slot, (target, shift))

    def _copy_slot(self, key: Hashable, variable: int, data: tuple[int, int]) -> None:
        target, shift = data
        if shift and isinstance(key, int):
            if key - shift < 0:
                return
            key -= shift
        self._solver.flow(variable, self.slot(target, key))
