"""Functions that keep what they have worked out: `cache[key] = make(...)`, then `cache[key]`.

What comes out for a key is what the same call would have made for it, whichever call made it.
"""

from __future__ import annotations

from collections.abc import Sequence

from migrator.facts import ir


def remembered(
    function: ir.FunctionFacts, all_of_file: Sequence[ir.FunctionFacts]
) -> dict[int, int]:
    """Reads of a memo, by instruction, to the variable of what this function puts into it.

    A memo is a variable of an enclosing function that nothing but this function touches, written
    here at one place and read under the very key that it is written under.
    """
    code = function.code
    found: dict[int, int] = {}
    for ins in code:
        if ins[0] != ir.SET_ITEM or ins[1] >= 0 or ins[2] is not ... or ins[4] is None:
            continue
        _, base, _, key, source, *_ = ins
        if key is None or not _is_own(function, all_of_file, base):
            continue
        writes = [other for other in code if other[0] == ir.SET_ITEM and other[1] == base]
        if len(writes) == 1:
            for index, other in enumerate(code):
                if other[0] == ir.ITEM and other[2] == base and other[4] == key:
                    found[index] = source
    return found


def _is_own(function: ir.FunctionFacts, all_of_file: Sequence[ir.FunctionFacts], base: int) -> bool:
    """Whether only this function uses the enclosing function's variable after it was made."""
    captured = function.refs[~base] if function.parent >= 0 else (-1, -1)
    owner, local = captured
    if owner < 0:
        return False
    if any(captured in each.refs for each in all_of_file[1:] if each is not function):
        return False
    return _only_made(all_of_file[owner], local) and not any(
        _mentions(ins, base)
        for ins in function.code
        if ins[0] not in (ir.SET_ITEM, ir.ITEM, ir.COMPARE)
    )


def _only_made(function: ir.FunctionFacts, variable: int) -> bool:
    """Whether a function makes what the variable holds, and does nothing else with it."""
    for ins in function.code:
        if ins[0] in (ir.MAPPING, ir.TYPE, ir.CALL) and ins[1] == variable:
            continue
        if ins[0] == ir.COPY and ins[1] == variable and ins[2] >= 0:
            others = [each for each in function.code if each is not ins]
            if any(_mentions(each, ins[2]) and each[1] != ins[2] for each in others):
                return False
        elif _mentions(ins, variable):
            return False
    return True


def _mentions(ins: ir.Instruction, variable: int) -> bool:
    """Whether an instruction has a variable among its operands, the place left out."""
    if ins[0] in (ir.FUNCTION, ir.CLASS, ir.CONSTANT):
        return bool(ins[1] == variable)
    flags = ir.FLAGS.get(ins[0])
    return _holds(ins[1:flags], variable)


def _holds(operands: object, variable: int) -> bool:
    if isinstance(operands, tuple | list):
        return any(_holds(each, variable) for each in operands)
    return type(operands) is int and operands == variable
