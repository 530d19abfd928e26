"""Calls of classes: constructors, metaclasses, and the fields of classes without a constructor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.graph.linking import calling
from migrator.graph.linking.definitions import Class, Variant, note
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


def instantiate(
    linker: Linker,
    variant: Variant,
    index: int,
    class_value: int,
    arguments: calling.Arguments,
    target: int,
    edge: bool,
) -> None:
    class_ = linker.class_of_value[class_value]
    instance = linker.apart.new_instance(class_value, variant, index)
    key = (class_value, arguments, target, variant.id, index)
    if key in linker.bound_calls:
        return
    linker.bound_calls.add(key)
    if edge:
        note(variant.instances, index, class_value)
    if linker.values.is_apart(instance) and arguments.positional:
        decorated = arguments.positional[0]
        if isinstance(decorated, int):
            linker.flow(decorated, linker.slot("framework", "decorated", instance))
    for meta in linker.metaclasses(class_value):
        found = linker.class_attribute_variable(meta, "__call__")
        if found is not None:
            data = (variant, index, class_value, arguments, target, True)
            linker.watch(found, linker.on_method, data)
    outside = [each for each in linker.order(class_value) if each not in linker.class_of_value]
    constructor = linker.class_attribute_variable(class_value, "__init__")
    maker = linker.class_attribute_variable(class_value, "__new__")
    if maker is not None:
        first = linker.variable_of(class_value)
        given = arguments.behind(first)
        linker.watch(maker, linker.on_method, (variant, index, None, given, target, edge))
    handled = False
    if constructor is not None:
        linker.watch(
            constructor,
            linker.on_method,
            (variant, index, instance, arguments, NOWHERE, edge),
        )
    else:
        fill_fields(linker, variant, index, class_, instance, arguments)
        if outside:
            linker.foreign.inherited(variant, index, outside, "__init__")
            handled = linker.foreign.construct(
                variant, index, class_value, outside, arguments, target
            )
    if not handled:
        linker.put(target, instance)


def call_metaclass(linker: Linker, meta: int, data: tuple[Variant, int, Class]) -> None:
    """Watcher of the metaclass of a class statement, which makes the class."""
    variant, index, class_ = data
    if linker.values.kinds[meta] != Kind.CLASS:
        return
    for method, receiver in (("__new__", meta), ("__init__", class_.value)):
        found = linker.class_attribute_variable(meta, method)
        if found is not None:
            place = (variant, index, receiver, calling.NO_ARGUMENTS, NOWHERE, True)
            linker.watch(found, linker.on_method, place)


_AFTER_FIELDS = ("__post_init__", "__attrs_post_init__")


def fill_fields(
    linker: Linker,
    variant: Variant,
    index: int,
    class_: Class,
    instance: int,
    arguments: calling.Arguments,
) -> None:
    """A class without a constructor of its own: arguments are what the fields of its name hold."""
    names: dict[str, Class] = {}
    for each in reversed(linker.order(class_.value)):
        known = linker.class_of_value.get(each)
        if known is not None:
            for name, _, _, annotation in known.facts.attributes:
                if annotation is not None:
                    names[name] = known
    given = {keyword for keyword, _ in arguments.keywords}
    for position, (name, owner) in enumerate(names.items()):
        variable = arguments.positional[position] if position < len(arguments.positional) else None
        if isinstance(variable, int):
            linker.store_field(instance, name, variable)
        elif linker.factories and name not in given:
            data = (variant, index, linker.own_field(instance, name))
            linker.default_of(owner.attributes[name]).apply(linker, data)
    for keyword, value in arguments.keywords:
        if keyword is not None and value is not None:
            linker.store_field(instance, keyword, value)
    for method in _AFTER_FIELDS:
        found = linker.class_attribute_variable(class_.value, method)
        if found is not None:
            calling.invoke_all(linker, variant, index, found, instance, [], NOWHERE)


class Default:
    """What a class body gives to a field, with the places where an instance gets it."""

    __slots__ = ("_declared", "_places")

    def __init__(self) -> None:
        self._declared: list[tuple[int | None, int | None]] = []
        self._places: list[tuple[Variant, int, int]] = []

    def apply(self, linker: Linker, place: tuple[Variant, int, int]) -> None:
        """An instance is made at a place, whose field is that variable."""
        self._places.append(place)
        for each in self._declared:
            _fill(linker, place, each)

    def declare(self, linker: Linker, value: int, _: None) -> None:
        """Watcher of what the class body gives: a declaration tells the default."""
        declared = linker.factories.get(value)
        if declared is not None:
            self._declared.append(declared)
            for each in self._places:
                _fill(linker, each, declared)


def _fill(
    linker: Linker, place: tuple[Variant, int, int], declared: tuple[int | None, int | None]
) -> None:
    variant, index, target = place
    default, factory = declared
    if default is not None:
        linker.flow(default, target)
    if factory is not None:
        calling.invoke_all(linker, variant, index, factory, None, [], target)
