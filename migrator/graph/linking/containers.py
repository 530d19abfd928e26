"""What lists, tuples, dicts, sets and generators hold: a variable a constant key, one for the rest.

`element` gets what is stored under a key that is not known; `every` holds all that the container
holds; `keys` holds a dict's keys. A slot for a constant key is made when somebody uses it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from migrator.graph.linking.solver import NOWHERE, Solver

MOST_SLOTS = 64

SlotListener = Callable[[Hashable, int, Any], None]


class Container:
    """The variables of one container value. `length` is known for displays without stars.

    Few containers are asked for all that they hold, or for their keys: these variables come into
    being when somebody does.
    """

    __slots__ = (
        "_every",
        "_given_keys",
        "_keys",
        "_origins",
        "_solver",
        "element",
        "length",
        "listeners",
        "slots",
    )

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self.element = solver.new()
        self._every = self._keys = NOWHERE
        self.slots: dict[tuple[type, Hashable], int] = {}
        self.listeners: tuple[tuple[SlotListener, Any], ...] = ()
        self.length: int | None = None
        self._given_keys: tuple[int, ...] = ()
        self._origins: tuple[Container, ...] = ()

    @property
    def every(self) -> int:
        """The variable of all that it holds."""
        if self._every == NOWHERE:
            self._every = self._solver.new()
            for each in self.variables():
                self._solver.flow(each, self._every)
        return self._every

    def variables(self) -> list[int]:
        """The variables whose values together are all that it holds by now."""
        return [self.element, *self.slots.values()]

    def new_slot(self, identity: tuple[type, Hashable]) -> int:
        """The variable of a constant key that had none."""
        made = self.slots[identity] = self._solver.new()
        if self._every != NOWHERE:
            self._solver.flow(made, self._every)
        return made

    @property
    def keys(self) -> int:
        """The variable of its keys."""
        if self._keys == NOWHERE:
            self._keys = self._solver.new()
            waiting = [self]
            while waiting:
                each = waiting.pop()
                for source in each._given_keys:
                    self._solver.flow(source, each._keys)
                for origin in each._origins:
                    if origin._keys == NOWHERE:
                        origin._keys = self._solver.new()
                        waiting.append(origin)
                    self._solver.flow(origin._keys, each._keys)
        return self._keys

    def add_key(self, source: int) -> None:
        """What a variable holds is among its keys."""
        if self._keys != NOWHERE:
            self._solver.flow(source, self._keys)
        elif source not in self._given_keys:
            self._given_keys = (*self._given_keys, source)

    def add_keys_of(self, origin: Container) -> None:
        """The keys of another are among its own."""
        if self._keys != NOWHERE:
            self._solver.flow(origin.keys, self._keys)
        elif origin not in self._origins:
            self._origins = (*self._origins, origin)


class Containers:
    """All containers, by value."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._known: dict[int, Container] = {}
        self._untold: deque[tuple[SlotListener, Hashable, int, Any]] = deque()
        self._tells = False

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
            known = container.new_slot(identity)
            if container.listeners:
                self._tell(container, key, known)
        return known

    def _tell(self, container: Container, key: Hashable, variable: int) -> None:
        """Call the listeners; those that make slots of other containers do not nest."""
        for listener, data in container.listeners:
            self._untold.append((listener, key, variable, data))
        if self._tells:
            return
        self._tells = True
        while self._untold:
            listener, key, variable, data = self._untold.popleft()
            listener(key, variable, data)
        self._tells = False

    def listen(self, value: int, listener: SlotListener, data: Any) -> None:
        """Call `listener(key, variable, data)` for every slot, now and later."""
        container = self.of(value)
        container.listeners = (*container.listeners, (listener, data))
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
        found: dict[int, None] = {}
        for variable in container.variables():
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
        copy.add_keys_of(origin)
        self.listen(source, self._copy_slot, (target, shift))

    def _copy_slot(self, key: Hashable, variable: int, data: tuple[int, int]) -> None:
        target, shift = data
        if shift and isinstance(key, int):
            if key - shift < 0:
                return
            key -= shift
        self._solver.flow(variable, self.slot(target, key))
