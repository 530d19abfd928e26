"""Special methods that Python's own functions call on what they are given, as `str(x)` does."""

from __future__ import annotations

import operator

from migrator.graph.linking import asking, items, operators
from migrator.graph.linking.builtin_place import Place, Semantics
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

_ORDERED = ("__lt__", "__gt__")
_TRUTH = ("__bool__", "__len__")


def _ask(
    place: Place,
    variable: int | None,
    *methods: str,
    other: int | None = None,
    target: int = NOWHERE,
) -> None:
    """Instances that a variable may hold are asked by the first of these methods that they have."""
    if variable is not None:
        data = (place.variant, place.instruction, methods, other, target)
        place.linker.watch(variable, asking.asking(place.linker), data)


def _asks(*methods: str) -> Semantics:
    """Its first argument is asked, and what comes of it is what the function gives."""

    def semantics(place: Place) -> bool:
        _ask(place, place.argument(0), *methods, other=place.argument(1), target=place.target)
        return True

    return semantics


def _asks_all(*methods: str) -> Semantics:
    """All of its arguments are asked; what comes of it is something else than what it gives."""

    def semantics(place: Place) -> bool:
        for each in place.arguments.positional:
            _ask(place, each if isinstance(each, int) else None, *methods)
        return False

    return semantics


def _asks_few(*methods: str) -> Semantics:
    """The same with keywords, where an argument is known well: anything can be printed."""

    def semantics(place: Place) -> bool:
        linker, variant, index = place.linker, place.variant, place.instruction
        for each in (*place.arguments.positional, *(v for _, v in place.arguments.keywords)):
            if isinstance(each, int):
                asking.ask_few(linker, variant, index, each, methods)
        return False

    return semantics


def _asks_elements(*methods: str) -> Semantics:
    """What its first argument holds is asked."""

    def semantics(place: Place) -> bool:
        element = place.element(place.argument(0))
        _ask(place, element, *methods)
        return False

    return semantics


def compare_elements(place: Place, element: int) -> None:
    """Elements are brought into an order, by a key or as they are."""
    key = place.keyword("key")
    if key is not None:
        place.call(key, [element], NOWHERE)
    else:
        _ask(place, element, *_ORDERED, other=element)


def _sum(place: Place) -> bool:
    element = place.element(place.argument(0))
    linker, variant, index = place.linker, place.variant, place.instruction
    operators.apply(linker, variant, index, "__add__", None, element, place.target)
    operators.apply(linker, variant, index, "__add__", element, element, place.target)
    return True


def _join(place: Place) -> bool:
    """`", ".join(xs)` goes through what it is given."""
    place.element(place.argument(0))
    return False


def _ordered(position: int) -> Semantics:
    """`heappush(heap, item)`: what is in a container is compared with what is given."""

    def semantics(place: Place) -> bool:
        element = place.element(place.argument(0))
        given = place.argument(position) if position else element
        _ask(place, given, *_ORDERED, other=element)
        return False

    return semantics


# -- the module `operator` ------------------------------------------------------------------------


def _operator(method: str) -> Semantics:
    """`operator.add(a, b)` is `a + b`."""

    def semantics(place: Place) -> bool:
        first, second = place.argument(0), place.argument(1)
        operators.apply(
            place.linker, place.variant, place.instruction, method, first, second, place.target
        )
        return True

    return semantics


def _holds(name: str) -> Semantics:
    """`operator.attrgetter("name")` is called with what it is to look at."""

    def semantics(place: Place) -> bool:
        linker = place.linker
        function = linker.values.external(name)
        partial = linker.values.partial(function, place.variant.id, place.instruction)
        linker.partials[partial] = place.arguments
        linker.put(place.target, partial)
        return True

    return semantics


def _looked_at(place: Place) -> int | None:
    return place.argument(len(place.arguments.positional) - 1)


def _get_attribute(place: Place) -> bool:
    _load(place, place.target)
    return True


def _call_method(place: Place) -> bool:
    method = place.linker.slot("method", place.variant.id, place.instruction, place.callee)
    _load(place, method)
    place.call(method, place.arguments.positional[1:-1], place.target)
    return True


def _load(place: Place, target: int) -> None:
    linker, name, base = place.linker, place.argument(0), _looked_at(place)
    for value in linker.points_to(name) if name is not None and base is not None else ():
        text = linker.values.text(value)
        if text is not None and base is not None:
            first, _, rest = text.partition(".")
            data = (place.variant, place.instruction, first, NOWHERE if rest else target)
            linker.watch(base, linker.on_load, data)


def _get_item(place: Place) -> bool:
    linker, base, key = place.linker, _looked_at(place), place.argument(0)

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.CONTAINER:
            for each in items.keys_in(linker, place.variant, key):
                linker.containers.read(value, each, target)

    if base is not None:
        linker.watch(base, watcher, place.target)
        _ask(place, base, "__getitem__", other=key, target=place.target)
    return True


_OPERATORS = {
    name: f"__{name.strip('_')}__"
    for name in dir(operator)
    if hasattr(operator, f"__{name.strip('_')}__") and not name.startswith("_")
}

TABLE: dict[str, Semantics] = {
    "builtins.str": _asks_all(*asking.AS_TEXT),
    "builtins.repr": _asks_all("__repr__"),
    "builtins.ascii": _asks_all("__repr__"),
    "builtins.print": _asks_few(*asking.AS_TEXT),
    "builtins.format": _asks_few(*asking.AS_FORMATTED),
    "builtins.str.join": _join,
    "builtins.str.format": _asks_few(*asking.AS_FORMATTED),
    "builtins.len": _asks_all("__len__"),
    "builtins.bool": _asks_all(*_TRUTH),
    "builtins.hash": _asks_all("__hash__"),
    "builtins.int": _asks_all("__int__", "__index__", "__trunc__"),
    "builtins.float": _asks_all("__float__", "__index__"),
    "builtins.complex": _asks_all("__complex__", "__float__"),
    "builtins.bytes": _asks_all("__bytes__"),
    "builtins.dir": _asks_all("__dir__"),
    "builtins.abs": _asks("__abs__"),
    "builtins.round": _asks("__round__"),
    "builtins.divmod": _asks("__divmod__"),
    "builtins.pow": _asks("__pow__"),
    "math.floor": _asks("__floor__"),
    "math.ceil": _asks("__ceil__"),
    "math.trunc": _asks("__trunc__"),
    "builtins.any": _asks_elements(*_TRUTH),
    "builtins.all": _asks_elements(*_TRUTH),
    "builtins.sum": _sum,
    "heapq.heappush": _ordered(1),
    "heapq.heappop": _ordered(0),
    "heapq.heapify": _ordered(0),
    "bisect.bisect": _ordered(1),
    "bisect.bisect_left": _ordered(1),
    "bisect.bisect_right": _ordered(1),
    "bisect.insort": _ordered(1),
    **{f"operator.{name}": _operator(method) for name, method in _OPERATORS.items()},
    "operator.truth": _asks_all(*_TRUTH),
    "operator.not_": _asks_all(*_TRUTH),
    "operator.contains": _asks("__contains__"),
    "operator.getitem": _asks("__getitem__"),
    "operator.attrgetter": _holds("operator.attrgetter.__call__"),
    "operator.methodcaller": _holds("operator.methodcaller.__call__"),
    "operator.itemgetter": _holds("operator.itemgetter.__call__"),
    "operator.attrgetter.__call__": _get_attribute,
    "operator.methodcaller.__call__": _call_method,
    "operator.itemgetter.__call__": _get_item,
}
"""By dotted name of function or method."""
