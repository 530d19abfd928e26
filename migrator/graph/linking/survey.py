"""What the code of a function tells before anything is linked, found in one walk over it."""

from __future__ import annotations

from typing import NamedTuple

from migrator.facts import ir

_FIRST = bytearray(ir.NARROW + 1)
"""By code of the instruction: whether its first operand is the variable that it sets."""
for _code in range(ir.NARROW + 1):
    _FIRST[_code] = _code not in (ir.SET_ATTRIBUTE, ir.SET_ITEM, ir.RAISE, ir.UNPACK)

_MAKES = (ir.CONSTANT, ir.TYPE, ir.FUNCTION, ir.CLASS, ir.SEQUENCE, ir.MAPPING, ir.COLLECT)
_LEADS = (*_MAKES, ir.COPY, ir.IMPORT)
_FIXED = bytearray(ir.NARROW + 1)
for _code in _MAKES:
    _FIXED[_code] = 1
_STATIC = bytearray(ir.NARROW + 1)
for _code in _LEADS:
    _STATIC[_code] = 1


SMALL = 60
"""A function of at most this many instructions is analysed once per place of call."""

_NONE: frozenset[int] = frozenset()


class Survey(NamedTuple):
    """What is known of a function's code."""

    size: int
    """Instructions, less those that only say again what a name is."""
    passes: int | None
    """The position of the parameter that it gives back as it is, whatever else it does."""
    fixed: bytes
    """By variable: whether one instruction sets it, and always to one and the same value."""
    moving: frozenset[int]
    """Of a module's code the variables that an instruction sets to what only linking finds out;
    of a function those around it (below 0) that it sets to anything."""
    methods: dict[int, int]
    """Variables that hold an attribute only for it to be called, to the instruction that does."""
    decorating: frozenset[int]
    """The calls that decorate something, and those that make what does."""
    reassigned: frozenset[int]
    """The parameters that do not keep what they came with."""


def survey(facts: ir.FunctionFacts, positional: tuple[ir.ParameterFacts, ...]) -> Survey:
    """Walk over the code of a function."""
    size = 0
    code = facts.code
    fixed = bytearray(facts.variables)
    seen = bytearray(facts.variables)
    moving: set[int] = set()
    attributes: dict[int, int] = {}
    methods: dict[int, int] = {}
    narrowed: dict[int, int] = {}
    copied: set[int] = set()
    returned: set[int] = set()
    decorating: set[int] = set()
    returns_more = False
    is_body = facts.parent < 0
    for index, ins in enumerate(code):
        op = ins[0]
        if not _FIRST[op]:
            size += 1
            if op == ir.UNPACK:
                for each in (*ins[2], ins[3], *ins[4]):
                    if each is None:
                        continue
                    if is_body or each < 0:
                        moving.add(each)
                    if each >= 0:
                        fixed[each] = 0
                        seen[each] = 1
            continue
        target = ins[1]
        if target >= 0:
            fixed[target] = _FIXED[op] and not seen[target]
            seen[target] = 1
        if not _STATIC[op] if is_body else target < 0:
            moving.add(target)
        if op == ir.NARROW:
            narrowed[target] = ins[2]
            continue
        size += 1
        if op == ir.COPY:
            copied.add(target)
            if target == ir.RETURNED:
                returned.add(ins[2])
            continue
        if target == ir.RETURNED:
            returns_more = True
        if op == ir.ATTRIBUTE:
            attributes[target] = index
        elif op == ir.CALL:
            if ins[6] & ir.DECORATES:
                decorating.add(index)
                makes = (at for at in range(index - 1, -1, -1) if code[at][1] == ins[2])
                decorating.update(at for at in (next(makes, -1),) if at >= 0)
            made = attributes.get(ins[2])
            if made is not None and code[made][5:7] == ins[7:9]:
                methods[ins[2]] = index  # both begin at one place: `base.name(...)`
    for each in facts.parameters:
        fixed[each.variable] = 0
    if facts.variables > ir.YIELDED:
        fixed[ir.RETURNED] = fixed[ir.YIELDED] = 0
    passes = None
    if returned and not returns_more and positional and not facts.flags & ir.GENERATOR:
        passes = _passed(returned, narrowed, copied, positional)
    held = frozenset(moving) if moving else _NONE
    made_by = frozenset(decorating) if decorating else _NONE
    kept = copied and frozenset(p.variable for p in facts.parameters if p.variable in copied)
    return Survey(size, passes, bytes(fixed), held, methods, made_by, kept or _NONE)


def _passed(
    returned: set[int],
    narrowed: dict[int, int],
    copied: set[int],
    positional: tuple[ir.ParameterFacts, ...],
) -> int | None:
    """The one parameter that is all a function returns, and that nothing else is put into."""
    while not returned.isdisjoint(narrowed):
        returned = {narrowed.get(each, each) for each in returned}
    if len(returned) != 1:
        return None
    (variable,) = returned
    if variable in copied:
        return None
    return next((i for i, each in enumerate(positional) if each.variable == variable), None)
