"""Iteration, unpacking, `with`, exceptions, operators and texts that are put together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.graph.linking import calling, turns
from migrator.graph.linking.asking import AS_FORMATTED, AS_REPRESENTED, AS_TEXT, ask_few
from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.items import MOST_COMBINATIONS, constant_of, slice_slot, special_method
from migrator.graph.linking.solver import NOWHERE, once
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ #0-9.]*[sdrifgeExX]")


# -- iteration ------------------------------------------------------------------------------------


def iterate(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`for target in base`."""
    target = variant.base + ins[1]
    row = variant.turns.get(index)
    if row is not None:
        linker.flow(row, target)
        return
    apart = turns.are_taken_apart(linker, variant, ins[2])
    watcher = _rows(linker) if apart else iterator(linker)
    linker.watch(variant.variable(ins[2]), watcher, (variant, index, target))


@once
def _rows(linker: Linker) -> Callable[[int, Any], None]:
    otherwise = iterator(linker)

    def watcher(value: int, data: tuple[Variant, int, int]) -> None:
        if not turns.take_apart(linker, value, data):
            otherwise(value, data)

    return watcher


@once
def iterator(linker: Linker) -> Callable[[int, Any], None]:
    """A watcher that gives the elements of values to a target."""

    def watcher(value: int, data: tuple[Variant, int, int]) -> None:
        variant, index, target = data
        kind = linker.values.kinds[value]
        if kind == Kind.CONTAINER:
            container = linker.containers.of(value)
            name = linker.values.names[value]
            linker.flow(container.keys if name == "builtins.dict" else container.every, target)
        elif kind == Kind.INSTANCE:
            _iterate_instance(linker, variant, index, value, target)
        elif kind == Kind.CLASS:
            linker.put(target, linker.values.instance(value))  # the members of an Enum
        elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE, Kind.BOUND):
            linker.foreign.iterate(variant, index, value, target)

    return watcher


def _iterate_instance(
    linker: Linker, variant: Variant, index: int, value: int, target: int
) -> None:
    made = linker.slot("iterator", variant.id, index, value)
    for method in ("__iter__", "__aiter__"):
        if special_method(linker, variant, index, value, method, [], made):
            linker.watch(made, _next_of(linker), (variant, index, target))
            return
    special_method(linker, variant, index, value, "__getitem__", [], target)
    owner = linker.values.owners[value]
    outside = [b for b in linker.order(owner) if b not in linker.class_of_value]
    if outside:
        linker.foreign.iterate(variant, index, value, target)


@once
def _next_of(linker: Linker) -> Callable[[int, Any], None]:
    again = iterator(linker)

    def watcher(value: int, data: tuple[Variant, int, int]) -> None:
        variant, index, target = data
        if linker.values.kinds[value] == Kind.INSTANCE:
            for method in ("__next__", "__anext__"):
                if special_method(linker, variant, index, value, method, [], target):
                    return
        else:
            again(value, data)

    return watcher


def receive(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`target = yield`."""
    linker.flow(linker.slot("sent", variant.id), variant.base + ins[1])


def delegate(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`target = yield from base`."""
    linker.watch(variant.variable(ins[2]), _delegated(linker), (variant, variant.base + ins[1]))


@once
def _delegated(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, target = data
        inner = linker.generators.get(value)
        if inner is not None:
            linker.flow(inner.base + ir.RETURNED, target)
            linker.flow(linker.slot("sent", variant.id), linker.slot("sent", inner.id))

    return watcher


def unpack(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`a, *b, c = base`."""
    linker.watch(variant.variable(ins[1]), _unpack(linker), (variant, index))


@once
def _unpack(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        _, _, before, star, after = variant.function.facts.code[index]
        if linker.values.kinds[value] != Kind.CONTAINER:
            element = linker.slot("unpacked", variant.id, index, value)
            iterator(linker)(value, (variant, index, element))
            for each in (*before, *after):
                linker.flow(element, variant.variable(each))
            if star is not None:
                _starred(linker, variant, index, star, element)
            return
        container = linker.containers.of(value)
        for position, each in enumerate(before):
            linker.containers.read(value, position, variant.variable(each))
        if star is None:
            return
        length = container.length
        if length is None:
            for each in after:
                linker.flow(container.every, variant.variable(each))
            _starred(linker, variant, index, star, container.every)
            return
        for position, each in enumerate(after, length - len(after)):
            linker.containers.read(value, position, variant.variable(each))
        rest = linker.values.container("builtins.list", "star", variant.id, index, value)
        data_of_rest = (rest, len(before), length - len(after))
        linker.containers.listen(value, slice_slot(linker), data_of_rest)
        linker.put(variant.variable(star), rest)

    return watcher


def _starred(linker: Linker, variant: Variant, index: int, star: int, element: int) -> None:
    rest = linker.values.container("builtins.list", "star", variant.id, index)
    linker.flow(element, linker.containers.of(rest).element)
    linker.put(variant.variable(star), rest)


# -- with, raise, except --------------------------------------------------------------------------


def enter(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`with base as target`."""
    linker.watch(variant.variable(ins[2]), _enter(linker), (variant, index))


@once
def _enter(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        target = variant.base + variant.function.facts.code[index][1]
        kind = linker.values.kinds[value]
        if kind == Kind.INSTANCE:
            entered = False
            for method in ("__enter__", "__aenter__"):
                entered = entered or special_method(
                    linker, variant, index, value, method, [], target
                )
            for method in ("__exit__", "__aexit__"):
                special_method(linker, variant, index, value, method, [], NOWHERE)
            if not entered:
                linker.put(target, value)
        elif kind == Kind.CONTAINER:
            linker.flow(linker.containers.of(value).every, target)
        else:
            linker.foreign.enter(variant, index, value, target)

    return watcher


@once
def raiser(linker: Linker) -> Callable[[int, Any], None]:
    """A watcher of what is raised: it is noted, and a class is instantiated."""

    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        values = linker.values
        kind = values.kinds[value]
        if kind == Kind.CLASS:
            calling.call_value(linker, variant, index, value, calling.NO_ARGUMENTS, NOWHERE)
        if kind in (Kind.CLASS, Kind.INSTANCE, Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE):
            variant.raises[values.names[value]] = None

    return watcher


def catch(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`except classes as target`."""
    linker.watch(
        variant.variable(ins[2]),
        _caught(linker),
        variant.base + ins[1] if ins[1] >= 0 else variant.variable(ins[1]),
    )


@once
def _caught(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.CONTAINER:
            linker.watch(linker.containers.of(value).every, inner, target)
        else:
            inner(value, target)

    def inner(value: int, target: int) -> None:
        kind = linker.values.kinds[value]
        if kind == Kind.CLASS:
            linker.caught[value, target] = None
        if kind in (Kind.CLASS, Kind.EXTERNAL):
            linker.put(target, linker.values.instance(value))

    return watcher


# -- operators ------------------------------------------------------------------------------------


def operate(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`left + right` and the like; texts are put together, containers joined."""
    _, target, method, left, right, *_ = ins
    first = variant.variable(left) if left is not None else None
    second = variant.variable(right) if right is not None else None
    apply(linker, variant, index, method, first, second, variant.base + target)


def apply(
    linker: Linker,
    variant: Variant,
    index: int,
    method: str,
    first: int | None,
    second: int | None,
    target: int,
) -> None:
    """The operator that a method stands for, between the values of two variables."""
    data = (variant, index, method, second, target)
    if first is not None:
        linker.watch(first, _operand(linker), data)
    if second is not None:
        linker.watch(second, _right_operand(linker), (variant, index, method, first, target))
    if method in ("__add__", "__iadd__", "__mod__"):
        linker.start(_texts, linker, method, first, second, target)


@once
def _operand(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int, str, int | None, int]) -> None:
        variant, index, method, other, target = data
        kind = linker.values.kinds[value]
        if kind == Kind.INSTANCE:
            arguments = [other] if other is not None else []
            plain = method.replace("__i", "__", 1) if method.startswith("__i") else method
            for name in dict.fromkeys((method, plain)):
                if special_method(linker, variant, index, value, name, arguments, target):
                    return
        elif method == "__mod__" and other is not None and linker.values.is_text(value):
            linker.watch(other, _put_into_text(linker), (variant, index))
            ask_few(linker, variant, index, other, AS_TEXT)
        elif kind in (Kind.CONTAINER, Kind.OPAQUE) or (
            method == "__truediv__" and linker.values.names[value].startswith("pathlib.")
        ):
            linker.put(target, value)

    return watcher


@once
def _put_into_text(linker: Linker) -> Callable[[int, Any], None]:
    """A watcher of what is put into a text by `%` where that is several things in a container."""

    def watcher(value: int, data: tuple[Variant, int]) -> None:
        if linker.values.kinds[value] == Kind.CONTAINER:
            ask_few(linker, *data, linker.containers.of(value).every, AS_TEXT)

    return watcher


@once
def _right_operand(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int, str, int | None, int]) -> None:
        variant, index, method, other, target = data
        kind = linker.values.kinds[value]
        if kind == Kind.INSTANCE:
            reflected = method.replace("__i", "__", 1) if method.startswith("__i") else method
            name = reflected.replace("__", "__r", 1)
            if linker.class_attribute_variable(linker.values.owners[value], name) is None:
                return
            if other is None or not _answers(linker, other, (method, reflected)):
                arguments = [other] if other is not None else []
                special_method(linker, variant, index, value, name, arguments, target)
        elif kind in (Kind.CONTAINER, Kind.OPAQUE) and method != "__mod__":
            linker.put(target, value)
        elif kind == Kind.STRING and method == "__truediv__" and "." in linker.values.names[value]:
            linker.put(target, value)  # of `folder / "name.suffix"` that much is known

    return watcher


def _answers(linker: Linker, variable: int, methods: tuple[str, ...]) -> bool:
    """Whether a left operand has the method itself, as far as it is known by now."""
    held = tuple(linker.values_of(variable))
    return bool(held) and all(
        linker.values.kinds[each] == Kind.INSTANCE
        and any(
            linker.class_attribute_variable(linker.values.owners[each], name) is not None
            for name in methods
        )
        for each in held
    )


def _texts(linker: Linker, method: str, left: int | None, right: int | None, target: int) -> None:
    known_left = _texts_of(linker, left)
    if method == "__mod__":
        for each in known_left[:MOST_COMBINATIONS]:
            _fill_in(linker, each, right, target)
        return
    known_right = _texts_of(linker, right)
    if not known_left and not known_right:
        return
    if not (known_left and known_right) and linker.wait():
        return
    for first in (known_left or ["{}"])[:MOST_COMBINATIONS]:
        for second in (known_right or ["{}"])[:MOST_COMBINATIONS]:
            _put_text(linker, target, first + second)


def _fill_in(linker: Linker, text: str, right: int | None, target: int) -> None:
    """`text % right`: each placeholder with the texts that are known for it, else a hole."""
    given = linker.points_to(right) if right is not None else ()
    if right is not None and not given and linker.wait():
        return
    texts = [""]
    end = 0
    for position, found in enumerate(_PLACEHOLDER.finditer(text)):
        key = found.group()[2:].partition(")")[0] if found.group()[1] == "(" else position
        known: dict[str, None] = {}
        for value in given:
            if linker.values.kinds[value] == Kind.CONTAINER:
                container = linker.containers.of(value)
                held = linker.points_to(linker.containers.slot(value, key))
                if linker.points_to(container.element):
                    held = ()
            else:
                held = (value,) if position == 0 else ()
            for each in held:
                constant = constant_of(linker, each)
                known["{}" if constant is ... else str(constant)] = None
        choices = list(known) or ["{}"]
        if len(texts) * len(choices) > MOST_COMBINATIONS:
            choices = ["{}"]
        texts = [each + text[end : found.start()] + choice for each in texts for choice in choices]
        end = found.end()
    for filled in texts:
        _put_text(linker, target, filled + text[end:].replace("%%", "%"))


def _texts_of(linker: Linker, variable: int | None) -> list[str]:
    held = linker.points_to(variable) if variable is not None else ()
    return [text for each in held if (text := linker.values.text(each)) is not None]


def _put_text(linker: Linker, target: int, text: str) -> None:
    if len(text) > 20_000:
        return
    made = linker.values.template(text) if "{}" in text else linker.values.string(text)
    linker.put(target, made)


def format_text(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """An f-string."""
    _, target, parts = ins
    target += variant.base
    asked: set[int] = set()

    def run() -> None:
        texts = [""]
        for part in parts:
            if isinstance(part, str):
                texts = [each + part for each in texts]
                continue
            known: list[str] = []
            if part is not None:
                methods: tuple[str, ...] = AS_FORMATTED
                if type(part) is tuple:
                    part, methods = part[0], AS_REPRESENTED
                for value in linker.points_to(variant.variable(part)):
                    if linker.values.kinds[value] == Kind.INSTANCE and part not in asked:
                        asked.add(part)
                        ask_few(linker, variant, index, variant.variable(part), methods)
                    constant = constant_of(linker, value)
                    text = linker.values.text(value) if constant is ... else str(constant)
                    known.append(text if text is not None else "{}")
                if not known and linker.wait():
                    return
            choices = list(dict.fromkeys(known)) or ["{}"]
            if len(choices) * len(texts) > MOST_COMBINATIONS:
                choices = ["{}"]
            texts = [each + choice for each in texts for choice in choices]
        for text in texts:
            _put_text(linker, target, text)

    linker.start(run)


def compare(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """A comparison holds the expressions of frameworks that it is made of."""
    _, target, operands, methods, *_ = ins
    watcher = _compared(linker)
    known = [None if each is None else variant.variable(each) for each in operands]
    for position, each in enumerate(known):
        if each is None:
            continue
        method = methods[position] if position < len(methods) else ""
        other = known[position + 1] if position + 1 < len(known) else None
        before = methods[position - 1] if position else ""
        if method == "__contains__":
            method = ""
        if before == "__contains__":
            method, other = before, known[position - 1]
        data = (variant, index, method, _REFLECTED.get(before, ""), other, variant.base + target)
        linker.watch(each, watcher, data)


_REFLECTED = {"__lt__": "__gt__", "__gt__": "__lt__", "__le__": "__ge__", "__ge__": "__le__"}


@once
def _compared(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int, str, str, int | None, int]) -> None:
        variant, index, method, reflected, other, target = data
        kind = linker.values.kinds[value]
        if kind == Kind.OPAQUE:
            linker.put(target, value)
        elif kind == Kind.INSTANCE:
            arguments = [other] if other is not None else []
            if method:
                special_method(linker, variant, index, value, method, arguments, target)
            if reflected:
                before = variant.function.facts.code[index][2][0]
                left = None if before is None else variant.variable(before)
                opposite = _REFLECTED[reflected]
                if left is None or not _answers(linker, left, (opposite,)):
                    special_method(linker, variant, index, value, reflected, [], target)

    return watcher
