"""Displays (`[a, *b]`), items (`base[key]`), slices, and calls of special methods."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.graph.linking import calling
from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.solver import NOWHERE, once
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

MOST_COMBINATIONS = 16
"""What would be combined from more than this many choices is not known."""


def set_to(linker: Linker, variant: Variant, local: int, value: int) -> None:
    """An instruction sets a variable of its function to a value that it makes."""
    if variant.function.fixed[local]:
        linker.fix(variant.base + local, value)
    else:
        linker.put(variant.base + local, value)


def sequence(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`[a, *b]`, `(a, b)`, `{a, b}`."""
    _, target, name, elements = ins
    value = linker.values.container(name, variant.id, index)
    container = linker.containers.of(value)
    position: int | None = 0
    for each in elements:
        if type(each) is tuple:
            if each[0] is not None:
                data = (variant, index, value, position)
                linker.watch(variant.variable(each[0]), _spread_into(linker), data)
            position = None
            continue
        if each is not None:
            source = variant.variable(each)
            known = position is not None and position < 64
            linker.containers.write(value, position if known else None, source)
        if position is not None:
            position += 1
    container.length = position
    set_to(linker, variant, target, value)


@once
def _spread_into(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(source: int, data: tuple[Variant, int, int, int | None]) -> None:
        variant, index, value, position = data
        if linker.values.kinds[source] != Kind.CONTAINER:
            element = linker.containers.of(value).element
            linker.on_iteration(source, (variant, index, element))
        elif position is not None:
            linker.containers.copy(source, value, -position)
        else:
            linker.flow(linker.containers.of(source).every, linker.containers.of(value).element)

    return watcher


def mapping(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`{key: value, **other}`."""
    _, target, pairs, merged = ins
    value = linker.values.container("builtins.dict", variant.id, index)
    container = linker.containers.of(value)
    for key, key_variable, source in pairs:
        if key_variable is not None:
            container.add_key(variant.variable(key_variable))
        if source is not None:
            _write(linker, variant, value, key, key_variable, variant.variable(source))
    for other in merged:
        linker.watch(variant.variable(other), _merge_into(linker), value)
    set_to(linker, variant, target, value)


@once
def _merge_into(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(source: int, value: int) -> None:
        if linker.values.kinds[source] == Kind.CONTAINER:
            linker.containers.copy(source, value)

    return watcher


def collect(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """A comprehension."""
    _, target, name, element, key = ins
    value = linker.values.container(name, variant.id, index)
    if element is not None:
        linker.containers.write(value, None, variant.variable(element))
    if key is not None:
        linker.containers.of(value).add_key(variant.variable(key))
    set_to(linker, variant, target, value)


# -- items ----------------------------------------------------------------------------------------


def constant_of(linker: Linker, value: int) -> Any:
    """The constant that a value stands for, or `...`."""
    values = linker.values
    if values.kinds[value] == Kind.STRING:
        return values.names[value]
    if values.kinds[value] == Kind.EXTERNAL_INSTANCE and values.parts[value]:
        return values.parts[value][0]
    return ...


def keys_of(linker: Linker, variant: Variant, key: object, variable: int | None) -> list[Any]:
    """The constant keys that a key may be; None among them stands for any other."""
    if key is not ...:
        return [key]
    return keys_in(linker, variant, None if variable is None else variant.variable(variable))


def keys_in(linker: Linker, variant: Variant, variable: int | None) -> list[Any]:
    """The same for a variable of the solver."""
    if variable is None:
        return [None]
    found = [constant_of(linker, each) for each in linker.points_to(variable)]
    if not found:
        return _undecided(linker, variant, variable)
    if len(found) > MOST_COMBINATIONS:
        return [None]
    return [None if each is ... else each for each in found]


def _undecided(linker: Linker, variant: Variant, variable: int) -> list[Any]:
    """A key of which nothing is known yet may be any key once everything else is at rest.

    A parameter of code that nobody calls stays without keys.
    """
    if not variant.called and any(
        variant.base + each.variable == variable for each in variant.function.facts.parameters
    ):
        return []
    if linker.current in linker.decided:
        return [None]
    if linker.current is not None:
        linker.undecided.append(linker.current)
    return []


def item(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`base[key]`."""
    source = variant.function.memo.get(index)
    if source is not None:
        linker.flow(variant.variable(source), variant.base + ins[1])
        return
    linker.watch(variant.variable(ins[2]), _read_item(linker), (variant, index))


@once
def _read_item(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        _, target, _, key, key_variable, *_ = variant.function.facts.code[index]
        target += variant.base
        kind = linker.values.kinds[value]
        if kind == Kind.CONTAINER:
            if key is ... and key_variable is not None:
                linker.start(_read_keys, linker, variant, index, value, target)
            else:
                linker.containers.read(value, None if key is ... else key, target)
        elif kind == Kind.INSTANCE:
            arguments = [variant.variable(key_variable)] if key_variable is not None else []
            for method in ("__getitem__", "__missing__"):
                if special_method(linker, variant, index, value, method, arguments, target):
                    return
            _foreign_item(linker, variant, index, value, target)
        elif kind in (Kind.CLASS, Kind.FUNCTION, Kind.BOUND):
            linker.put(target, value)  # Generic[T] and the like
        elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
            linker.start(_read_foreign, linker, variant, index, value, target)

    return watcher


def _read_foreign(linker: Linker, variant: Variant, index: int, value: int, target: int) -> None:
    key, key_variable = variant.function.facts.code[index][3:5]
    linker.foreign.item(variant, index, value, keys_of(linker, variant, key, key_variable), target)


def _foreign_item(linker: Linker, variant: Variant, index: int, value: int, target: int) -> None:
    """`base[key]` of an instance whose outside base says what comes."""
    if linker.frameworks_of(value):
        linker.start(_read_foreign, linker, variant, index, value, target)


def _read_keys(linker: Linker, variant: Variant, index: int, value: int, target: int) -> None:
    key, key_variable = variant.function.facts.code[index][3:5]
    for each in keys_of(linker, variant, key, key_variable):
        linker.containers.read(value, each, target)


def read_item(
    linker: Linker,
    variant: Variant,
    index: int,
    value: int,
    key: Hashable | None,
    target: int,
) -> None:
    """`target` gets what `value[key]` may be; `key` None is unknown."""
    kind = linker.values.kinds[value]
    if kind == Kind.CONTAINER:
        linker.containers.read(value, key, target)
    elif kind == Kind.INSTANCE:
        special_method(linker, variant, index, value, "__getitem__", [], target)
    elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
        linker.foreign.item(variant, index, value, [key], target)


def set_item(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`base[key] = source`, `del base[key]`."""
    linker.watch(variant.variable(ins[1]), _write_item(linker), (variant, index))


@once
def _write_item(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        _, _, key, key_variable, source, flags, *_ = variant.function.facts.code[index]
        given = variant.variable(source) if source is not None else None
        kind = linker.values.kinds[value]
        if kind == Kind.CONTAINER:
            linker.mutated(variant, index, value, "item")
            if key_variable is not None:
                linker.containers.of(value).add_key(variant.variable(key_variable))
            if given is not None:
                _write(linker, variant, value, key, key_variable, given)
        elif kind == Kind.INSTANCE:
            first = variant.variable(key_variable) if key_variable is not None else linker.new()
            method = "__delitem__" if flags & ir.DELETES else "__setitem__"
            arguments = [first] if given is None else [first, given]
            special_method(linker, variant, index, value, method, arguments, NOWHERE)
        elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
            if kind == Kind.EXTERNAL_INSTANCE and isinstance(key, str) and given is not None:
                _keep_beside(linker, variant, index)
            linker.start(
                lambda: linker.foreign.set_item(
                    variant, index, value, keys_of(linker, variant, key, key_variable), given
                )
            )

    return watcher


def _keep_beside(linker: Linker, variant: Variant, index: int) -> None:
    """What a function stores in a mapping from outside is held by that mapping, not by all alike:
    `data = request.get_json(); data["tags"] = tags`."""
    function = variant.function
    register = function.facts.code[index][1]
    if register >= 0 and function.name != function.module.name:
        made = linker.values.container("builtins.dict", "stored", variant.id, register)
        linker.put(variant.base + register, made)


def _write(
    linker: Linker, variant: Variant, value: int, key: object, variable: int | None, source: int
) -> None:
    """Store under a constant key, or under every key that a variable may be."""
    if key is not ... or variable is None:
        linker.containers.write(value, None if key is ... else key, source)
        return

    linker.start(_write_keys, linker, variant, value, variable, source)


def _write_keys(linker: Linker, variant: Variant, value: int, variable: int, source: int) -> None:
    for each in keys_of(linker, variant, ..., variable):
        linker.containers.write(value, each, source)


def slice_(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`base[start:stop:step]`."""
    linker.watch(variant.variable(ins[2]), _slice(linker), (variant, index))


@once
def _slice(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        _, target, _, start, stop, step = variant.function.facts.code[index]
        target += variant.base
        kind = linker.values.kinds[value]
        if kind != Kind.CONTAINER:
            if kind == Kind.STRING:
                value = linker.values.template("{}")
            linker.put(target, value)
            return
        if linker.values.parts[value][:3] == ("slice", variant.id, index):
            linker.put(target, value)  # a slice of itself, in a loop
            return
        part = linker.values.container(
            linker.values.names[value], "slice", variant.id, index, value
        )
        container = linker.containers.of(part)
        origin = linker.containers.of(value)
        first = start if isinstance(start, int) else 0
        exact = step in (None, 1) and start is not ... and stop is not ... and first >= 0
        if exact and (not isinstance(stop, int) or stop >= 0):
            linker.flow(origin.element, container.element)
            linker.containers.listen(value, slice_slot(linker), (part, first, stop))
        else:
            linker.flow(origin.every, container.element)
        linker.put(target, part)

    return watcher


@once
def slice_slot(linker: Linker) -> Callable[[Any, int, Any], None]:
    """Listener of a container of which a slice is taken: the slots of the slice."""

    def listener(key: object, variable: int, data: tuple[int, int, int | None]) -> None:
        part, start, stop = data
        if isinstance(key, int) and key >= start and (stop is None or key < stop):
            linker.flow(variable, linker.containers.slot(part, key - start))

    return listener


def special_method(
    linker: Linker,
    variant: Variant,
    index: int,
    receiver: int,
    name: str,
    arguments: list[int],
    target: int,
) -> bool:
    """Call a special method of an instance, if its class has it."""
    found = linker.class_attribute_variable(linker.values.owners[receiver], name)
    if found is None:
        return False
    calling.invoke_all(linker, variant, index, found, receiver, arguments, target)
    return True
