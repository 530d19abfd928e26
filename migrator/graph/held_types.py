"""The classes of what variables hold, as dotted names."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.linking.linker import Linker
from migrator.graph.linking.values import Kind

_MOST_TYPES = 12
_TEXT = ("builtins.str",)


class Types:
    """The classes of what variables hold, each container looked into once."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._inside: dict[tuple[int, int], tuple[str, ...]] = {}

    def of(self, variables: Iterable[int]) -> tuple[str, ...]:
        """The dotted classes of what variables hold; `list[...]` around what containers hold."""
        return self._of(variables, 0)

    def _of(self, variables: Iterable[int], depth: int) -> tuple[str, ...]:
        all_held = self._linker.held
        held: set[int] = set()
        for variable in variables:
            values = all_held[variable]
            if type(values) is int:
                held.add(values)
            elif values is not None:
                held.update(values)  # type: ignore[arg-type]
        if len(held) < 2:
            return self._names_of(held.pop(), depth)[:_MOST_TYPES] if held else ()
        names = (self._names_of(value, depth) for value in held)
        return tuple(sorted({name for each in names for name in each})[:_MOST_TYPES])

    def _names_of(self, value: int, depth: int) -> tuple[str, ...]:
        values = self._linker.values
        kind = values.kinds[value]
        if kind in (Kind.INSTANCE, Kind.EXTERNAL_INSTANCE):
            return (values.names[value],)
        if kind in (Kind.STRING, Kind.TEMPLATE):
            return _TEXT
        if kind == Kind.CONTAINER:
            return self._container(value, depth) if depth < 3 else ()
        return (f"type[{values.names[value]}]",) if kind == Kind.CLASS else ()

    def _container(self, value: int, depth: int) -> tuple[str, ...]:
        known = self._inside.get((value, depth))
        if known is None:
            inner = self._of(self._linker.containers.of(value).variables(), depth + 1)
            known = tuple(sorted(f"list[{each}]" for each in inner))
            known = self._inside[value, depth] = known or (self._linker.values.names[value],)
        return known
