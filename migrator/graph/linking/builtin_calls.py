"""What Python's own functions and the methods of its containers do with values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.graph.linking import class_calls, container_calls, special_calls, text_calls
from migrator.graph.linking.builtin_place import Place, Semantics
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker
    from migrator.graph.linking.sites import PlaceView


def find(name: str) -> Semantics | None:
    """What is known of an outside function or method, by dotted name."""
    return TABLE.get(name)


def read_item(linker: Linker, site: PlaceView, receiver: int, keys: list[object]) -> None:
    """`os.environ[key]` reads the environment."""
    if linker.values.names[receiver] == "os.environ":
        for key in keys:
            if isinstance(key, str):
                linker.environment.setdefault(key, {})[f"{site.file}:{site.line}"] = None


def _map(place: Place) -> bool:
    result = place.linker.slot("map", place.variant.id, place.instruction)
    for position in range(len(place.arguments.positional)):
        others = [
            place.element(place.argument(other))
            for other in range(len(place.arguments.positional))
            if other != position
        ]
        place.call(place.argument(position), others, result)
    place.make("builtins.map", result)
    return True


def _filter(place: Place) -> bool:
    element = place.element(place.argument(1))
    place.call(place.argument(0), [element], NOWHERE)
    place.make("builtins.filter", element)
    return True


def _sorted(place: Place) -> bool:
    element = place.element(place.argument(0))
    special_calls.compare_elements(place, element)
    place.make("builtins.list", element)
    return True


def _extreme(place: Place) -> bool:
    linker = place.linker
    if len(place.arguments.positional) == 1:
        element = place.element(place.argument(0))
        linker.flow(element, place.target)
    else:
        element = place.target
        for each in place.arguments.positional:
            if isinstance(each, int):
                linker.flow(each, place.target)
    special_calls.compare_elements(place, element)
    default = place.keyword("default")
    if default is not None:
        linker.flow(default, place.target)
    return True


def _reduce(place: Place) -> bool:
    element = place.element(place.argument(1))
    place.call(place.argument(0), [place.target, element], place.target)
    if place.argument(2) is not None:
        place.linker.flow(place.argument(2) or 0, place.target)
    place.linker.flow(element, place.target)
    return True


def _partial(place: Place) -> bool:
    linker = place.linker
    function = place.argument(0)
    if function is None:
        return True
    held = place.arguments.rest()

    def made(value: int, data: object) -> None:
        if linker.values.kinds[value] == Kind.PARTIAL:
            inner = linker.values.owners[value]
            if linker.values.kinds[inner] == Kind.PARTIAL:
                return  # a loop that wraps again and again
        partial = linker.values.partial(value, place.variant.id, place.instruction)
        linker.partials[partial] = held
        if linker.values.names[place.callee] == "functools.partialmethod":
            linker.partial_methods.add(partial)
        linker.put(place.target, partial)

    linker.watch(function, made, None)
    return True


def _starmap(place: Place) -> bool:
    """`itertools.starmap(function, rows)`: what a row holds are the arguments."""
    result = place.linker.slot("map", place.variant.id, place.instruction)
    place.call(place.argument(0), [(place.element(place.argument(1)),)], result)
    place.make("builtins.map", result)
    return True


def _kept(place: Place) -> bool:
    """`itertools.takewhile(test, xs)`: some of the elements that its second argument has."""
    element = place.element(place.argument(1))
    place.call(place.argument(0), [element], NOWHERE)
    place.make("builtins.generator", element)
    return True


_CALLED: dict[str, tuple[int, tuple[str, ...], int | None]] = {
    "re.sub": (1, ("repl",), None),
    "re.subn": (1, ("repl",), None),
    "re.compile.sub": (0, ("repl",), None),
    "re.compile.subn": (0, ("repl",), None),
    "itertools.accumulate": (1, ("func",), 0),
    "heapq.nlargest": (2, ("key",), 1),
    "heapq.nsmallest": (2, ("key",), 1),
    "heapq.merge": (-1, ("key",), 0),
    "json.dumps": (-1, ("default",), None),
    "json.dump": (-1, ("default",), None),
    "json.loads": (-1, ("object_hook", "object_pairs_hook"), None),
    "json.load": (-1, ("object_hook", "object_pairs_hook"), None),
}
"""Functions to the argument that they call: its position (or -1), its names, and the position of
the argument of whose elements it is given one."""


def _called(position: int, names: tuple[str, ...], elements: int | None) -> Semantics:
    """A function of the standard library that calls one of its arguments."""

    def semantics(place: Place) -> bool:
        given: list[int | None] = [None]
        if elements is not None:
            given = [place.element(place.argument(elements))]
        functions = [place.argument(position)] if position >= 0 else []
        for each in (*functions, *map(place.keyword, names)):
            place.call(each, given, NOWHERE)
        return False

    return semantics


TABLE: dict[str, Semantics] = {
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.sorted": _sorted,
    "builtins.min": _extreme,
    "builtins.max": _extreme,
    "itertools.takewhile": _kept,
    "itertools.dropwhile": _kept,
    "itertools.filterfalse": _kept,
    "itertools.starmap": _starmap,
    "functools.reduce": _reduce,
    "functools.partial": _partial,
    "functools.partialmethod": _partial,
    **{name: _called(*where) for name, where in _CALLED.items()},
    **container_calls.TABLE,
    **text_calls.TABLE,
    **class_calls.TABLE,
    **special_calls.TABLE,
}
"""By dotted name of function or method."""
