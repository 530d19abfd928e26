"""What constructors, methods and iterators of Python's containers do with values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from migrator.graph.linking import calling, items, operators, special_calls
from migrator.graph.linking.builtin_place import Place, Semantics
from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.solver import once
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


def _container(name: str) -> Semantics:
    def semantics(place: Place) -> bool:
        source = place.argument(0)
        linker = place.linker
        value = linker.values.container(
            name, "call", place.variant.id, place.instruction, place.callee
        )
        if source is not None:
            if name == "builtins.dict":
                linker.watch(source, _merge(linker), value)
            else:
                linker.watch(source, _listed(place), value)
        for key, variable in place.arguments.keywords:
            if key is not None and variable is not None:
                linker.containers.write(value, key, variable)
                linker.containers.of(value).add_key(linker.constant_variable(key))
            elif variable is not None:
                linker.watch(variable, _merge(linker), value)
        linker.put(place.target, value)
        return True

    return semantics


def _listed(place: Place) -> Callable[[int, int], None]:
    """Copy a sequence with its slots; what else can be iterated gives its elements."""
    linker = place.linker
    iterated = operators.iterator(linker)

    def watcher(source: int, value: int) -> None:
        values = linker.values
        if values.kinds[source] == Kind.CONTAINER and values.names[source] in (
            "builtins.list",
            "builtins.tuple",
        ):
            linker.containers.copy(source, value)
        else:
            element = linker.containers.of(value).element
            iterated(source, (place.variant, place.instruction, element))

    return watcher


@once
def _merge(linker: Linker) -> Callable[[int, int], None]:
    def watcher(source: int, value: int) -> None:
        if linker.values.kinds[source] == Kind.CONTAINER:
            linker.containers.copy(source, value)

    return watcher


def _default_dict(place: Place) -> bool:
    linker = place.linker
    value = linker.values.container("builtins.dict", "call", place.variant.id, place.instruction)
    place.call(place.argument(0), [], linker.containers.of(value).element)
    linker.put(place.target, value)
    return True


def _grow(position: int, *, many: bool = False) -> Semantics:
    """`append`, `add`, `insert`, `extend` and the like."""

    def semantics(place: Place) -> bool:
        linker, receiver = place.linker, place.receiver
        if linker.values.kinds[receiver] != Kind.CONTAINER:
            return False
        linker.mutated(place.variant, place.instruction, receiver, "method")
        source = place.argument(position)
        if source is not None:
            if many:
                source = place.element(source)
            linker.flow(source, linker.containers.of(receiver).element)
        return True

    return semantics


def _shrink(place: Place) -> bool:
    """`pop`, `popleft`, `remove`, `clear`: what comes out is what the container holds."""
    linker, receiver = place.linker, place.receiver
    if linker.values.kinds[receiver] != Kind.CONTAINER:
        return False
    linker.mutated(place.variant, place.instruction, receiver, "method")
    return _get(place)


def _get(place: Place) -> bool:
    linker, receiver = place.linker, place.receiver
    if linker.values.kinds[receiver] != Kind.CONTAINER:
        return False
    key = place.argument(0)

    def run() -> None:
        for each in items.keys_in(linker, place.variant, key):
            linker.containers.read(receiver, each, place.target)

    if linker.values.names[receiver] == "builtins.dict" and key is not None:
        linker.start(run)
    else:
        linker.flow(linker.containers.of(receiver).every, place.target)
    default = place.argument(1)
    if default is not None:
        linker.flow(default, place.target)
    return True


def _set_default(place: Place) -> bool:
    linker, receiver = place.linker, place.receiver
    if linker.values.kinds[receiver] != Kind.CONTAINER:
        return False
    linker.mutated(place.variant, place.instruction, receiver, "method")
    key, source = place.argument(0), place.argument(1)

    def run() -> None:
        for each in items.keys_in(linker, place.variant, key):
            linker.containers.write(receiver, each, source or 0)

    if key is not None:
        linker.containers.of(receiver).add_key(key)
    if source is not None:
        linker.start(run)
    return _get(place)


def _update(place: Place) -> bool:
    linker, receiver = place.linker, place.receiver
    if linker.values.kinds[receiver] != Kind.CONTAINER:
        return False
    linker.mutated(place.variant, place.instruction, receiver, "method")
    source = place.argument(0)
    if source is not None:
        linker.watch(source, _merge(linker), receiver)
    for key, variable in place.arguments.keywords:
        if key is not None and variable is not None:
            linker.containers.write(receiver, key, variable)
    return True


def _view(part: str) -> Semantics:
    """`values`, `keys`, `items`."""

    def semantics(place: Place) -> bool:
        linker, receiver = place.linker, place.receiver
        if linker.values.kinds[receiver] != Kind.CONTAINER:
            return False
        container = linker.containers.of(receiver)
        if part == "values":
            place.make("builtins.list", container.every)
        elif part == "keys":
            place.make("builtins.list", container.keys)
        else:
            pair = linker.values.container("builtins.tuple", "item", receiver)
            linker.containers.write(pair, 0, container.keys)
            linker.containers.write(pair, 1, container.every)
            linker.containers.of(pair).length = 2
            place.make("builtins.list", linker.variable_of(pair))
        return True

    return semantics


def _copy(place: Place) -> bool:
    linker, receiver = place.linker, place.receiver
    if linker.values.kinds[receiver] != Kind.CONTAINER:
        return False
    name = linker.values.names[receiver]
    if linker.values.parts[receiver][:3] == ("copy", place.variant.id, place.instruction):
        linker.put(place.target, receiver)  # a copy of itself, in a loop
        return True
    value = linker.values.container(name, "copy", place.variant.id, place.instruction, receiver)
    linker.containers.copy(receiver, value)
    linker.put(place.target, value)
    return True


def _sort(place: Place) -> bool:
    linker, receiver = place.linker, place.receiver
    if linker.values.kinds[receiver] != Kind.CONTAINER:
        return False
    linker.mutated(place.variant, place.instruction, receiver, "method")
    special_calls.compare_elements(place, linker.containers.of(receiver).every)
    return True


def _same_elements(name: str) -> Semantics:
    """`reversed`, `iter` and the like: another way through the same elements."""

    def semantics(place: Place) -> bool:
        place.make(name, place.element(place.argument(0)))
        return True

    return semantics


def _reversed(place: Place) -> bool:
    """`reversed(xs)` asks an instance for `__reversed__`, or for its items by number."""
    linker, variant, index = place.linker, place.variant, place.instruction
    variable = place.argument(0)
    element = linker.slot("element", variant.id, index, variable)
    iterated = operators.iterator(linker)

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] != Kind.INSTANCE:
            iterated(value, (variant, index, target))
        elif not items.special_method(
            linker, variant, index, value, "__reversed__", [], place.target
        ):
            for method in ("__len__", "__getitem__"):
                items.special_method(linker, variant, index, value, method, [], target)

    if variable is not None:
        linker.watch(variable, watcher, element)
    place.make("builtins.generator", element)
    return True


def _next(place: Place) -> bool:
    linker = place.linker
    variable = place.argument(0)
    if variable is not None:
        iterated = operators.iterator(linker)

        def watcher(value: int, data: tuple[Variant, int, int]) -> None:
            if linker.values.kinds[value] == Kind.INSTANCE:
                method = linker.class_attribute_variable(linker.values.owners[value], "__next__")
                if method is not None:
                    calling.invoke_all(linker, *data[:2], method, value, [], data[2])
            else:
                iterated(value, data)

        linker.watch(variable, watcher, (place.variant, place.instruction, place.target))
    default = place.argument(1)
    if default is not None:
        linker.flow(default, place.target)
    return True


def _send(place: Place) -> bool:
    """`generator.send(value)`."""
    linker = place.linker
    variant, sent = linker.generators.get(place.receiver), place.argument(0)
    if variant is None:
        return False
    if sent is not None:
        linker.flow(sent, linker.slot("sent", variant.id))
    linker.flow(linker.containers.of(place.receiver).every, place.target)
    return True


def _zip(place: Place) -> bool:
    """`zip`, `itertools.product` and the like: rows with an element of each argument."""
    count = len(place.arguments.positional)
    _rows(place, [place.element(place.argument(position)) for position in range(count)])
    return True


def _rows(place: Place, elements: list[int]) -> None:
    """The result are rows of these elements."""
    linker = place.linker
    row = linker.values.container("builtins.tuple", "zip", place.variant.id, place.instruction)
    for position, element in enumerate(elements):
        linker.containers.write(row, position, element)
    linker.containers.of(row).length = len(elements)
    place.make("builtins.zip", linker.variable_of(row))


def _choose(place: Place) -> bool:
    """`itertools.combinations` and the like: rows of any length with elements of one argument."""
    linker = place.linker
    row = linker.values.container("builtins.tuple", "zip", place.variant.id, place.instruction)
    linker.containers.write(row, None, place.element(place.argument(0)))
    place.make("builtins.zip", linker.variable_of(row))
    return True


def _group(place: Place) -> bool:
    """`itertools.groupby`: keys, each with what has it."""
    linker, variant, index = place.linker, place.variant, place.instruction
    element = place.element(place.argument(0))
    key = linker.slot("group", variant.id, index)
    place.call(place.argument(1), [element], key)
    place.call(place.keyword("key"), [element], key)
    group = linker.values.container("builtins.generator", "group", variant.id, index)
    linker.containers.write(group, None, element)
    _rows(place, [key, linker.variable_of(group)])
    return True


def _iter(place: Place) -> bool:
    """`iter(xs)`, or `iter(function, end)`."""
    if len(place.arguments.positional) == 1:
        return _same_elements("builtins.generator")(place)
    given = place.linker.slot("element", place.variant.id, place.instruction, place.callee)
    place.call(place.argument(0), [], given)
    place.make("builtins.generator", given)
    return True


def _chain_all(place: Place) -> bool:
    place.make("builtins.generator", place.element(place.element(place.argument(0))))
    return True


def _enumerate(place: Place) -> bool:
    linker = place.linker
    row = linker.values.container(
        "builtins.tuple", "enumerate", place.variant.id, place.instruction
    )
    linker.containers.write(row, 1, place.element(place.argument(0)))
    linker.containers.of(row).length = 2
    place.make("builtins.enumerate", linker.variable_of(row))
    return True


def _chain(place: Place) -> bool:
    both = place.linker.slot("chain", place.variant.id, place.instruction)
    for position in range(len(place.arguments.positional)):
        place.linker.flow(place.element(place.argument(position)), both)
    place.make("builtins.generator", both)
    return True


TABLE: dict[str, Semantics] = {
    "builtins.list": _container("builtins.list"),
    "builtins.tuple": _container("builtins.tuple"),
    "builtins.set": _container("builtins.set"),
    "builtins.frozenset": _container("builtins.set"),
    "collections.deque": _container("builtins.list"),
    "builtins.dict": _container("builtins.dict"),
    "collections.OrderedDict": _container("builtins.dict"),
    "collections.defaultdict": _default_dict,
    "builtins.reversed": _reversed,
    "builtins.iter": _iter,
    "itertools.islice": _same_elements("builtins.generator"),
    "itertools.cycle": _same_elements("builtins.generator"),
    "builtins.next": _next,
    "builtins.generator.send": _send,
    "builtins.generator.asend": _send,
    "builtins.generator.__next__": _send,
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": _chain_all,
    "itertools.compress": _same_elements("builtins.generator"),
    "itertools.product": _zip,
    "itertools.zip_longest": _zip,
    "itertools.pairwise": _choose,
    "itertools.combinations": _choose,
    "itertools.permutations": _choose,
    "itertools.groupby": _group,
    "builtins.list.append": _grow(0),
    "builtins.list.insert": _grow(1),
    "builtins.list.extend": _grow(0, many=True),
    "builtins.list.appendleft": _grow(0),
    "builtins.set.add": _grow(0),
    "builtins.set.update": _grow(0, many=True),
    "builtins.list.pop": _shrink,
    "builtins.list.popleft": _shrink,
    "builtins.list.remove": _shrink,
    "builtins.list.clear": _shrink,
    "builtins.list.copy": _copy,
    "builtins.list.sort": _sort,
    "builtins.set.pop": _shrink,
    "builtins.set.discard": _shrink,
    "builtins.set.remove": _shrink,
    "builtins.set.clear": _shrink,
    "builtins.set.copy": _copy,
    "builtins.dict.get": _get,
    "builtins.dict.pop": _shrink,
    "builtins.dict.popitem": _shrink,
    "builtins.dict.clear": _shrink,
    "builtins.dict.setdefault": _set_default,
    "builtins.dict.update": _update,
    "builtins.dict.values": _view("values"),
    "builtins.dict.keys": _view("keys"),
    "builtins.dict.items": _view("items"),
    "builtins.dict.copy": _copy,
}
"""By dotted name of function or method."""
