"""What the walks of expressions and statements share: the function at hand, names, variables."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from migrator.facts import ir
from migrator.facts.scopes import Frame, Names

UNKNOWN = ...
"""The key of what has a key that is no constant."""

_MAKES = frozenset(
    {
        ir.FUNCTION,
        ir.CLASS,
        ir.SEQUENCE,
        ir.MAPPING,
        ir.COLLECT,
        ir.ATTRIBUTE,
        ir.ITEM,
        ir.SLICE,
        ir.CALL,
        ir.ITERATE,
        ir.ENTER,
        ir.OPERATE,
        ir.FORMAT_TEXT,
        ir.COMPARE,
        ir.RECEIVE,
        ir.DELEGATE,
    }
)
"""Instructions whose target is a variable of its own, made for what they make."""

Result = int | None
"""The variable that holds the value of an expression, or None where linking could not use it."""


class Walker:
    """The state of one walk over a file, and what is written down in the function at hand."""

    walks: dict[type, Callable[[Any], Result]]
    """What walks an expression, by its exact type."""

    def __init__(self) -> None:
        self.names = Names()
        self.module = Frame(0, None, "", -1)
        self.frame = self.module
        self.frames: list[Frame] = [self.module]
        self.overlay: dict[str, int] | None = None
        """The names of the class body that is being walked."""
        self.class_ = -1
        self.prefix = ""
        self.flags = 0
        self.stored: set[str] = set()
        self.stored_on_classes: set[str] = set()
        self.lambda_counts: dict[str, int] = {}
        self.turns = 0
        """How many loops around the code at hand are walked turn by turn."""
        self.fixed: dict[str, object] = {}
        """Names of those loops that are constants in the turn at hand."""
        self.again: frozenset[str] = frozenset()
        """Names that the module's own code binds more than once; see `rebinding.py`."""
        self.made: dict[int, Result] = {}
        """The elements of displays, by the identity of their nodes, to their variables."""
        self.type_parameters: dict[str, ast.expr | None] = {}
        """Parameters of types (PEP 695) of the definitions at hand, with their bounds."""

    def walk(self, node: ast.expr) -> Result:
        """The variable of an expression's value."""
        return self.walks[type(node)](node)

    # -- names ----------------------------------------------------------------------------------

    def read(self, name: str) -> int:
        """The variable of a name that is read here."""
        overlay = self.overlay
        if overlay is not None:
            known = overlay.get(name)
            if known is not None:
                return known
        frame = self.frame
        if frame.index:
            return frame.read(name)
        if frame.env:  # in the module's own code: names of comprehensions, and those bound again
            known = frame.env.get(name)
            if known is not None:
                return known
        return ~self.names.index(name)

    def write(self, name: str) -> int:
        """The variable of a name that is bound here."""
        overlay = self.overlay
        if overlay is not None:
            known = overlay.get(name)
            if known is None:
                known = overlay[name] = self.frame.new()
            return known
        frame = self.frame
        if frame.index:
            if name in frame.global_names:
                self.names.bound.add(name)
            return frame.write(name)
        self.names.bound.add(name)
        if self.turns or name in self.again:
            variable = frame.give(name, frame.new())
            frame.code.append((ir.COPY, ~self.names.index(name), variable))
            return variable
        return ~self.names.index(name)

    def bind_name(self, name: str, value: Result) -> int:
        """Bind a name to a value; gives the name's variable."""
        frame = self.frame
        if value is not None and self.is_new(value):
            overlay = self.overlay
            if overlay is not None:
                if name not in overlay:
                    overlay[name] = frame.named = value
                    return value
            elif frame.index and not (name in frame.global_names or name in frame.nonlocal_names):
                frame.named = value
                return frame.give(name, value)
            elif name in self.again and not frame.index:
                self.names.bound.add(name)
                frame.code.append((ir.COPY, ~self.names.index(name), value))
                return frame.give(name, value)
        variable = self.write(name)
        if value is not None:
            frame.code.append((ir.COPY, variable, value))
        return variable

    def is_new(self, value: int) -> bool:
        """Whether the last instruction made a value that nothing else holds."""
        frame = self.frame
        if not frame.code or value == frame.named:
            return False
        last = frame.code[-1]
        return last[1] == value and last[0] in _MAKES

    # -- instructions ---------------------------------------------------------------------------

    def either(self, results: list[Result]) -> Result:
        """A variable that holds what any of several may hold."""
        known = [each for each in results if each is not None]
        if len(known) < 2:
            return known[0] if known else None
        target = self.frame.new()
        for each in known:
            self.frame.code.append((ir.COPY, target, each))
        return target

    def iterate(self, iterated: Result, node: ast.expr) -> Result:
        """The variable of what comes out of an iteration."""
        if iterated is None:
            return None
        target = self.frame.new()
        self.frame.code.append((ir.ITERATE, target, iterated, self.flags, *place(node)))
        return target

    def emit_unpack(self, source: int, elements: list[ast.expr], variables: list[int]) -> None:
        """`a, *b, c = source`."""
        star = next((i for i, e in enumerate(elements) if type(e) is ast.Starred), None)
        if star is None:
            self.frame.code.append((ir.UNPACK, source, tuple(variables), None, ()))
            return
        before, after = tuple(variables[:star]), tuple(variables[star + 1 :])
        self.frame.code.append((ir.UNPACK, source, before, variables[star], after))


def place(node: ast.expr | ast.stmt) -> tuple[int, int, int, int]:
    """Line, column, end line and end column of a node."""
    line, end_line = node.lineno, node.end_lineno
    if end_line is None or end_line == line:
        end_line = line  # one object, in memory and in the cache
    return line, node.col_offset, end_line, node.end_col_offset or node.col_offset


def dotted(node: ast.expr) -> str:
    """`a.b.c` of names and attributes; other parts read `?`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return node.id if isinstance(node, ast.Name) else "?"


def last_name(node: ast.expr) -> str:
    """The last part of that."""
    while True:
        kind = type(node)
        if kind is ast.Name:
            return node.id  # type: ignore[attr-defined, no-any-return]
        if kind is ast.Attribute:
            return node.attr  # type: ignore[attr-defined, no-any-return]
        if kind is not ast.Call:
            return "?"
        node = node.func  # type: ignore[attr-defined]
