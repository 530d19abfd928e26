"""Constants that calls give to parameters, and the instructions that then never run.

`commit=False`, or a default that nobody overrides, decides what `if commit:` is before. A call
hands on what its caller was given: `self.save(commit=commit)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.facts import ir

if TYPE_CHECKING:
    from migrator.graph.linking.calling import Arguments
    from migrator.graph.linking.definitions import Function, Variant

Given = tuple[tuple[int, object], ...]
"""Variables of parameters to the constants that they hold."""

NOTHING: Given = ()
SMALL = 60
"""A function of more instructions is not asked what it hands on."""


def given(function: Function, caller: Variant, arguments: Arguments, skipped: int) -> Given:
    """What a call gives as constants to the parameters that decide something in a function.

    `skipped` of its parameters are given otherwise: the receiver.
    """
    deciding = function.deciding
    if deciding is None:
        deciding = function.deciding = _deciding(function)
    if not deciding or arguments.literals is None:
        return NOTHING
    found = []
    for parameter, value in _constants(function, caller, arguments, skipped):
        guarded = deciding.get(parameter)
        if guarded or (guarded is not None and (value is None or value is True or value is False)):
            found.append((parameter, value))
    return tuple(sorted(found, key=lambda each: each[0]))


def _deciding(function: Function) -> dict[int, bool]:
    """Parameters that are as they came: on True those of guards, on False those handed on."""
    facts = function.facts
    found = dict.fromkeys(function.guarded, True)
    if function.size <= SMALL:
        for ins in facts.code:
            if ins[0] == ir.CALL:
                for each in (*ins[3], *(variable for _, variable in ins[4])):
                    if type(each) is int and each >= ir.FIRST_PARAMETER:
                        found.setdefault(each, False)
    parameters = {p.variable for p in facts.parameters} - function.reassigned
    return {variable: found[variable] for variable in found if variable in parameters}


def _constants(
    function: Function, caller: Variant, arguments: Arguments, skipped: int
) -> Iterator[tuple[int, object]]:
    literals = dict(arguments.literals or ())
    named: dict[str, object] = {}
    whole = True
    position = skipped
    for number, each in enumerate(arguments.positional):
        if type(each) is tuple:
            whole = False
            break
        if position < len(function.positional):
            value = literals[number] if number in literals else _held(caller, each)
            named[function.positional[position].name] = value
        position += 1
    for name, variable in arguments.keywords:
        if name is None:
            whole = False
        else:
            named[name] = literals[name] if name in literals else _held(caller, variable)
    for place, parameter in enumerate(function.facts.parameters):
        if place < skipped:
            continue
        value = named.get(parameter.name, parameter.literal if whole else ...)
        if value is not ...:
            yield parameter.variable, value


def _held(caller: Variant, variable: object) -> object:
    """The constant of a variable of the caller's, or of a function around it; `...` for none."""
    holder: Variant | None = caller
    while holder is not None:
        if holder.given and type(variable) is int:
            local = variable - holder.base
            if 0 <= local < holder.function.facts.variables:
                return dict(holder.given).get(local, ...)
        holder = holder.env
    return ...


def excluded(function: Function, env: Variant | None, constants: Given) -> frozenset[int]:
    """The instructions of a function that do not run where its parameters hold these constants.

    What makes a constant is none of them: code elsewhere may use the same one.
    """
    facts = function.facts
    found: set[int] = set()
    for guard in facts.guards:
        held, local = constants, guard[0]
        if local < 0:
            owner, local = facts.refs[~local]
            holder = env.around(function.module.functions[owner]) if env is not None else None
            held = holder.given if holder is not None else NOTHING
        for variable, value in held:
            if variable == local and not ir.passes(guard, value):
                found.update(range(guard[4], guard[5]))
    return frozenset(i for i in found if facts.code[i][0] not in (ir.CONSTANT, ir.TYPE))


def told(function: Function, constants: Given) -> str:
    """Constants in words: `raw=True, commit=False`."""
    names = {p.variable: p.name for p in function.facts.parameters}
    return ", ".join(f"{names[variable]}={value!r}"[:40] for variable, value in constants)
