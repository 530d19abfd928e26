"""Constants that calls give to parameters, and the instructions that then never run.

`commit=False`, or a default that nobody overrides, decides what `if commit:` is before. A call
hands on what its caller was given: `self.save(commit=commit)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from migrator.facts import ir
from migrator.graph.linking.survey import SMALL

if TYPE_CHECKING:
    from migrator.graph.linking.calling import Argument, Arguments
    from migrator.graph.linking.definitions import Function, Variant

Given = tuple[tuple[int, object], ...]
"""Variables of parameters to the constants that they hold."""

NOTHING: Given = ()


class Deciding(NamedTuple):
    """A parameter on which it depends what a function does."""

    variable: int
    name: str
    position: int
    """Among the positional ones; -1 for those given by name alone."""
    default: object
    """`...` where it is no constant."""
    guards: bool
    """It decides here what runs; otherwise it is only handed on."""


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
    for each in deciding:
        value = _constant(each, caller, arguments, skipped)
        if value is not ... and (each.guards or value is None or type(value) is bool):
            found.append((each.variable, value))
    return tuple(found)


def _deciding(function: Function) -> tuple[Deciding, ...]:
    """Parameters that are as they came, and that guards ask or that are handed on."""
    facts = function.facts
    handed: set[object] = set()  # by a small function; others are told apart by guards alone
    if function.size <= SMALL:
        for ins in facts.code:
            if ins[0] == ir.CALL:
                handed.update(ins[3])
                handed.update([variable for _, variable in ins[4]])
    positions = {each.variable: number for number, each in enumerate(function.positional)}
    return tuple(
        Deciding(
            each.variable,
            each.name,
            positions.get(each.variable, -1),
            each.literal,
            each.variable in function.guarded,
        )
        for each in facts.parameters
        if each.kind in (ir.POSITIONAL_ONLY, ir.POSITIONAL, ir.KEYWORD)
        and each.variable not in function.reassigned
        and (each.variable in function.guarded or each.variable in handed)
    )


def _constant(asked: Deciding, caller: Variant, arguments: Arguments, skipped: int) -> object:
    """The constant that a call gives to a parameter; `...` where it is none, or not known."""
    place = asked.position - skipped
    if asked.position >= 0:
        if place < 0:
            return ...
        for number, each in enumerate(arguments.positional):
            if type(each) is tuple:
                return ...
            if number == place:
                return _literal(arguments, place, caller, each)
    otherwise = asked.default
    for name, variable in arguments.keywords:
        if name == asked.name:
            return _literal(arguments, name, caller, variable)
        if name is None:
            otherwise = ...
    return otherwise


def _literal(arguments: Arguments, key: int | str, caller: Variant, variable: Argument) -> object:
    for known, value in arguments.literals or ():
        if known == key:
            return value
    return _held(caller, variable) if type(variable) is int else ...


def _held(caller: Variant, variable: int) -> object:
    """The constant of a variable of the caller's, or of a function around it; `...` for none."""
    holder: Variant | None = caller
    while holder is not None:
        if holder.given:
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
