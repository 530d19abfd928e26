"""How the instructions of a function have the receivers of what they call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migrator.facts import ir
from migrator.graph.linking.definitions import Function


class Place(NamedTuple):
    """How an instruction that may call something has its receiver."""

    how: str
    """`own`: the first parameter, or what is made of it; `super`; `passed`: the first parameter is
    the first argument; `given`: something else is; `other`: an attribute of something else."""
    name: str = ""
    """The attribute that is called, or read through a property."""
    base: int | None = None
    """The variable of the receiver or first argument, where it is not the first parameter."""
    callee: int | None = None
    given: int | None = None
    """Of a call of an attribute its first argument, which an unbound method has as receiver."""
    passes: bool = False
    """Whether that is the first parameter."""


def places(function: Function) -> Iterator[tuple[int, Place]]:
    """How the instructions of a function have the receivers of what they call."""
    first = function.first
    own = {first} if first is not None else set()
    supers: set[int] = set()
    attributes: dict[int, tuple[str, int]] = {}
    made: set[int] = set()
    code = function.facts.code
    names = function.module.facts.facts.names if function.module.facts is not None else ()
    for index, ins in enumerate(code):
        kind = ins[0]
        if kind in (ir.COPY, ir.NARROW):
            for known in (own, supers):
                if ins[2] in known and ins[1] not in made:
                    known.add(ins[1])
                elif ins[1] in known:
                    known.discard(ins[1])
            made.add(ins[1])
        elif kind == ir.ATTRIBUTE:
            target, base, name = ins[1:4]
            attributes[target] = (name, base)
            yield index, _attribute_place(name, base, own, supers)
        elif kind == ir.CALL:
            callee, arguments = ins[2], ins[3]
            attribute = attributes.get(callee)
            if _is_global(function, callee, names, "super"):
                supers.add(ins[1])
                continue
            given = arguments[0] if arguments else None
            given = given[0] if isinstance(given, tuple) else given
            if attribute is not None:
                place = _attribute_place(*attribute, own, supers)
                if place.how == "other":  # perhaps `Base.method(self)`
                    place = place._replace(
                        callee=callee, given=given, passes=given in own and given is not None
                    )
                yield index, place
            else:
                if _is_global(function, callee, names, "getattr"):
                    if given in own and given is not None:
                        attributes[ins[1]] = ("", given)
                    continue
                if callee in own:
                    own.add(ins[1])  # `cls(...)`
                    yield index, Place("own", "__init__")
                elif given in own and given is not None:
                    yield index, Place("passed")
                elif given is not None:
                    yield index, Place("given", "", given, callee)
                elif callee is not None:
                    yield index, Place("given", callee=callee)


def _attribute_place(name: str, base: int, own: set[int], supers: set[int]) -> Place:
    if base in own:
        return Place("own", name)
    return Place("super" if base in supers else "other", name, base)


def _is_global(function: Function, variable: int | None, names: tuple[str, ...], name: str) -> bool:
    if variable is None or variable >= 0:
        return False
    owner, local = function.facts.refs[~variable]
    return owner == -1 and names[local] == name
