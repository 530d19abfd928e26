"""Displays, items, iteration, operators, `with`, exceptions and annotations."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.graph import calling
from migrator.graph.definitions import Variant
from migrator.graph.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linker import Linker

_MOST_COMBINATIONS = 16
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ #0-9.]*[sdrifgeExX]")
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


# -- displays -------------------------------------------------------------------------------------


def sequence(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`[a, *b]`, `(a, b)`, `{a, b}`."""
    _, target, name, elements = ins
    value = linker.values.container(name, variant.id, index)
    container = linker.containers.of(value)
    position: int | None = 0
    for each in elements:
        if type(each) is tuple:
            if each[0] is not None:
                linker.watch(variant.variable(each[0]), _spread_into(linker), (value, position))
            position = None
            continue
        if each is not None:
            source = variant.variable(each)
            known = position is not None and position < 64
            linker.containers.write(value, position if known else None, source)
        if position is not None:
            position += 1
    container.length = position
    linker.put(variant.base + target, value)


def _spread_into(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(source: int, data: tuple[int, int | None]) -> None:
        value, position = data
        if linker.values.kinds[source] != Kind.CONTAINER:
            return
        if position is not None:
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
            linker.flow(variant.variable(key_variable), container.keys)
        if source is not None:
            _write(linker, variant, value, key, key_variable, variant.variable(source))
    for other in merged:
        linker.watch(variant.variable(other), _merge_into(linker), value)
    linker.put(variant.base + target, value)


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
        linker.flow(variant.variable(key), linker.containers.of(value).keys)
    linker.put(variant.base + target, value)


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
    if len(found) > _MOST_COMBINATIONS:
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


def _read_item(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        _, target, _, key, key_variable, *_ = variant.function.facts.code[index]
        target += variant.base
        kind = linker.values.kinds[value]
        if kind == Kind.CONTAINER:
            if key is ... and key_variable is not None:
                linker.start(lambda: _read_keys(linker, variant, index, value, target))
            else:
                linker.containers.read(value, None if key is ... else key, target)
        elif kind == Kind.INSTANCE:
            arguments = [variant.variable(key_variable)] if key_variable is not None else []
            if not _method(linker, variant, index, value, "__getitem__", arguments, target):
                _foreign_item(linker, variant, index, value, target)
        elif kind in (Kind.CLASS, Kind.FUNCTION, Kind.BOUND):
            linker.put(target, value)  # Generic[T] and the like
        elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
            linker.start(
                lambda: linker.foreign_item(
                    variant, index, value, keys_of(linker, variant, key, key_variable), target
                )
            )

    return watcher


def _foreign_item(linker: Linker, variant: Variant, index: int, value: int, target: int) -> None:
    """`base[key]` of an instance whose outside base says what comes."""
    if linker.frameworks_of(value):
        key, key_variable = variant.function.facts.code[index][3:5]
        linker.start(
            lambda: linker.foreign_item(
                variant, index, value, keys_of(linker, variant, key, key_variable), target
            )
        )


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
        _method(linker, variant, index, value, "__getitem__", [], target)
    elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
        linker.foreign_item(variant, index, value, [key], target)


def set_item(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`base[key] = source`, `del base[key]`."""
    linker.watch(variant.variable(ins[1]), _write_item(linker), (variant, index))


def _write_item(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        _, _, key, key_variable, source, flags, *_ = variant.function.facts.code[index]
        given = variant.variable(source) if source is not None else None
        kind = linker.values.kinds[value]
        if kind == Kind.CONTAINER:
            linker.mutated(variant, index, value, "item")
            if key_variable is not None:
                keys = linker.containers.of(value).keys
                linker.flow(variant.variable(key_variable), keys)
            if given is not None:
                _write(linker, variant, value, key, key_variable, given)
        elif kind == Kind.INSTANCE:
            first = variant.variable(key_variable) if key_variable is not None else linker.new()
            method = "__delitem__" if flags & ir.DELETES else "__setitem__"
            arguments = [first] if given is None else [first, given]
            _method(linker, variant, index, value, method, arguments, linker.new())
        elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
            linker.start(
                lambda: linker.foreign_set_item(
                    variant, index, value, keys_of(linker, variant, key, key_variable), given
                )
            )

    return watcher


def _write(
    linker: Linker, variant: Variant, value: int, key: object, variable: int | None, source: int
) -> None:
    """Store under a constant key, or under every key that a variable may be."""
    if key is not ... or variable is None:
        linker.containers.write(value, None if key is ... else key, source)
        return

    def run() -> None:
        for each in keys_of(linker, variant, key, variable):
            linker.containers.write(value, each, source)

    linker.start(run)


def slice_(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`base[start:stop:step]`."""
    linker.watch(variant.variable(ins[2]), _slice(linker), (variant, index))


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
            linker.containers.listen(value, _slice_slot(linker), (part, first, stop))
        else:
            linker.flow(origin.every, container.element)
        linker.put(target, part)

    return watcher


def _slice_slot(linker: Linker) -> Callable[[Any, int, Any], None]:
    def listener(key: object, variable: int, data: tuple[int, int, int | None]) -> None:
        part, start, stop = data
        if isinstance(key, int) and key >= start and (stop is None or key < stop):
            linker.flow(variable, linker.containers.slot(part, key - start))

    return listener


def _method(
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


# -- iteration ------------------------------------------------------------------------------------


def iterate(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`for target in base`."""
    target = variant.base + ins[1]
    linker.watch(variant.variable(ins[2]), iterator(linker), (variant, index, target))


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
            linker.foreign_iterate(variant, index, value, target)

    return watcher


def _iterate_instance(
    linker: Linker, variant: Variant, index: int, value: int, target: int
) -> None:
    made = linker.slot("iterator", variant.id, index, value)
    for method in ("__iter__", "__aiter__"):
        if _method(linker, variant, index, value, method, [], made):
            linker.watch(made, _next_of(linker), (variant, index, target))
            return
    _method(linker, variant, index, value, "__getitem__", [], target)
    owner = linker.values.owners[value]
    outside = [b for b in linker.order(owner) if b not in linker.class_of_value]
    if outside:
        linker.foreign_iterate(variant, index, value, target)


def _next_of(linker: Linker) -> Callable[[int, Any], None]:
    again = iterator(linker)

    def watcher(value: int, data: tuple[Variant, int, int]) -> None:
        variant, index, target = data
        if linker.values.kinds[value] == Kind.INSTANCE:
            for method in ("__next__", "__anext__"):
                if _method(linker, variant, index, value, method, [], target):
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
        linker.containers.listen(value, _slice_slot(linker), data_of_rest)
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


def _enter(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        target = variant.base + variant.function.facts.code[index][1]
        kind = linker.values.kinds[value]
        if kind == Kind.INSTANCE:
            entered = False
            for method in ("__enter__", "__aenter__"):
                entered = entered or _method(linker, variant, index, value, method, [], target)
            for method in ("__exit__", "__aexit__"):
                _method(linker, variant, index, value, method, [], linker.new())
            if not entered:
                linker.put(target, value)
        elif kind == Kind.CONTAINER:
            linker.flow(linker.containers.of(value).every, target)
        else:
            linker.foreign_enter(variant, index, value, target)

    return watcher


def raiser(linker: Linker) -> Callable[[int, Any], None]:
    """A watcher of what is raised: it is noted, and a class is instantiated."""

    def watcher(value: int, data: tuple[Variant, int]) -> None:
        variant, index = data
        values = linker.values
        kind = values.kinds[value]
        if kind == Kind.CLASS:
            calling.call_value(linker, variant, index, value, calling.NO_ARGUMENTS, linker.new())
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


def _caught(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, target: int) -> None:
        kind = linker.values.kinds[value]
        if kind in (Kind.CLASS, Kind.EXTERNAL):
            linker.put(target, linker.values.instance(value))
        elif kind == Kind.CONTAINER:
            linker.watch(linker.containers.of(value).every, inner, target)

    def inner(value: int, target: int) -> None:
        if linker.values.kinds[value] in (Kind.CLASS, Kind.EXTERNAL):
            linker.put(target, linker.values.instance(value))

    return watcher


# -- operators ------------------------------------------------------------------------------------


def operate(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`left + right` and the like; texts are put together, containers joined."""
    _, target, method, left, right, *_ = ins
    target += variant.base
    first = variant.variable(left) if left is not None else None
    second = variant.variable(right) if right is not None else None
    data = (variant, index, method, second, target)
    if first is not None:
        linker.watch(first, _operand(linker), data)
    if second is not None:
        linker.watch(second, _right_operand(linker), (variant, index, method, first, target))
    if method in ("__add__", "__iadd__", "__mod__"):
        linker.start(lambda: _texts(linker, method, first, second, target))


def _operand(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int, str, int | None, int]) -> None:
        variant, index, method, other, target = data
        kind = linker.values.kinds[value]
        if kind == Kind.INSTANCE:
            arguments = [other] if other is not None else []
            plain = method.replace("__i", "__", 1) if method.startswith("__i") else method
            for name in dict.fromkeys((method, plain)):
                if _method(linker, variant, index, value, name, arguments, target):
                    return
        elif kind in (Kind.CONTAINER, Kind.OPAQUE) or (
            method == "__truediv__" and linker.values.names[value].startswith("pathlib.")
        ):
            linker.put(target, value)

    return watcher


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
                _method(linker, variant, index, value, name, arguments, target)
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
        for each in known_left[:_MOST_COMBINATIONS]:
            _fill_in(linker, each, right, target)
        return
    known_right = _texts_of(linker, right)
    if not known_left and not known_right:
        return
    if not (known_left and known_right) and linker.wait():
        return
    for first in (known_left or ["{}"])[:_MOST_COMBINATIONS]:
        for second in (known_right or ["{}"])[:_MOST_COMBINATIONS]:
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
        if len(texts) * len(choices) > _MOST_COMBINATIONS:
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

    def run() -> None:
        texts = [""]
        for part in parts:
            if isinstance(part, str):
                texts = [each + part for each in texts]
                continue
            known: list[str] = []
            if part is not None:
                for value in linker.points_to(variant.variable(part)):
                    constant = constant_of(linker, value)
                    text = linker.values.text(value) if constant is ... else str(constant)
                    known.append(text if text is not None else "{}")
                if not known and linker.wait():
                    return
            choices = list(dict.fromkeys(known)) or ["{}"]
            if len(choices) * len(texts) > _MOST_COMBINATIONS:
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


def _compared(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int, str, str, int | None, int]) -> None:
        variant, index, method, reflected, other, target = data
        kind = linker.values.kinds[value]
        if kind == Kind.OPAQUE:
            linker.put(target, value)
        elif kind == Kind.INSTANCE:
            arguments = [other] if other is not None else []
            if method:
                _method(linker, variant, index, value, method, arguments, target)
            if reflected:
                before = variant.function.facts.code[index][2][0]
                left = None if before is None else variant.variable(before)
                opposite = _REFLECTED[reflected]
                if left is None or not _answers(linker, left, (opposite,)):
                    _method(linker, variant, index, value, reflected, [], target)

    return watcher


# -- annotations ----------------------------------------------------------------------------------


def annotated_variable(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    """`target: annotation`."""
    typed = annotated(linker, variant, ins[2])
    if typed is None:
        return
    if ins[3]:
        linker.watch(typed, _declared(linker), variant.variable(ins[1]))
    else:
        linker.watch(typed, _stated(linker), variant.variable(ins[1]))


def _stated(linker: Linker) -> Callable[[int, Any], None]:
    """Something outside counts only where nothing is known of what is really assigned."""

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.EXTERNAL_INSTANCE:
            linker.unless_known(target, lambda: linker.put(target, value))
        else:
            linker.put(target, value)

    return watcher


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
            if linker.receiver_sensitive(class_value):
                continue  # of models the framework tells where they come from
            if not any(_is_of(linker, each, class_value) for each in known):
                if linker.wait():
                    return
                linker.annotations_of_classes[class_value, target] = None
                linker.put(target, linker.values.instance(class_value))

    linker.start(run)


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
    target = linker.new()
    name = text.partition("[")[0].rpartition(".")[2]
    if head is None:
        if name in _SEQUENCES or name in _MAPPINGS:
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


def _typed(linker: Linker) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, tuple[Any, ...], int]) -> None:
        variant, arguments, target = data
        values = linker.values
        kind = values.kinds[value]
        if kind == Kind.CLASS:
            linker.annotations_of_classes[value, target] = None
            if not _is_protocol(linker, value):
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


def _is_protocol(linker: Linker, class_value: int) -> bool:
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
