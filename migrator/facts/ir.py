"""The symbolic facts of one file: a small register machine that keeps what linking needs.

Facts are plain tuples, strings and integers, so that `marshal` stores and passes them fast. They
do not depend on where the file lies: relative imports stay relative, names stay names.

A *function* here is a function, a lambda, or the module's own code (index 0). Its code is a list of
instructions over variables. A variable `v >= 0` belongs to the function itself; `v < 0` stands for
`refs[~v]`: a name of the module (`(-1, index in names)`), or the variable of an enclosing function
(`(function index, variable)`). Variable 0 holds what a function returns, 1 what it yields, the
parameters follow. Inside functions a name gets a new variable at each assignment (as in static
single assignment, with copies where branches meet), so that reassigned names stay apart; so does
a name that the module's code binds more than once, for that code: others see all of it. What an
instruction has just made needs no copy: its target is the variable of the name, or variable 0.
`None` in place of a variable means: nothing there that linking could use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

FORMAT = 13
"""Goes up whenever the facts change their meaning; part of the key of the cache."""

# Instructions: the code, then its operands. `place` is line, column, end line, end column.
COPY = 0  # target, source
CONSTANT = 1  # target, str | int | bool
TYPE = 2  # target, outside class: a literal whose value does not matter
FUNCTION = 3  # target, index in functions
CLASS = 4  # target, index in classes
SEQUENCE = 5  # target, outside class, (variable | None | (starred variable,)), ...)
MAPPING = 6  # target, ((key | `...`, key variable, value variable), ...), merged variables
COLLECT = 7  # target, outside class, element variable, key variable: a comprehension
ATTRIBUTE = 8  # target, base, name, flags, *place
SET_ATTRIBUTE = 9  # base, name, source | None, flags, *place
ITEM = 10  # target, base, key | `...`, key variable, flags, *place
SET_ITEM = 11  # base, key | `...`, key variable, source | None, flags, *place
SLICE = 12  # target, base, start, stop, step: constants, None or `...`
CALL = 13  # target, callee, arguments, keywords, literals, flags, *place
ITERATE = 14  # target, base, flags, *place
IMPORT = 15  # target, level, module, name: `import` has the name "", see Import
RAISE = 16  # source, flags, *place
UNPACK = 17  # base, targets before the star, starred target | None, targets after it
ENTER = 18  # target, base, flags, *place: `with`
OPERATE = 19  # target, method (`__add__`), left, right, flags, *place
FORMAT_TEXT = 20  # target, (str | variable | (variable,) for `!r` | None, ...)
CATCH = 21  # target, variable of the exception classes
ANNOTATED = 22  # target, annotation, whether it declares an attribute of a class
COMPARE = 23  # target, operands, methods between them (`__lt__`), flags, *place; also `-x`
RECEIVE = 24  # target: what is sent to a generator
DELEGATE = 25  # target, base: what `yield from` gives
NARROW = 26  # target, source, variable of classes: where `isinstance(source, classes)` holds

# Flags of a place.
IN_LOOP = 1
CONDITIONAL = 2
USED = 4
HANDLED = 8
DECORATES = 16
AUGMENTED = 32
DELETES = 64
AWAITED = 128

FLAGS = {
    ATTRIBUTE: 4,
    SET_ATTRIBUTE: 4,
    ITEM: 5,
    SET_ITEM: 5,
    CALL: 6,
    ITERATE: 3,
    RAISE: 2,
    ENTER: 3,
    OPERATE: 5,
    COMPARE: 4,
}
"""Where the flags stand in an instruction; the place follows them."""

# Kinds of parameters.
POSITIONAL_ONLY, POSITIONAL, VAR_POSITIONAL, KEYWORD, VAR_KEYWORD = range(5)

RETURNED = 0
YIELDED = 1
FIRST_PARAMETER = 2

# What a guard asks of a parameter.
TRUTH, EQUALS, ONE_OF = range(3)

# Flags of a function.
GENERATOR = 1
ASYNC = 2
LAMBDA = 4

Instruction = tuple[Any, ...]
Guard = tuple[int, int, object, bool, int, int]
"""Instructions from one on, to before another, that run only where a parameter is such: variable of
the parameter (of a function around where it is below 0), test, what it is compared with, what has
to come out; first instruction, and the one after the last."""
Annotation = tuple[str, "int | None", tuple[Any, ...]]
"""Text, variable of the head, annotations of the arguments."""


def literal(value: object) -> object:
    """What facts keep of a constant: itself, or its text where `marshal` has no other use of it."""
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def place_of(instruction: Instruction) -> Instruction | None:
    """First line and column, last line and column; None for an instruction that has no place."""
    position = FLAGS.get(instruction[0])
    return None if position is None else instruction[position + 1 : position + 5]


def passes(guard: Guard, value: object) -> bool:
    """Whether what a guard is before runs for that value of its parameter."""
    _, test, operand, holds, _, _ = guard
    if test == TRUTH:
        return bool(value) is holds
    if test == EQUALS:
        return (value == operand) is holds
    return (value in operand) is holds  # type: ignore[operator]


class ParameterFacts(NamedTuple):
    """`variable` is that of the value inside; `default` one of the enclosing function's.

    `literal` is the default where it is a constant, `...` where there is none or it is not.
    """

    name: str
    kind: int
    variable: int
    default: int | None
    has_default: bool
    annotation: Annotation | None
    literal: object


class FunctionFacts(NamedTuple):
    """A function, lambda or module body. `name` is dotted inside the module, "" for the module."""

    name: str
    line: int
    end_line: int
    parent: int
    class_: int
    """The class whose body defines it, or -1."""
    flags: int
    parameters: tuple[ParameterFacts, ...]
    returns: Annotation | None
    decorators: tuple[str, ...]
    refs: tuple[tuple[int, int], ...]
    variables: int
    code: list[Instruction]
    guards: tuple[Guard, ...]


class ClassFacts(NamedTuple):
    """A class statement; variables are those of the function in whose code it stands."""

    name: str
    line: int
    end_line: int
    owner: int
    """The index of that function."""
    bases: tuple[int | None, ...]
    keywords: tuple[tuple[str, int | None], ...]
    attributes: tuple[tuple[str, int, int, Annotation | None], ...]
    """Name, variable, line, annotation; in source order."""
    decorators: tuple[str, ...]


class ImportFacts(NamedTuple):
    """An import statement's alias. `name` is "" for `import module`, "*" for all names."""

    level: int
    module: str
    name: str
    line: int
    type_checking: bool
    sure: bool
    """Whether it stands below no condition, no loop and no `try`."""


class FileFacts(NamedTuple):
    """All of one file."""

    lines: int
    names: tuple[str, ...]
    """Names that the module's code or a function mentions as a global; refs index them."""
    bound: tuple[str, ...]
    """Those that the module binds, sorted."""
    exported: tuple[str, ...] | None
    """The constant strings of `__all__`."""
    imports: tuple[ImportFacts, ...]
    functions: tuple[FunctionFacts, ...]
    classes: tuple[ClassFacts, ...]
    stored: tuple[str, ...]
    """Names of attributes that some code here sets, sorted."""
    stored_on_classes: tuple[str, ...]
    """Those among them that look like being set on a class: `Some.name =`, `cls.name =`. It saves
    the linker work to know them beforehand; which ones really are, it finds out itself."""


def pack(facts: FileFacts) -> tuple[Any, ...]:
    """The facts as what `marshal` writes: exact tuples all the way down."""
    return (
        facts.lines,
        facts.names,
        facts.bound,
        facts.exported,
        tuple(tuple(each) for each in facts.imports),
        tuple(
            (*each[:6], tuple(tuple(p) for p in each.parameters), *each[7:])
            for each in facts.functions
        ),
        tuple(tuple(each) for each in facts.classes),
        facts.stored,
        facts.stored_on_classes,
    )


_REFERENCES: dict[tuple[int, int], tuple[int, int]] = {}
_PARAMETERS: dict[tuple[Any, ...], ParameterFacts] = {}
"""What functions of all files have in common: one object for all of them."""


def _function(each: Sequence[Any]) -> FunctionFacts:
    name, line, end_line, parent, class_, flags, parameters, *rest = each
    known = []
    for parameter in parameters:
        key = (type(parameter[-1]), parameter)  # True is 1, and is not told as 1
        same = _PARAMETERS.get(key)
        if same is None:
            same = _PARAMETERS[key] = ParameterFacts(*parameter)
        known.append(same)
    share = _REFERENCES.setdefault
    rest[2] = tuple([share(reference, reference) for reference in rest[2]])
    return FunctionFacts(name, line, end_line, parent, class_, flags, tuple(known), *rest)


def unpack(packed: Sequence[Any]) -> FileFacts:
    """The inverse of `pack`."""
    lines, names, bound, exported, imports, functions, classes, stored, on_classes = packed
    return FileFacts(
        lines,
        names,
        bound,
        exported,
        tuple(ImportFacts(*each) for each in imports),
        tuple(_function(each) for each in functions),
        tuple(ClassFacts(*each) for each in classes),
        stored,
        on_classes,
    )
