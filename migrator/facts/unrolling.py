"""Loops over rows that are written out: `for prefix, view in (("/a", a), ("/b", b)): ...`.

Such a loop is walked once a row, so that what belongs together stays together: a rule with its
endpoint and its view, a blueprint with its prefix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from migrator.facts.syntax import nodes_of

Row = ast.expr | tuple[ast.expr, ast.expr]
"""An element of a sequence, or key and value of a dictionary."""

MOST_ROWS = 40
MOST_NODES = 4_000
"""Nodes of the body times rows: what unrolling may cost."""

_DEFINITIONS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.Yield,
    ast.YieldFrom,
)
_UNKNOWN = object()


def rows_of(
    loop: ast.For, block: Sequence[ast.stmt], known: Mapping[str, ast.expr]
) -> list[Row] | None:
    """The rows that a loop runs over, or None where they are not written out.

    `block` are the statements among which it stands, `known` the displays that names stand for
    inside of a loop around it.
    """
    rows = _rows(loop, block, known)
    if not rows or len(rows) > MOST_ROWS or loop.orelse:
        return None
    nodes = [each for statement in loop.body for each in nodes_of(statement)]
    if len(rows) * len(nodes) > MOST_NODES or any(isinstance(each, _DEFINITIONS) for each in nodes):
        return None
    return rows if any(isinstance(each, ast.Call) for each in nodes) else None


def _rows(
    loop: ast.For, block: Sequence[ast.stmt], known: Mapping[str, ast.expr]
) -> list[Row] | None:
    iterated = loop.iter
    if (
        isinstance(iterated, ast.Call)
        and isinstance(iterated.func, ast.Attribute)
        and iterated.func.attr == "items"
        and not iterated.args
    ):
        display = _display(iterated.func.value, loop, block, known)
        if not isinstance(display, ast.Dict) or None in display.keys:
            return None
        keys = [each for each in display.keys if each is not None]
        return list(zip(keys, display.values, strict=True))
    display = _display(iterated, loop, block, known)
    if not isinstance(display, ast.Tuple | ast.List | ast.Set):
        return None
    if any(isinstance(each, ast.Starred) for each in display.elts):
        return None
    return list(display.elts)


def _display(
    node: ast.expr, loop: ast.For, block: Sequence[ast.stmt], known: Mapping[str, ast.expr]
) -> ast.expr | None:
    """The display that is iterated: written there, or the last thing that its name was given.

    Nothing between may mention the name: it might change what the name holds.
    """
    if not isinstance(node, ast.Name):
        return node
    if node.id in known:
        return known[node.id]
    end = block.index(loop)
    given = [
        place
        for place, each in enumerate(block[:end])
        if type(each) is ast.Assign
        and len(each.targets) == 1
        and type(each.targets[0]) is ast.Name
        and each.targets[0].id == node.id
    ]
    if not given:
        return None
    for statement in block[given[-1] + 1 : end]:
        if any(isinstance(each, ast.Name) and each.id == node.id for each in nodes_of(statement)):
            return None
    return block[given[-1]].value  # type: ignore[attr-defined, no-any-return]


def parts(target: ast.expr, row: Row) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of a loop with the expressions that one turn gives them, as far as they match."""
    elements: tuple[ast.expr, ...] = row if isinstance(row, tuple) else (row,)
    if isinstance(target, ast.Tuple | ast.List):
        if isinstance(row, ast.Tuple | ast.List):
            elements = tuple(row.elts)
        starred = any(isinstance(each, ast.Starred) for each in (*target.elts, *elements))
        if not starred and len(target.elts) == len(elements):
            for inner, element in zip(target.elts, elements, strict=True):
                yield from parts(inner, element)
            return
    if not isinstance(row, tuple):
        yield target, row


def is_matched(target: ast.expr, row: Row) -> bool:
    """Whether every name of a target gets an expression of the row."""
    names = {each.id for each in nodes_of(target) if isinstance(each, ast.Name)}
    return names == {
        each.id
        for part, _ in parts(target, row)
        for each in nodes_of(part)
        if isinstance(each, ast.Name)
    }


def rebound(body: Sequence[ast.stmt]) -> set[str]:
    """The names that statements bind."""
    return {
        each.id
        for statement in body
        for each in nodes_of(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def decided(test: ast.expr, fixed: Mapping[str, object]) -> bool | None:
    """What a condition is in one turn, where the constants of the row decide it."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = decided(test.operand, fixed)
        return None if inner is None else not inner
    if isinstance(test, ast.Name):
        value = fixed.get(test.id, _UNKNOWN)
        return None if value is _UNKNOWN else bool(value)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name):
        value = fixed.get(test.left.id, _UNKNOWN)
        try:
            other = ast.literal_eval(test.comparators[0])
            if value is _UNKNOWN:
                return None
            if isinstance(test.ops[0], ast.Eq | ast.Is):
                return bool(value == other)
            if isinstance(test.ops[0], ast.NotEq | ast.IsNot):
                return bool(value != other)
            if isinstance(test.ops[0], ast.In | ast.NotIn):
                return (value in other) is isinstance(test.ops[0], ast.In)
        except (ValueError, TypeError, SyntaxError):
            return None
    return None
