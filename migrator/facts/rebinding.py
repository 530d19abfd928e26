"""Names that the module's own code binds more than once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def bound_again(body: Sequence[ast.stmt]) -> frozenset[str]:
    """The names that the statements of a module bind more than once.

    `import a.b` and `import a.c` bind `a` to the same; `:=` and patterns are not looked into.
    """
    once: set[str] = set()
    again: set[str] = set()
    for name in _bound(body, {}):
        (again if name in once else once).add(name)
    return frozenset(again)


def _bound(body: Sequence[ast.stmt], packages: dict[str, None]) -> Iterator[str]:
    for node in body:
        kind = type(node)
        if kind is ast.Expr:
            continue
        if kind is ast.Assign:
            for target in node.targets:  # type: ignore[attr-defined]
                yield from _names(target)
        elif isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names if each.name != "*")
        elif isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                if each.asname or top not in packages:
                    yield each.asname or top
                packages[top] = None
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            yield from _names(node.target)
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield from _names(node.target)
            yield from _bound([*node.body, *node.orelse], packages)
        elif isinstance(node, ast.If | ast.While):
            yield from _bound([*node.body, *node.orelse], packages)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    yield from _names(item.optional_vars)
            yield from _bound(node.body, packages)
        elif isinstance(node, ast.Try | ast.TryStar):
            yield from _bound([*node.body, *node.orelse, *node.finalbody], packages)
            for handler in node.handlers:
                if handler.name:
                    yield handler.name
                yield from _bound(handler.body, packages)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                yield from _bound(case.body, packages)


def _names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _names(each)
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)
