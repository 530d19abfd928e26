"""Loops that register the rows of a table: `def register(app, rows): for path, view in rows: ...`.

What belongs together in a row stays together because a small function that registers things on what
it is given has a variant for each row. Loops over rows that stand beside them are walked once a row
when facts are read (`migrator.facts.unrolling`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking.definitions import Function, Variant, note
from migrator.graph.linking.survey import SMALL
from migrator.graph.linking.values import Kind
from migrator.graph.linking.variants import MOST_VARIANTS_APART

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

MOST_ROWS = 200
_ORDERED = frozenset({"builtins.list", "builtins.tuple"})


def are_taken_apart(linker: Linker, variant: Variant, base: int) -> bool:
    """Whether a loop over a variable of a function has a variant for each turn.

    One loop of a function has: over a parameter or a name of the module, and what loops inside it
    run over.
    """
    function = variant.function
    if (
        function.size > SMALL
        or function.makes_functions
        or function.facts.parent < 0
        or function.facts.flags & ir.GENERATOR
        or not linker.registers(function)
        or not _registers_on_what_it_is_given(linker, function)
    ):
        return False
    if variant.turns:
        return not _is_given(function, base)
    return [base] == [each for each in _iterated(function) if _is_given(function, each)]


def _is_given(function: Function, variable: int) -> bool:
    return variable < 0 or variable in _parameters(function)


def _parameters(function: Function) -> set[int]:
    return {each.variable for each in function.facts.parameters}


def _iterated(function: Function) -> Iterator[int]:
    return (code[2] for code in function.facts.code if code[0] == ir.ITERATE)


def _registers_on_what_it_is_given(linker: Linker, function: Function) -> bool:
    parameters, methods = _parameters(function), linker.foreign.registering
    return any(
        code[0] == ir.ATTRIBUTE and code[3] in methods and code[2] in parameters
        for code in function.facts.code
    )


def take_apart(linker: Linker, value: int, data: tuple[Variant, int, int]) -> bool:
    """Make a variant for each element of a display; False where a value is none."""
    variant, index, target = data
    rows = _elements(linker, value)
    if not rows or len(variant.function.variants) + len(rows) > MOST_VARIANTS_APART:
        return False
    variant.in_turns = True
    linker.flow(linker.containers.of(value).element, target)  # what was added to it later
    for position, row in enumerate(rows):
        if row is not None:
            _turn(linker, variant, index, (value, position), row)
    return True


def _elements(linker: Linker, value: int) -> list[int | None]:
    """The variables of a display's elements; nothing where it is none, or has a star."""
    values = linker.values
    if values.kinds[value] != Kind.CONTAINER or values.names[value] not in _ORDERED:
        return []
    made = values.parts[value]
    if len(made) != 2 or not isinstance(made[0], int) or not isinstance(made[1], int):
        return []
    owner = linker.variants[made[0]]
    display = owner.function.facts.code[made[1]]
    if display[0] != ir.SEQUENCE or len(display[3]) > MOST_ROWS:
        return []
    if any(type(each) is tuple for each in display[3]):
        return []
    return [None if each is None else owner.variable(each) for each in display[3]]


def _turn(linker: Linker, variant: Variant, index: int, place: tuple[int, int], row: int) -> None:
    function = variant.function
    env_id = variant.env.id if variant.env is not None else -1
    key = (env_id, "row", variant.id, index, *place)
    if key in function.variants:
        return
    label = f"{variant.label} row {place[1]}".lstrip()
    turn = linker.make_variant(function, variant.env, key, label)
    turn.turns = {**variant.turns, index: row}
    turn.depth, turn.chain, turn.apart = variant.depth, variant.chain, variant.apart
    turn.receiver, turn.given, turn.called = variant.receiver, variant.given, True
    for parameter in function.facts.parameters:
        linker.flow(variant.base + parameter.variable, turn.base + parameter.variable)
    linker.flow(turn.base + ir.RETURNED, variant.base + ir.RETURNED)
    note(variant.calls, index, turn.id)
