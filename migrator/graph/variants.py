"""Which variant of a function a call runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.facts.ir import FLAGS
from migrator.graph.definitions import Function, Variant

if TYPE_CHECKING:
    from migrator.graph.linker import Linker

SMALL = 60
"""A function of at most this many instructions is analysed once per place of call."""
MOST_VARIANTS = 150
MOST_VARIANTS_APART = 3_000
"""The same for what is called on instances that are told apart, or registers routes for others."""
DEEPEST = 4


def choose(
    linker: Linker,
    function: Function,
    env: Variant | None,
    caller: Variant,
    index: int,
    receiver: int | None,
    *,
    runs_here: bool = True,
    partial: int | None = None,
) -> Variant:
    """The variant that a call runs in: by class of receiver, by place, or the general one.

    The class of the receiver counts where a framework says so (models), also for a function that
    wraps the method; the receiver itself where instances are told apart; the place of call counts
    for small functions, for those that make closures and those that register something with a
    framework, unless they recurse. A handler that a framework calls some other time (not
    `runs_here`) is told apart only where it makes closures, and by the `partial` that it is: one
    function with a class to work on is a view for each class.
    """
    env_id = env.id if env is not None else -1
    told_apart = receiver is not None and linker.values.is_apart(receiver)
    if receiver is not None and not told_apart:
        class_value = linker.class_behind(receiver)
        own = function.class_.value if function.class_ is not None else None
        if (
            class_value is not None
            and class_value != own
            and linker.receiver_sensitive(class_value)
        ):
            key = (env_id, "receiver", class_value)
            label = linker.values.names[class_value]
            return _variant(linker, function, env, key, label, caller)
    facts = function.facts
    if partial is not None and not runs_here and len(function.variants) < MOST_VARIANTS:
        key = (env_id, "partial", partial)
        number = sum(each[1] == "partial" for each in function.variants)
        return _variant(linker, function, env, key, f"partial {number}", caller)
    small = runs_here and function.size <= SMALL
    makes = function.makes_functions or function.captures or linker.registers(function)
    if not facts.parameters or not (small or told_apart or makes):
        return linker.general(function, env)
    if function.index in caller.chain or caller.depth >= DEEPEST:
        return linker.general(function, env)
    place = (env_id, "place", caller.id, index, receiver if told_apart else None)
    apart = told_apart or caller.apart
    registers = linker.registers(function)
    decorates = function.makes_functions and caller.function.facts.parent < 0
    most = MOST_VARIANTS_APART if apart or registers or decorates else MOST_VARIANTS
    affordable = registers or linker.may_copy(function.size)
    if len(function.variants) >= most or not affordable:
        return function.variants.get(place) or linker.general(function, env)
    code = caller.function.facts.code[index]
    position = FLAGS.get(code[0])
    where = f"{code[position + 1]}:{code[position + 2]}" if position is not None else str(index)
    within = f"{caller.label} " if caller.label else ""
    label = f"{within}{caller.function.name}:{where}"
    if told_apart:
        assert receiver is not None
        label += f" {linker.values.parts[receiver][-1]}"
    chosen = _variant(linker, function, env, place, label, caller)
    chosen.apart = apart
    return chosen


def _variant(
    linker: Linker,
    function: Function,
    env: Variant | None,
    key: tuple[Any, ...],
    label: str,
    caller: Variant,
) -> Variant:
    known = function.variants.get(key)
    if known is None:
        known = linker.make_variant(function, env, key, label)
        known.depth = caller.depth + (1 if key[1] == "place" else 0)
        known.chain = caller.chain | {function.index, caller.function.index}
    return known
