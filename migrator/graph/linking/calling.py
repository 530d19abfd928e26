"""Calls: which variant of a function runs, and how arguments reach its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.facts import ir
from migrator.graph.linking import variants
from migrator.graph.linking.definitions import Variant, note
from migrator.graph.linking.given import given
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

Argument = int | None | tuple[int | None]
"""A variable, nothing known, or a starred variable."""


class Arguments(NamedTuple):
    """What a call writes between its parentheses, as solver variables."""

    positional: tuple[Argument, ...]
    keywords: tuple[tuple[str | None, int | None], ...]
    literals: tuple[tuple[int | str, object], ...] | None = None
    """By position or name those that are constants; None: others may be given besides."""

    def behind(self, first: int) -> Arguments:
        """The same with another in front."""
        return self._moved((first, *self.positional), 1)

    def rest(self) -> Arguments:
        """The same without the first."""
        return self._moved(self.positional[1:], -1)

    def and_also(self, more: Arguments) -> Arguments:
        """The same with more: what a `partial` holds, and what it is called with."""
        moved = more._moved(more.positional, len(self.positional)).literals
        unknown = self.literals is None or moved is None
        return Arguments(
            self.positional + more.positional,
            self.keywords + more.keywords,
            None if unknown else (*(self.literals or ()), *(moved or ())),
        )

    def _moved(self, positional: tuple[Argument, ...], by: int) -> Arguments:
        literals = self.literals and tuple(
            (key + by if isinstance(key, int) else key, value)
            for key, value in self.literals
            if not isinstance(key, int) or key + by >= 0
        )
        return Arguments(positional, self.keywords, literals)


NO_ARGUMENTS: Arguments = Arguments((), (), ())


def call(linker: Linker, callee: int, data: tuple[Variant, int]) -> None:
    """Watcher of the variable that is called."""
    variant, index = data
    instruction = variant.function.facts.code[index]
    arguments = variant.arguments.get(index)
    if arguments is None:
        arguments = variant.arguments[index] = arguments_of(linker, variant, instruction)
    target = variant.base + instruction[1] if instruction[6] & ir.USED else NOWHERE
    call_value(linker, variant, index, callee, arguments, target)


def call_at_once(
    linker: Linker, variant: Variant, index: int, target: int, method: int, receiver: int
) -> bool:
    """Call a method that an attribute was found to be, if it is read only to be called.

    Then no value and no variable is needed for the method that is bound to its receiver.
    """
    function = variant.function
    call = function.methods.get(target - variant.base)
    if call is None:
        return False
    code = function.facts.code
    if code[index][0] != ir.ATTRIBUTE or code[index][1] != target - variant.base:
        return False
    instruction = code[call]
    arguments = variant.arguments.get(call)
    if arguments is None:
        arguments = variant.arguments[call] = arguments_of(linker, variant, instruction)
    result = variant.base + instruction[1] if instruction[6] & ir.USED else NOWHERE
    call_value(linker, variant, call, method, arguments, result, receiver)
    return True


def arguments_of(linker: Linker, variant: Variant, instruction: ir.Instruction) -> Arguments:
    """The arguments of a call instruction in a variant."""
    base, refs = variant.base, variant.refs
    positional: list[Argument] = []
    for each in instruction[3]:
        if each is None:
            positional.append(None)
        elif type(each) is tuple:
            inner = each[0]
            positional.append((variant.variable(inner) if inner is not None else None,))
        else:
            positional.append(base + each if each >= 0 else refs[~each])
    keywords = tuple(
        (name, None if each is None else variant.variable(each)) for name, each in instruction[4]
    )
    return Arguments(tuple(positional), keywords, instruction[5])


def call_value(
    linker: Linker,
    variant: Variant,
    index: int,
    callee: int,
    arguments: Arguments,
    target: int,
    receiver: int | None = None,
    *,
    edge: bool = True,
    partial: int | None = None,
) -> None:
    """Let `callee` be called at a place; what it gives flows into `target`.

    `partial` is the outermost of the partials that hold it.
    """
    values = linker.values
    kind = values.kinds[callee]
    if kind == Kind.FUNCTION:
        how = variants.How(edge, partial)
        _call_function(linker, variant, index, callee, arguments, target, receiver, how)
        if callee in linker.dispatchers:
            data = (variant, index, receiver, arguments, target, edge)
            linker.watch(linker.slot("dispatched", callee), linker.on_method, data)
    elif kind == Kind.BOUND and receiver is None:
        function = values.functions[callee]
        owner = values.owners[callee]
        if values.kinds[function] in (Kind.FUNCTION, Kind.PARTIAL, Kind.DESCRIPTOR):
            call_value(linker, variant, index, function, arguments, target, owner, edge=edge)
        elif values.kinds[function] == Kind.INSTANCE:
            call_value(linker, variant, index, function, arguments, target, edge=edge)
        else:
            linker.foreign.call(variant, index, callee, arguments, target)
    elif kind == Kind.CLASS:
        linker.instantiate(variant, index, callee, arguments, target, edge)
    elif kind == Kind.INSTANCE:
        found = linker.class_attribute_variable(values.owners[callee], "__call__")
        if found is not None:
            linker.watch(found, linker.on_method, (variant, index, callee, arguments, target, edge))
        else:
            linker.foreign.call(variant, index, callee, arguments, target)
    elif kind == Kind.PARTIAL:
        _call_partial(linker, variant, index, callee, arguments, target, receiver, edge, partial)
    elif kind == Kind.DESCRIPTOR:
        call_value(
            linker, variant, index, values.owners[callee], arguments, target, receiver, edge=edge
        )
    elif kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE, Kind.BOUND):
        linker.foreign.call(variant, index, callee, arguments, target)


def invoke_all(
    linker: Linker,
    variant: Variant,
    index: int,
    functions: int,
    receiver: int | None,
    arguments: list[int],
    target: int,
) -> None:
    """Call every value of a variable, as methods of `receiver` where one is given."""
    linker.watch(
        functions,
        linker.on_method,
        (variant, index, receiver, Arguments(tuple(arguments), ()), target, True),
    )


def call_method(linker: Linker, found: int, data: tuple[Any, ...]) -> None:
    """Watcher of a class attribute that is called as a method of a known receiver."""
    variant, index, receiver, arguments, target, edge = data
    values = linker.values
    kind = values.kinds[found]
    if kind == Kind.DESCRIPTOR:
        what, wrapped = values.names[found], values.owners[found]
        if what == "builtins.staticmethod":
            receiver = None
        elif what == "builtins.classmethod" and receiver is not None:
            receiver = linker.class_behind(receiver)
        call_value(linker, variant, index, wrapped, arguments, target, receiver, edge=edge)
    elif kind in (Kind.FUNCTION, Kind.PARTIAL):
        call_value(linker, variant, index, found, arguments, target, receiver, edge=edge)
    else:
        call_value(linker, variant, index, found, arguments, target, edge=edge)


# -- functions ----------------------------------------------------------------------------------


def _call_function(
    linker: Linker,
    variant: Variant,
    index: int,
    callee: int,
    arguments: Arguments,
    target: int,
    receiver: int | None,
    how: variants.How,
) -> None:
    function, env = linker.function_of_value[callee]
    class_value = variants.class_that_counts(linker, function, variant, arguments, receiver)
    constants = given(function, variant, arguments, 1 if receiver is not None else 0)
    if class_value is not None:
        chosen = variants.for_class(linker, function, env, class_value, variant, constants)
    else:
        how = variants.How(how.runs_here, how.partial, constants)
        chosen = variants.for_attribute(
            linker, function, env, variant, arguments
        ) or variants.choose(linker, function, env, variant, index, receiver, how)
    if how.runs_here:
        note(variant.calls, index, chosen.id)
    if receiver is not None:
        _give_receiver(linker, chosen, receiver)
    key = (chosen.id, arguments, target, receiver is not None)
    if key in linker.bound_calls:
        return
    linker.bound_calls.add(key)
    chosen.called = True
    skipped = 1 if receiver is not None else 0
    bind(linker, chosen, arguments, skipped)
    passed = _passed_argument(chosen, arguments, skipped)
    if passed is not None:
        linker.flow(passed, target)
    else:
        result(linker, chosen, target)


def _give_receiver(linker: Linker, chosen: Variant, receiver: int) -> None:
    """The first parameter of a method, or the first of `*args` of a function that wraps one."""
    positional = chosen.function.positional
    if positional:
        linker.put(chosen.base + positional[0].variable, receiver)
        return
    rest = linker.rest_of(chosen)
    if rest is not None:
        linker.containers.write(rest, 0, linker.variable_of(receiver))


def _passed_argument(chosen: Variant, arguments: Arguments, skipped: int) -> int | None:
    """The argument that comes out of a call as it went in; other calls' stay apart from it."""
    position = chosen.function.passes
    if position is None or not skipped <= position < skipped + len(arguments.positional):
        return None
    before = arguments.positional[: position - skipped + 1]
    found = before[-1]
    return found if isinstance(found, int) and all(type(e) is not tuple for e in before) else None


def result(linker: Linker, chosen: Variant, target: int) -> None:
    """What a variant gives back flows into `target`: a generator, or what it returns."""
    if chosen.function.facts.flags & ir.GENERATOR:
        linker.put(target, linker.generator_of(chosen))
    else:
        linker.flow(chosen.base + ir.RETURNED, target)


# -- arguments ----------------------------------------------------------------------------------


def bind(linker: Linker, chosen: Variant, arguments: Arguments, skipped: int) -> None:
    """Let the arguments flow into the parameters of a variant, after `skipped` of them."""
    function = chosen.function
    positional = function.positional
    position = skipped
    given: set[str] = set()
    for each in arguments.positional:
        if type(each) is tuple:
            if each[0] is not None:
                linker.watch(each[0], linker.on_spread, (chosen, position))
            position = len(positional) + 1000
            continue
        if position < len(positional):
            given.add(positional[position].name)
        if isinstance(each, int):
            give(linker, chosen, position, each)
        position += 1
    for name, variable in arguments.keywords:
        if name is None:
            if variable is not None:
                linker.watch(variable, linker.on_spread_keywords, chosen)
            continue
        given.add(name)
        if variable is not None:
            give_named(linker, chosen, name, variable)
    bind_defaults(linker, chosen, given)


def bind_defaults(linker: Linker, chosen: Variant, given: set[str]) -> None:
    """Let the parameters that are not given hold what they are by default."""
    function = chosen.function
    for parameter in function.facts.parameters:
        if parameter.name not in given:
            default = function.defaults.get(parameter.name)
            if default is not None:
                linker.flow(default, chosen.base + parameter.variable)


def give(linker: Linker, chosen: Variant, position: int, variable: int) -> None:
    """A positional argument."""
    function = chosen.function
    if position < len(function.positional):
        linker.flow(variable, chosen.base + function.positional[position].variable)
        return
    rest = linker.rest_of(chosen)
    if rest is not None:
        linker.containers.write(rest, position - len(function.positional), variable)


def give_named(linker: Linker, chosen: Variant, name: str, variable: int) -> None:
    """A keyword argument."""
    for parameter in chosen.function.facts.parameters:
        if parameter.name == name and parameter.kind in (ir.POSITIONAL, ir.KEYWORD):
            linker.flow(variable, chosen.base + parameter.variable)
            return
    rest = linker.keywords_of(chosen)
    if rest is not None:
        linker.containers.write(rest, name, variable)


def spread(linker: Linker, value: int, data: tuple[Variant, int]) -> None:
    """Watcher of `*argument`: its slots are the positional arguments from there on."""
    chosen, position = data
    if linker.values.kinds[value] != Kind.CONTAINER:
        return
    container = linker.containers.of(value)
    linker.containers.listen(value, linker.on_spread_slot, data)
    for place in range(position, len(chosen.function.positional)):
        parameter = chosen.function.positional[place]
        linker.flow(container.element, chosen.base + parameter.variable)
    rest = linker.rest_of(chosen)
    if rest is not None:
        linker.flow(container.element, linker.containers.of(rest).element)


def spread_slot(linker: Linker, key: object, variable: int, data: tuple[Variant, int]) -> None:
    """One known element of `*argument`."""
    chosen, position = data
    if isinstance(key, int) and key >= 0:
        give(linker, chosen, position + key, variable)


def spread_keywords(linker: Linker, value: int, chosen: Variant) -> None:
    """Watcher of `**argument`: its slots are keyword arguments."""
    if linker.values.kinds[value] != Kind.CONTAINER:
        return
    container = linker.containers.of(value)
    linker.containers.listen(value, linker.on_spread_keyword, chosen)
    rest = linker.keywords_of(chosen)
    if rest is not None:
        linker.flow(container.element, linker.containers.of(rest).element)
    for parameter in chosen.function.facts.parameters:
        if parameter.kind in (ir.POSITIONAL, ir.KEYWORD):
            linker.flow(container.element, chosen.base + parameter.variable)


def _call_partial(
    linker: Linker,
    variant: Variant,
    index: int,
    callee: int,
    arguments: Arguments,
    target: int,
    receiver: int | None,
    edge: bool,
    partial: int | None,
) -> None:
    held = linker.partials[callee]
    merged = held.and_also(arguments)
    inner = linker.values.owners[callee]
    whole = callee if partial is None else partial
    call_value(linker, variant, index, inner, merged, target, receiver, edge=edge, partial=whole)
