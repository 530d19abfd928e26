"""What Python's functions on attributes, classes, descriptors and the rest do with values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking.builtin_place import Place, Semantics
from migrator.graph.linking.items import special_method
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


def _getattr(place: Place) -> bool:
    linker = place.linker
    base, name = place.argument(0), place.argument(1)
    if base is None or name is None:
        return True
    done: set[str] = set()

    def run() -> None:
        for value in linker.points_to(name):
            text = linker.values.text(value)
            if text is None or text in done:
                continue
            done.add(text)
            if "{}" not in text:
                data = (place.variant, place.instruction, text, place.target)
                linker.watch(base, linker.on_load, data)
            elif len(text.replace("{}", "")) >= _SHORTEST_PART:
                linker.watch(base, _load_alike(place), text)

    linker.start(run)
    default = place.argument(2)
    if default is not None:
        linker.flow(default, place.target)
    return True


_SHORTEST_PART = 3
"""Of a name of which less is known nothing is known."""


def _load_alike(place: Place) -> Callable[[int, str], None]:
    """A watcher: the attributes that a class defines whose names are of such a form."""
    linker = place.linker

    def watcher(value: int, text: str) -> None:
        class_value = linker.class_behind(value)
        if class_value is None:
            return
        form = re.compile(r"\w+".join(map(re.escape, text.split("{}"))))
        for base in linker.order(class_value):
            class_ = linker.class_of_value.get(base)
            for name in class_.attributes if class_ is not None else ():
                if form.fullmatch(name):
                    linker.on_load(value, (place.variant, place.instruction, name, place.target))

    return watcher


def _setattr(place: Place) -> bool:
    linker = place.linker
    base, name, source = place.argument(0), place.argument(1), place.argument(2)
    if base is None or name is None:
        return True
    done: set[str] = set()
    literals = dict(place.variant.function.facts.code[place.instruction][5])
    if not isinstance(literals.get(1), str):
        # Names that come from outside are never all known: to frameworks it is any attribute.
        linker.watch(base, linker.on_store, (place.variant, place.instruction, "", source))

    def run() -> None:
        for value in linker.points_to(name):
            text = linker.values.text(value)
            if text is not None and text not in done and "{}" not in text:
                done.add(text)
                linker.watch(
                    base, linker.on_store, (place.variant, place.instruction, text, source)
                )

    linker.start(run)
    return True


def _descriptor(name: str) -> Semantics:
    def semantics(place: Place) -> bool:
        linker = place.linker
        for position in range(min(len(place.arguments.positional), 2)):
            variable = place.argument(position)
            what = name if position == 0 else "builtins.property.setter"
            if variable is not None:
                linker.watch(variable, _wrap(linker, what), place.target)
        return True

    return semantics


def _wrap(linker: Linker, name: str) -> Callable[[int, int], None]:
    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] != Kind.DESCRIPTOR:
            linker.put(target, linker.values.descriptor(name, value))

    return watcher


def _property_of_a_kind(place: Place) -> bool:
    """`super().__init__(getter)` in a class that inherits from `property`."""
    linker = place.linker
    if linker.values.kinds[place.receiver] == Kind.INSTANCE:
        for position, name in enumerate(("fget", "fset", "fdel")):
            given = place.argument(position)
            given = given if given is not None else place.keyword(name)
            if given is not None:
                linker.store_field(place.receiver, name, given)
    return True


def _setter(place: Place) -> bool:
    linker = place.linker
    linker.put(place.target, place.receiver)
    variable = place.argument(0)
    if variable is not None:
        linker.watch(variable, _wrap(linker, "builtins.property.setter"), place.target)
    return True


def _keep_property(place: Place) -> bool:
    place.linker.put(place.target, place.receiver)
    return True


def _super(place: Place) -> bool:
    linker, variant = place.linker, place.variant
    values = linker.values
    first, second = place.argument(0), place.argument(1)
    holder = variant
    while holder.function.class_ is None and holder.env is not None:
        holder = holder.env
    class_ = holder.function.class_
    receivers = second
    if receivers is None and holder.function.positional:
        receivers = holder.base + holder.function.positional[0].variable
    if receivers is None:
        return True

    def made(receiver: int, class_value: int) -> None:
        if values.kinds[receiver] in (Kind.INSTANCE, Kind.CLASS):
            linker.put(place.target, values.super_of(class_value, receiver))

    def for_class(class_value: int, data: object) -> None:
        if values.kinds[class_value] == Kind.CLASS:
            linker.watch(receivers, made, class_value)

    if first is not None:
        linker.watch(first, for_class, None)
    elif class_ is not None:
        linker.watch(receivers, made, class_.value)
    return True


def _type(place: Place) -> bool:
    linker = place.linker
    variable = place.argument(0)
    if variable is None:
        return False
    if len(place.arguments.positional) > 1:
        # A class that is made of others: what can be done with these can be done with it. What a
        # metaclass makes of every class would be all of them, for each.
        if not _belongs_to_metaclass(place):
            linker.flow(place.element(place.argument(1)), place.target)
        return False

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.INSTANCE:
            linker.put(target, linker.values.owners[value])

    linker.watch(variable, watcher, place.target)
    return True


def _belongs_to_metaclass(place: Place) -> bool:
    linker, own = place.linker, place.variant.function.class_
    return own is not None and any(
        own.value in linker.values_of(each.keywords["metaclass"])
        for each in linker.classes
        if "metaclass" in each.keywords
    )


def _argument(position: int) -> Semantics:
    """The result is an argument: `copy.copy`, `typing.cast`, `contextlib.contextmanager`."""

    def semantics(place: Place) -> bool:
        variable = place.argument(position)
        if variable is not None:
            place.linker.flow(variable, place.target)
        return True

    return semantics


def _copied(method: str) -> Semantics:
    """`copy.copy(x)`: what an object gives that knows how it is copied, else one like it."""

    def semantics(place: Place) -> bool:
        linker, variable = place.linker, place.argument(0)

        def watcher(value: int, target: int) -> None:
            asks = linker.values.kinds[value] == Kind.INSTANCE
            if not asks or not special_method(
                linker, place.variant, place.instruction, value, method, [], target
            ):
                linker.put(target, value)

        if variable is not None:
            linker.watch(variable, watcher, place.target)
        return True

    return semantics


def _decorator(name: str) -> Semantics:
    """A decorator that changes nothing for us, with or without arguments of its own."""

    def semantics(place: Place) -> bool:
        first = place.argument(0)
        if first is not None:
            place.linker.flow(first, place.target)
        if not place.decorates:
            place.linker.put(place.target, place.linker.values.external_instance(name))
        return True

    return semantics


def _dispatch(place: Place) -> bool:
    """`functools.singledispatch`: the function, which others are registered with."""
    linker = place.linker
    first = place.argument(0)

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.FUNCTION:
            linker.dispatchers.add(value)
        linker.put(target, value)

    if first is not None:
        linker.watch(first, watcher, place.target)
    return True


def _register(place: Place) -> bool:
    """`function.register`, which may be given a class first."""
    linker, first = place.linker, place.argument(0)
    if first is not None and place.decorates:
        linker.flow(first, linker.slot("dispatched", place.receiver))
        linker.flow(first, place.target)
    elif first is not None:
        linker.put(place.target, place.callee)
        second = place.argument(1)
        if second is not None:
            linker.flow(second, linker.slot("dispatched", place.receiver))
    return True


def _field(place: Place) -> bool:
    """The declaration of a field: its default is told when an instance is made."""
    linker = place.linker
    value = linker.values.opaque("fields:declared", place.variant.id, place.instruction)
    factory = place.keyword("default_factory")
    factory = factory if factory is not None else place.keyword("factory")
    linker.factories[value] = (place.keyword("default"), factory)
    linker.put(place.target, value)
    return True


def _new(place: Place) -> bool:
    """`object.__new__(cls)`, `super().__new__(cls)`."""
    linker = place.linker
    variable = place.argument(0)

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.CLASS:
            linker.put(target, linker.values.instance(value))

    if variable is not None:
        linker.watch(variable, watcher, place.target)
    return True


def _gather(place: Place) -> bool:
    linker = place.linker
    value = linker.values.container("builtins.list", "call", place.variant.id, place.instruction)
    for position, each in enumerate(place.arguments.positional):
        if isinstance(each, int):
            linker.containers.write(value, position, each)
    linker.put(place.target, value)
    return True


def _environment(place: Place) -> bool:
    linker = place.linker
    name = place.argument(0)
    function = place.variant.function

    def run() -> None:
        code = function.facts.code[place.instruction]
        line = code[ir.FLAGS[code[0]] + 1]
        for value in linker.points_to(name or 0):
            text = linker.values.text(value)
            if text:
                linker.environment.setdefault(text, {})[f"{function.module.file}:{line}"] = None

    if name is not None:
        linker.start(run)
    default = place.argument(1)
    if default is not None:
        linker.flow(default, place.target)
    linker.put(place.target, linker.values.external_instance("builtins.str"))
    return True


_MADE = (
    *("object", "dict", "list", "tuple", "set", "frozenset", "str", "bytes", "int", "float"),
    *("complex", "BaseException", "Exception"),
)
"""Classes that the project's inherit from and make by `super().__new__(cls)`."""

TABLE: dict[str, Semantics] = {
    "builtins.getattr": _getattr,
    "builtins.object.__getattribute__": _getattr,
    "builtins.setattr": _setattr,
    "builtins.object.__setattr__": _setattr,
    "builtins.property": _descriptor("builtins.property"),
    "builtins.property.__init__": _property_of_a_kind,
    "functools.cached_property": _descriptor("builtins.property"),
    "werkzeug.utils.cached_property": _descriptor("builtins.property"),
    "builtins.classmethod": _descriptor("builtins.classmethod"),
    "builtins.staticmethod": _descriptor("builtins.staticmethod"),
    "abc.abstractproperty": _descriptor("builtins.property"),
    "builtins.property.setter": _setter,
    "builtins.property.setter.setter": _setter,
    "builtins.property.getter": _keep_property,
    "builtins.property.deleter": _keep_property,
    "builtins.super": _super,
    "builtins.type": _type,
    **{f"builtins.{name}.__new__": _new for name in _MADE},
    "copy.copy": _copied("__copy__"),
    "copy.deepcopy": _copied("__deepcopy__"),
    "contextlib.contextmanager": _argument(0),
    "contextlib.asynccontextmanager": _argument(0),
    "abc.abstractmethod": _argument(0),
    "typing.overload": _argument(0),
    "dataclasses.dataclass": _decorator("dataclasses.dataclass"),
    "dataclasses.field": _field,
    "attr.ib": _field,
    "attr.field": _field,
    "attrs.field": _field,
    "functools.lru_cache": _decorator("functools.lru_cache"),
    "functools.cache": _argument(0),
    "functools.singledispatch": _dispatch,
    "functools.singledispatchmethod": _dispatch,
    "functools.singledispatch.register": _register,
    "functools.total_ordering": _argument(0),
    "functools.cmp_to_key": _argument(0),
    "typing.cast": _argument(1),
    "asyncio.gather": _gather,
    "asyncio.run": _argument(0),
    "asyncio.create_task": _argument(0),
    "asyncio.wait_for": _argument(0),
    "os.getenv": _environment,
    "os.environ.get": _environment,
    "os.environ.setdefault": _environment,
}
"""By dotted name of function or method."""
