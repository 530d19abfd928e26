"""What annotations state of a value, and what `isinstance` says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.solver import once
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

_WRAPPERS = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar", "Required"})
_SEQUENCES = frozenset(
    [
        "list",
        "List",
        "Sequence",
        "Iterable",
        "Iterator",
        "Collection",
        "set",
        "Set",
        "frozenset",
        "FrozenSet",
        "AbstractSet",
        "MutableSequence",
        "MutableSet",
        "Generator",
        "AsyncGenerator",
        "AsyncIterator",
        "AsyncIterable",
        "deque",
    ]
)
_MAPPINGS = frozenset(
    ["dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict"]
)
_PASSED = frozenset({"Awaitable", "Coroutine"})


def annotated_variable(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`target: annotation`."""
    typed = annotated(linker, variant, ins[2])
    if typed is None:
        return
    if ins[3]:
        linker.watch(typed, _declared(linker), variant.variable(ins[1]))
    else:
        linker.watch(typed, _stated(linker), variant.variable(ins[1]))


@once
def _stated(linker: Linker) -> Callable[[int, Any], None]:
    """Something outside counts only where nothing is known of what is really assigned."""

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.EXTERNAL_INSTANCE:
            linker.unless_known(target, lambda: linker.put(target, value))
        else:
            linker.put(target, value)

    return watcher


@once
def _declared(linker: Linker) -> Callable[[int, Any], None]:
    """In a class body only what belongs to the project: the rest is for frameworks to say."""

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.INSTANCE:
            linker.put(target, value)
        elif linker.values.kinds[value] == Kind.CONTAINER:
            linker.watch(linker.containers.of(value).element, holds, (value, target))

    def holds(value: int, data: tuple[int, int]) -> None:
        if linker.values.kinds[value] == Kind.INSTANCE:
            linker.put(data[1], data[0])

    return watcher


def narrow(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`isinstance(source, classes)` holds: an object of a class, where no such one is known."""
    source, target = variant.variable(ins[2]), variant.base + ins[1]
    linker.flow(source, target)
    classes = linker.new()
    linker.watch(variant.variable(ins[3]), _caught_classes(linker), classes)

    def run() -> None:
        known = linker.points_to(source)
        for class_value in linker.points_to(classes):
            if linker.apart.receiver_sensitive(class_value):
                continue  # of models the framework tells where they come from
            if not any(_is_of(linker, each, class_value) for each in known):
                if linker.wait():
                    return
                linker.annotations_of_classes[class_value, target] = None
                linker.put(target, linker.values.instance(class_value))

    linker.start(run)


@once
def _caught_classes(linker: Linker) -> Callable[[int, Any], None]:
    """The project's classes among classes and tuples of them."""

    def watcher(value: int, target: int) -> None:
        kind = linker.values.kinds[value]
        if kind == Kind.CLASS:
            linker.put(target, value)
        elif kind == Kind.CONTAINER:
            linker.watch(linker.containers.of(value).every, inner, target)

    def inner(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.CLASS:
            linker.put(target, value)

    return watcher


def _is_of(linker: Linker, value: int, class_value: int) -> bool:
    return linker.values.kinds[value] == Kind.INSTANCE and class_value in linker.order(
        linker.values.owners[value]
    )


def annotated(linker: Linker, variant: Variant, annotation: ir.Annotation) -> int | None:
    """A variable that holds what a name of that annotation may hold, or None if it says nothing."""
    text, head, arguments = annotation
    if head is None and not arguments:
        return None
    if head is not None and not arguments:
        variable = variant.variable(head)
        known = linker.stated.get(variable)
        if known is None:
            known = linker.stated[variable] = linker.new()
            linker.watch(variable, _typed(linker), (variant, arguments, known))
        return known
    target = linker.new()
    name = text.partition("[")[0].rpartition(".")[2]
    if head is None:
        is_union = text == " | ".join([each[0] for each in arguments])
        if not is_union and (name in _SEQUENCES or name in _MAPPINGS):
            _collection(linker, variant, name, arguments, target)
        else:
            _either(linker, variant, arguments, target)
        return target
    linker.watch(variant.variable(head), _typed(linker), (variant, arguments, target))
    return target


def _either(linker: Linker, variant: Variant, arguments: tuple[Any, ...], target: int) -> None:
    for each in arguments:
        inner = annotated(linker, variant, each)
        if inner is not None:
            linker.flow(inner, target)


def _collection(
    linker: Linker, variant: Variant, name: str, arguments: tuple[Any, ...], target: int
) -> None:
    if name in _MAPPINGS:
        kind, held = "builtins.dict", arguments[1:2]
    else:
        kind, held = "builtins.list", arguments[:1]
    for each in held:
        inner = annotated(linker, variant, each)
        if inner is not None:
            value = linker.values.container(kind, "annotation", target)
            linker.flow(inner, linker.containers.of(value).element)
            linker.put(target, value)


@once
def _typed(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, tuple[Any, ...], int]) -> None:
        variant, arguments, target = data
        values = linker.values
        kind = values.kinds[value]
        if kind == Kind.CLASS:
            linker.annotations_of_classes[value, target] = None
            if not is_protocol(linker, value):
                linker.put(target, values.instance(value))
        elif kind == Kind.STRING:
            for found in linker.class_named(values.names[value]):
                linker.put(target, values.instance(found))
        elif kind == Kind.EXTERNAL:
            name = values.names[value].rpartition(".")[2]
            if name in _WRAPPERS or name in _PASSED:
                _either(linker, variant, arguments[-1:] if name in _PASSED else arguments, target)
            elif name in _SEQUENCES or name in _MAPPINGS:
                _collection(linker, variant, name, arguments, target)
            elif name in ("tuple", "Tuple"):
                _tuple(linker, variant, arguments, target)
            elif name in ("type", "Type"):
                for each in arguments:
                    if each[1] is not None:
                        linker.flow(variant.variable(each[1]), target)
            elif not values.names[value].startswith(("typing.", "builtins.")):
                linker.put(target, values.instance(value))

    return watcher


def is_protocol(linker: Linker, class_value: int) -> bool:
    """Whether a class only says what others must have; nothing is an instance of just that."""
    bases = (base for group in linker.class_of_value[class_value].bases for base in group)
    return any(
        linker.values.names[base].startswith(("typing.Protocol", "typing_extensions.Protocol"))
        for base in bases
    )


def _tuple(linker: Linker, variant: Variant, arguments: tuple[Any, ...], target: int) -> None:
    value = linker.values.container("builtins.tuple", "annotation", target)
    for position, each in enumerate(arguments):
        inner = annotated(linker, variant, each)
        if inner is not None:
            linker.containers.write(value, position, inner)
    linker.put(target, value)
