"""Which variant of a function a call runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.graph.linking.definitions import Function, Variant
from migrator.graph.linking.given import NOTHING, Given, excluded, told
from migrator.graph.linking.survey import SMALL

if TYPE_CHECKING:
    from migrator.graph.linking.calling import Arguments
    from migrator.graph.linking.linker import Linker

MOST_VARIANTS = 150
MOST_VARIANTS_APART = 3_000
"""The same for what is called on instances that are told apart, or registers routes for others."""
MOST_WRITTEN = 150
"""How many more are made for places in the code, once those for places in variants are used up."""
DEEPEST = 6


class How(NamedTuple):
    """What else tells a call apart."""

    runs_here: bool = True
    """It is no handler that a framework calls some other time."""
    partial: int | None = None
    """The outermost of the partials that hold what is called."""
    given: Given = NOTHING
    """Constants that decide what it does."""


def choose(
    linker: Linker,
    function: Function,
    env: Variant | None,
    caller: Variant,
    index: int,
    receiver: int | None,
    how: How,
) -> Variant:
    """The variant that a call runs in: by receiver, by place, or the general one.

    The receiver itself counts where instances are told apart; the place of call counts for small
    functions, for those that make closures and those that register something with a framework,
    unless they recurse. A handler that a framework calls some other time is told apart only where
    it makes closures, and by the `partial` that it is: one function with a class to work on is a
    view for each class.
    """
    env_id = env.id if env is not None else -1
    told_apart = receiver is not None and linker.values.is_apart(receiver)
    facts = function.facts
    if how.partial is not None and not how.runs_here and len(function.variants) < MOST_VARIANTS:
        key = (env_id, "partial", how.partial, *how.given)
        number = sum(each[1] == "partial" for each in function.variants)
        around = f"{env.label} " if env is not None and env.label else ""
        label = f"{around}partial {number}"
        return _variant(linker, function, env, key, label, caller, how.given)
    small = how.runs_here and function.size <= SMALL
    if env is not None and env.apart and not small and not told_apart:
        return _by_constants(linker, function, env, how)  # it is one for each instance already
    if not facts.parameters or not (small or told_apart or told_by_place(linker, function)):
        return _by_constants(linker, function, env, how)
    if function.index in caller.chain:
        return _by_constants(linker, function, env, how)
    if caller.depth >= DEEPEST:
        return _by_written_place(linker, function, env, caller, index, how)
    place = (env_id, "place", caller.id, index, receiver if told_apart else None, *how.given)
    known = function.variants.get(place)
    if known is not None:
        return known
    apart = told_apart or caller.apart
    registers = linker.registers(function)
    often = apart or registers or function.makes_functions
    most = MOST_VARIANTS_APART if often else MOST_VARIANTS
    affordable = registers or linker.copies.afford(function.size, apart=apart)
    made = len(function.variants) - (0 if most != MOST_VARIANTS else function.apart)
    if made >= most or not affordable:
        return _by_written_place(linker, function, env, caller, index, how)
    within = f"{caller.label} " if caller.label else ""
    if env is not None and env.label and env is not caller.env:
        within = f"{env.label} in {within}"
    label = f"{within}{caller.function.name}#{index}"
    if told_apart:
        assert receiver is not None
        label += f" {linker.values.parts[receiver][-1]}"
    chosen = _variant(linker, function, env, place, label, caller, how.given)
    if apart:
        chosen.apart = True
        function.apart += 1
    return chosen


def told_by_place(linker: Linker, function: Function) -> bool:
    """Whether a function is told apart by place whatever its size, and whoever calls it."""
    return function.makes_functions or function.captures or linker.registers(function)


def for_attribute(
    linker: Linker, function: Function, env: Variant | None, caller: Variant, arguments: Arguments
) -> Variant | None:
    """The variant of a `__getattr__` for the attribute that is read, whoever reads it."""
    if not function.name.endswith(".__getattr__") or len(arguments.positional) != 1:
        return None
    name = arguments.positional[0]
    held = list(linker.values_of(name)) if isinstance(name, int) else []
    text = linker.values.text(held[0]) if len(held) == 1 else None
    if text is None or function.size > SMALL or function.index in caller.chain:
        return None
    key = (env.id if env is not None else -1, "attribute", text)
    if key not in function.variants and not linker.copies.afford_written(function.size):
        return None
    return _variant(linker, function, env, key, f"attribute {text}", caller, NOTHING)


def _by_written_place(
    linker: Linker,
    function: Function,
    env: Variant | None,
    caller: Variant,
    index: int,
    how: How,
) -> Variant:
    """The variant for a place in the code, whatever variant of the caller it is in.

    For helpers that very many call: what one place gives them stays apart from what others do.
    """
    written = caller.function.index
    key = (env.id if env is not None else -1, "written", written, index, *how.given)
    known = function.variants.get(key)
    full = len(function.variants) >= MOST_VARIANTS + MOST_WRITTEN
    if known is None and (
        full or function.size > SMALL or not linker.copies.afford_written(function.size)
    ):
        return _by_constants(linker, function, env, how)
    label = f"at {caller.function.name}#{index}"
    return _variant(linker, function, env, key, label, caller, how.given)


def _by_constants(linker: Linker, function: Function, env: Variant | None, how: How) -> Variant:
    """The variant for constants that leave out some of the code, whoever gives them."""
    if not how.given or not how.runs_here:
        return linker.general(function, env)
    key = (env.id if env is not None else -1, "given", *how.given)
    known = function.variants.get(key)
    if known is not None:
        return known
    if not excluded(function, env, how.given):
        return linker.general(function, env)
    if len(function.variants) >= MOST_VARIANTS or not linker.copies.afford(function.size):
        return linker.general(function, env)
    label = told(function, how.given)
    label = f"{env.label} {label}" if env is not None and env.label else label
    chosen = linker.make_variant(function, env, key, label)
    chosen.given = how.given
    if env is not None:
        chosen.depth, chosen.chain = env.depth, env.chain
    return chosen


def for_class(
    linker: Linker,
    function: Function,
    env: Variant | None,
    class_value: int,
    caller: Variant,
    constants: Given,
) -> Variant:
    """The variant of a method for one class of receiver, and what decides what it does."""
    key = (env.id if env is not None else -1, "receiver", class_value, *constants)
    name = f"{linker.values.names[class_value]} {told(function, constants)}".rstrip()
    label = f"{env.label} {name}" if env is not None and env.label else name
    chosen = _variant(linker, function, env, key, label, caller, constants)
    chosen.receiver = class_value
    return chosen


def class_that_counts(
    linker: Linker,
    function: Function,
    variant: Variant,
    arguments: Arguments,
    receiver: int | None,
) -> int | None:
    """The class of the receiver where a framework says that it counts (models).

    It also counts for a function that wraps a method, and for the method that this then calls.
    """
    own = function.class_.value if function.class_ is not None else None
    if receiver is not None:
        if linker.values.is_apart(receiver):
            return None
        class_value = linker.class_behind(receiver)
        if (
            class_value is None
            or class_value == own
            or not linker.apart.receiver_sensitive(class_value)
        ):
            return None
        return class_value
    class_value = variant.receiver
    if class_value is None or own is None or own not in linker.order(class_value)[1:]:
        return None
    given = arguments.positional[0] if arguments.positional else None
    variable = given[0] if isinstance(given, tuple) else given
    first = variant.function.first
    passed = first is not None and variable == variant.base + first
    return class_value if passed else None


def _variant(
    linker: Linker,
    function: Function,
    env: Variant | None,
    key: tuple[Any, ...],
    label: str,
    caller: Variant,
    constants: Given,
) -> Variant:
    known = function.variants.get(key)
    if known is None:
        known = linker.make_variant(function, env, key, label)
        known.given = constants
        known.depth = caller.depth + (1 if key[1] == "place" else 0)
        known.chain = caller.chain | {function.index, caller.function.index}
    return known
