"""Whether the code of a file is what it was but for its lines, and which line became which.

Comments, blank lines and docstrings are no code. Columns have to be what they were: what reads a
file tells places by both.
"""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import NamedTuple

from migrator.facts.syntax import parse

DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_UNREADABLE = (SyntaxError, ValueError, LookupError, RecursionError, MemoryError)
_PLACE = frozenset({"lineno", "end_lineno", "col_offset", "end_col_offset"})


class Moves(NamedTuple):
    """Where the lines of code of a file went.

    Strictly rising: what stood before something still does, and no two lines became one.
    """

    lines: dict[int, int]
    before: int
    """How many lines the file had."""
    after: int


def moves(before: bytes, after: bytes) -> Moves | None:
    """How one content of a file became another; None where more than lines differ."""
    try:
        lines = _compared(parse(before), parse(after))
    except _UNREADABLE:
        return None
    if lines is None or lines.setdefault(1, 1) != 1:  # line 1 also stands for the module
        return None
    new = [lines[line] for line in sorted(lines)]
    if any(b <= a for a, b in pairwise(new)):
        return None
    return Moves(lines, lines_of(before), lines_of(after))


def lines_of(content: bytes) -> int:
    """How many lines a content has; the last one needs no end."""
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


def without_docstring(node: ast.AST) -> list[ast.stmt]:
    """The statements of a module, a class or a function but for its docstring."""
    body: list[ast.stmt] = node.body  # type: ignore[attr-defined]
    first = body[0] if body else None
    described = (
        isinstance(node, DOCUMENTED)
        and isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return body[1:] if described else body


def _compared(before: ast.Module, after: ast.Module) -> dict[int, int] | None:
    lines: dict[int, int] = {}
    waiting: list[tuple[object, object]] = [(before, after)]
    while waiting:
        old, new = waiting.pop()
        if type(old) is not type(new):
            return None
        if isinstance(old, list) and isinstance(new, list):
            if len(old) != len(new):
                return None
            waiting += zip(old, new, strict=True)
        elif isinstance(old, ast.AST):
            fields, others = old.__dict__, new.__dict__
            if fields.keys() != others.keys():
                return None
            if "lineno" in fields:
                ends_as_its_block = isinstance(fields.get("body", fields.get("cases")), list)
                for end in ("", "end_"):
                    line, column = f"{end}lineno", f"{end}col_offset"
                    if fields[column] != others[column] and not (end and ends_as_its_block):
                        return None
                    if lines.setdefault(fields[line], others[line]) != others[line]:
                        return None
            documented = isinstance(old, DOCUMENTED)
            for name, value in fields.items():
                if documented and name == "body":
                    waiting.append((without_docstring(old), without_docstring(new)))  # type: ignore[arg-type]
                elif name not in _PLACE:
                    waiting.append((value, others[name]))
        elif old != new or (isinstance(old, float | complex) and repr(old) != repr(new)):
            return None  # 0.0 equals -0.0
    return lines
