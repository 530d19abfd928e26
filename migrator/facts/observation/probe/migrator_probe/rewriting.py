"""Writes into a module's tree what reports entered functions and taken branches.

A function begins with `if LIVE[n]: ENTER(n)`, an arm of a branch with `if LIVE[n]: MARK(n)`. The
three names are builtins, so that no namespace of the program gains a name; a `LIVE` item is turned
off as soon as there is nothing more to learn from it, and costs a list access from then on.

Arms are what branch coverage counts: both ways of `if`, each `case`, `except`, and of a loop its
body and its end; what conditional expressions, `and` and `or` may leave unevaluated; and the end of
a block, which an exception out of a call may keep from being reached.
"""

from __future__ import annotations

import ast
from typing import Any

LIVE = "__migrator_live__"
ENTER = "__migrator_enter__"
MARK = "__migrator_mark__"

_COMPILED_ELSEWHERE = frozenset({"jit", "njit", "vectorize", "guvectorize", "kernel"})
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While)
_CONTAINERS = ("body", "orelse", "finalbody")


def rewrite(tree: ast.Module, numbers: Any) -> None:
    """Rewrite `tree` in place.

    `numbers.function(qualname, line, end_line)` gives a function its number, and
    `numbers.arm(function)` one of its arms.
    """
    end = max((getattr(each, "end_lineno", 0) or 0 for each in tree.body), default=0)
    module = numbers.function("", 0, end)
    _block(tree.body, "", module, numbers)
    _insert(tree.body, ENTER, module, 1)


def _block(body: list[ast.stmt], scope: str, function: int, numbers: Any) -> None:
    for statement in body:
        _statement(statement, scope, function, numbers)


def _statement(node: ast.stmt, scope: str, function: int, numbers: Any) -> None:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        _expressions(node, _Conditions(function, numbers))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        _definition(node, scope, numbers)
    elif isinstance(node, ast.ClassDef):
        _block(node.body, _inside(scope, node.name), function, numbers)
    elif isinstance(node, ast.If):
        _block(node.body, scope, function, numbers)
        _block(node.orelse, scope, function, numbers)
        _arm(node.body, function, numbers, node)
        _arm(node.orelse, function, numbers, node)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        _block(node.body, scope, function, numbers)
        _block(node.orelse, scope, function, numbers)
        _arm(node.body, function, numbers, node)
        if not (isinstance(node, ast.While) and _always(node.test)):
            _arm(node.orelse, function, numbers, node)
    else:
        for name in _CONTAINERS:
            block = getattr(node, name, None) or []
            _block(block, scope, function, numbers)
            _ending(block, function, numbers)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            _block(part.body, scope, function, numbers)
            _arm(part.body, function, numbers, node)


def _expressions(node: ast.stmt, conditions: _Conditions) -> None:
    """Rewrite the expressions of this statement, but not of those that it contains."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            if name != "annotation":
                setattr(node, name, conditions.visit(value))
        elif isinstance(value, list) and value and isinstance(value[0], (ast.expr, ast.withitem)):
            value[:] = [conditions.visit(each) for each in value]


class _Conditions(ast.NodeTransformer):
    """Reports what of `a if b else c`, `a and b`, `a or b` is evaluated, where it does anything."""

    def __init__(self, function: int, numbers: Any) -> None:
        self._function = function
        self._numbers = numbers

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        node.body = self._reported(node.body)
        node.orelse = self._reported(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        node.values[1:] = [self._reported(each) for each in node.values[1:]]
        return node

    def _reported(self, part: ast.expr) -> ast.expr:
        """`(LIVE[n] and MARK(n)) or part`: reporting gives nothing, so that `part` is the value."""
        if not any(isinstance(each, (ast.Call, ast.Attribute)) for each in ast.walk(part)):
            return part
        where: Any = _where(part)
        number = self._numbers.arm(self._function)
        report = ast.BoolOp(
            op=ast.And(), values=[_live(number, where), _call(MARK, number, where)], **where
        )
        return ast.BoolOp(op=ast.Or(), values=[report, part], **where)


def _definition(node: Any, scope: str, numbers: Any) -> None:
    if any(_last_name(each) in _COMPILED_ELSEWHERE for each in node.decorator_list):
        return
    inside = _inside(scope, node.name)
    number = numbers.function(inside, node.lineno, node.end_lineno)
    _block(node.body, inside, number, numbers)
    _ending(node.body, number, numbers)
    _insert(node.body, ENTER, number, node.lineno)


def _arm(body: list[ast.stmt], function: int, numbers: Any, place: ast.stmt) -> None:
    first = body[0] if body else place
    _ending(body, function, numbers)
    body.insert(0, _report(MARK, numbers.arm(function), first))


def _ending(body: list[ast.stmt], function: int, numbers: Any) -> None:
    """Report that the last statement of a block is reached, where a call before it may raise.

    One that has arms of its own reports by them.
    """
    if len(body) < 2 or isinstance(body[-1], _BRANCHES):
        return
    if any(isinstance(each, ast.Call) for before in body[:-1] for each in ast.walk(before)):
        body.insert(len(body) - 1, _report(MARK, numbers.arm(function), body[-1]))


def _insert(body: list[ast.stmt], name: str, number: int, line: int) -> None:
    """At the start, but after a docstring and `from __future__` imports."""
    at = 0
    if body and isinstance(body[0], ast.Expr) and _is_text(body[0].value):
        at = 1
    while at < len(body) and _is_future(body[at]):
        at += 1
    place = body[at] if at < len(body) else (body[-1] if body else None)
    if place is not None:
        body.insert(at, _report(name, number, place))


def _report(name: str, number: int, place: ast.stmt) -> ast.stmt:
    where = _where(place)
    body: Any = [ast.Expr(value=_call(name, number, where), **where)]
    return ast.If(test=_live(number, where), body=body, orelse=[], **where)


def _where(place: Any) -> Any:
    """The place of what is written in: the beginning of what it stands before."""
    return {
        "lineno": place.lineno,
        "col_offset": place.col_offset,
        "end_lineno": place.lineno,
        "end_col_offset": place.col_offset,
    }


def _live(number: int, where: Any) -> ast.expr:
    index: Any = ast.Constant(value=number, **where)
    item: Any = index if _PLAIN_INDEX else ast.Index(value=index)
    name = ast.Name(id=LIVE, ctx=ast.Load(), **where)
    return ast.Subscript(value=name, slice=item, ctx=ast.Load(), **where)


def _call(name: str, number: int, where: Any) -> ast.expr:
    return ast.Call(
        func=ast.Name(id=name, ctx=ast.Load(), **where),
        args=[ast.Constant(value=number, **where)],
        keywords=[],
        **where,
    )


_PLAIN_INDEX = isinstance(ast.parse("a[0]", mode="eval").body.slice, ast.Constant)  # type: ignore[attr-defined]
"""From Python 3.9 on an index stands in the tree as it is."""


def _inside(scope: str, name: str) -> str:
    return scope + "." + name if scope else name


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
