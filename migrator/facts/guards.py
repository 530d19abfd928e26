"""Conditions that a parameter decides by itself: `if commit:`, `x if raw else x.name`.

What stands behind one runs only for calls that give the parameter such a value. Most of these give
a constant, or leave the default.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from migrator.facts import ir

Condition = tuple[int, int, object, bool]
"""Variable of the parameter, test, what it is compared with, and what has to come out."""

_NO: tuple[Condition, ...] = ()
_SAME = {ast.Eq: True, ast.Is: True, ast.NotEq: False, ast.IsNot: False}
_MEMBER = {ast.In: True, ast.NotIn: False}


def conditions(
    test: ast.expr, parameter: Callable[[str], int | None]
) -> tuple[Sequence[Condition], Sequence[Condition]]:
    """What parameters have to be where a test holds, and where it does not.

    `parameter` gives the variable of a name that is a parameter as it came, or None.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yes, no = conditions(test.operand, parameter)
        return no, yes
    if isinstance(test, ast.BoolOp):
        parts = [conditions(each, parameter) for each in test.values]
        if isinstance(test.op, ast.And):
            return [c for yes, _ in parts for c in yes], _NO
        return _NO, [c for _, no in parts for c in no]
    if isinstance(test, ast.Name):
        return _both(parameter(test.id), ir.TRUTH, None, True)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name):
        return _compared(test, parameter(test.left.id))
    return _NO, _NO


def _compared(
    test: ast.Compare, variable: int | None
) -> tuple[Sequence[Condition], Sequence[Condition]]:
    (other,), kind = test.comparators, type(test.ops[0])
    if kind in _SAME and isinstance(other, ast.Constant):
        if other.value is None or isinstance(other.value, str | int):
            return _both(variable, ir.EQUALS, other.value, _SAME[kind])
    elif kind in _MEMBER and isinstance(other, ast.Tuple | ast.List | ast.Set):
        members = [each.value for each in other.elts if isinstance(each, ast.Constant)]
        if len(members) == len(other.elts) and all(isinstance(e, str | int) for e in members):
            return _both(variable, ir.ONE_OF, tuple(members), _MEMBER[kind])
    return _NO, _NO


def _both(
    variable: int | None, test: int, operand: object, holds: bool
) -> tuple[Sequence[Condition], Sequence[Condition]]:
    if variable is None:
        return _NO, _NO
    return [(variable, test, operand, holds)], [(variable, test, operand, not holds)]
