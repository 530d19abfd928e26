"""What Python's own functions and the methods of its containers do with values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from migrator.facts import ir
from migrator.graph import calling, operators
from migrator.graph.definitions import Variant
from migrator.graph.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linker import Linker
    from migrator.graph.sites import PlaceView


class Place(NamedTuple):
    """A call of something outside."""

    linker: Linker
    variant: Variant
    instruction: int
    callee: int
    arguments: calling.Arguments
    target: int

    def argument(self, position: int) -> int | None:
        """The variable of a positional argument."""
        given = self.arguments.positional
        found = given[position] if position < len(given) else None
        return found if isinstance(found, int) else None

    def keyword(self, name: str) -> int | None:
        """The variable of a keyword argument."""
        return next((v for n, v in self.arguments.keywords if n == name), None)

    @property
    def decorates(self) -> bool:
        """Whether this is the application of a decorator."""
        code = self.variant.function.facts.code[self.instruction]
        return code[0] == ir.CALL and bool(code[6] & ir.DECORATES)

    @property
    def receiver(self) -> int:
        """The value whose method is called."""
        return self.linker.values.owners[self.callee]

    def call(self, functions: int | None, arguments: list[int | None], target: int) -> None:
        """Call every value of a variable."""
        if functions is None:
            return
        given = calling.Arguments(tuple(arguments), ())
        data = (self.variant, self.instruction, None, given, target, True)
        self.linker.watch(functions, self.linker.on_method, data)

    def element(self, variable: int | None) -> int:
        """A variable of what comes out of an iteration over a variable."""
        target = self.linker.slot("element", self.variant.id, self.instruction, variable)
        if variable is not None:
            watcher = operators.iterator(self.linker)
            self.linker.watch(variable, watcher, (self.variant, self.instruction, target))
        return target

    def make(self, name: str, element: int | None) -> None:
        """The result is a container of that element."""
        value = self.linker.values.container(
            name, "call", self.variant.id, self.instruction, self.callee
        )
        if element is not None:
            self.linker.flow(element, self.linker.containers.of(value).element)
        self.linker.put(self.target, value)


Semantics = Callable[[Place], bool]


def find(name: str) -> Semantics | None:
    """What is known of an outside function or method, by dotted name."""
    return TABLE.get(name)


def read_item(linker: Linker, site: PlaceView, receiver: int, keys: list[object]) -> None:
    """`os.environ[key]` reads the environment."""
    if linker.values.names[receiver] == "os.environ":
        for key in keys:
            if isinstance(key, str):
                linker.environment.setdefault(key, {})[f"{site.file}:{site.line}"] = None


# -- functions that call their argument -----------------------------------------------------------


def _map(place: Place) -> bool:
    result = place.linker.slot("map", place.variant.id, place.instruction)
    for position in range(len(place.arguments.positional)):
        others = [
            place.element(place.argument(other))
            for other in range(len(place.arguments.positional))
            if other != position
        ]
        place.call(place.argument(position), list(others), result)
    place.make("builtins.map", result)
    return True


def _filter(place: Place) -> bool:
    element = place.element(place.argument(1))
    place.call(place.argument(0), [element], place.linker.new())
    place.make("builtins.filter", element)
    return True


def _sorted(place: Place) -> bool:
    element = place.element(place.argument(0))
    place.call(place.keyword("key"), [element], place.linker.new())
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
    place.call(place.keyword("key"), [element], linker.new())
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
    held = calling.Arguments(place.arguments.positional[1:], place.arguments.keywords)

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


# -- containers -----------------------------------------------------------------------------------


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
                linker.put(linker.containers.of(value).keys, linker.values.string(key))
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
        for each in operators.keys_in(linker, place.variant, key):
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
        for each in operators.keys_in(linker, place.variant, key):
            linker.containers.write(receiver, each, source or 0)

    if key is not None:
        linker.flow(key, linker.containers.of(receiver).keys)
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
    place.call(place.keyword("key"), [linker.containers.of(receiver).every], linker.new())
    return True


def _same_elements(name: str) -> Semantics:
    """`reversed`, `iter` and the like: another way through the same elements."""

    def semantics(place: Place) -> bool:
        place.make(name, place.element(place.argument(0)))
        return True

    return semantics


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
    linker = place.linker
    row = linker.values.container("builtins.tuple", "zip", place.variant.id, place.instruction)
    for position in range(len(place.arguments.positional)):
        element = place.element(place.argument(position))
        linker.containers.write(row, position, element)
    linker.containers.of(row).length = len(place.arguments.positional)
    place.make("builtins.zip", linker.variable_of(row))
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


# -- attributes, classes, descriptors -------------------------------------------------------------


def _getattr(place: Place) -> bool:
    linker = place.linker
    base, name = place.argument(0), place.argument(1)
    if base is None or name is None:
        return True
    done: set[str] = set()

    def run() -> None:
        for value in linker.points_to(name):
            text = linker.values.text(value)
            if text is not None and text not in done and "{}" not in text:
                done.add(text)
                data = (place.variant, place.instruction, text, place.target)
                linker.watch(base, linker.on_load, data)

    linker.start(run)
    default = place.argument(2)
    if default is not None:
        linker.flow(default, place.target)
    return True


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
    if variable is None or len(place.arguments.positional) > 1:
        return False

    def watcher(value: int, target: int) -> None:
        if linker.values.kinds[value] == Kind.INSTANCE:
            linker.put(target, linker.values.owners[value])

    linker.watch(variable, watcher, place.target)
    return True


def _dunder(method: str) -> Semantics:
    """`str(x)`, `len(x)`, ... call a special method of their argument."""

    def semantics(place: Place) -> bool:
        linker = place.linker
        variable = place.argument(0)

        def watcher(value: int, data: object) -> None:
            if linker.values.kinds[value] == Kind.INSTANCE:
                found = linker.class_attribute_variable(linker.values.owners[value], method)
                if found is not None:
                    calling.invoke_all(
                        linker, place.variant, place.instruction, found, value, [], linker.new()
                    )

        if variable is not None:
            linker.watch(variable, watcher, None)
        return False

    return semantics


def _first(place: Place) -> bool:
    """The result is the argument: `copy.copy`, `typing.cast`, `contextlib.contextmanager`."""
    variable = place.argument(0)
    if variable is not None:
        place.linker.flow(variable, place.target)
    return True


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


def _second(place: Place) -> bool:
    variable = place.argument(1)
    if variable is not None:
        place.linker.flow(variable, place.target)
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


TABLE: dict[str, Semantics] = {
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.sorted": _sorted,
    "builtins.min": _extreme,
    "builtins.max": _extreme,
    "functools.reduce": _reduce,
    "functools.partial": _partial,
    "functools.partialmethod": _partial,
    "builtins.list": _container("builtins.list"),
    "builtins.tuple": _container("builtins.tuple"),
    "builtins.set": _container("builtins.set"),
    "builtins.frozenset": _container("builtins.set"),
    "collections.deque": _container("builtins.list"),
    "builtins.dict": _container("builtins.dict"),
    "collections.OrderedDict": _container("builtins.dict"),
    "collections.defaultdict": _default_dict,
    "builtins.reversed": _same_elements("builtins.generator"),
    "builtins.iter": _same_elements("builtins.generator"),
    "itertools.islice": _same_elements("builtins.generator"),
    "itertools.cycle": _same_elements("builtins.generator"),
    "builtins.next": _next,
    "builtins.generator.send": _send,
    "builtins.generator.asend": _send,
    "builtins.generator.__next__": _send,
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "itertools.chain": _chain,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.property": _descriptor("builtins.property"),
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
    "builtins.str": _dunder("__str__"),
    "builtins.repr": _dunder("__repr__"),
    "builtins.len": _dunder("__len__"),
    "builtins.bool": _dunder("__bool__"),
    "builtins.hash": _dunder("__hash__"),
    "builtins.object.__new__": _new,
    "copy.copy": _first,
    "copy.deepcopy": _first,
    "contextlib.contextmanager": _first,
    "contextlib.asynccontextmanager": _first,
    "abc.abstractmethod": _first,
    "typing.overload": _first,
    "dataclasses.dataclass": _decorator("dataclasses.dataclass"),
    "dataclasses.field": _field,
    "attr.ib": _field,
    "attr.field": _field,
    "attrs.field": _field,
    "functools.lru_cache": _decorator("functools.lru_cache"),
    "functools.cache": _first,
    "functools.singledispatch": _dispatch,
    "functools.singledispatchmethod": _dispatch,
    "functools.singledispatch.register": _register,
    "functools.total_ordering": _first,
    "typing.cast": _second,
    "asyncio.gather": _gather,
    "asyncio.run": _first,
    "asyncio.create_task": _first,
    "asyncio.wait_for": _first,
    "os.getenv": _environment,
    "os.environ.get": _environment,
    "os.environ.setdefault": _environment,
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
