"""A function's body as the tree of steps that transactions are worked out on.

The events of a function know where they stand; its source knows which of them exclude each other.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from migrator.facts.syntax import nodes_of, parse
from migrator.graph.effects.transactions import (
    Block,
    Branch,
    Calls,
    Commit,
    Commits,
    Exit,
    Loop,
    Node,
    RollsBack,
    Try,
    Write,
)
from migrator.model.program import Event, Function

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_LEAVES = frozenset({"abort", "exit", "_exit", "fail"})


class Sources:
    """The syntax of the project's functions, parsed when first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._trees: dict[str, dict[int, _Definition] | None] = {}
        self._modules: dict[str, ast.Module] = {}

    def body(self, function: Function) -> Sequence[ast.stmt] | None:
        """The statements of a function; None if its file does not parse, or it has moved."""
        definitions = self._definitions(function.file)
        if definitions is None:
            return None
        definition = definitions.get(function.line)
        if definition is None:
            module = self._modules[function.file]
            return module.body if function.line <= 1 else None
        if isinstance(definition, ast.Lambda):
            return [ast.copy_location(ast.Expr(definition.body), definition)]
        return definition.body

    def _definitions(self, file: str) -> dict[int, _Definition] | None:
        if file not in self._trees:
            try:
                module = parse((self._root / file).read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError):
                self._trees[file] = None
            else:
                self._modules[file] = module
                found: dict[int, _Definition] = {}
                for node in nodes_of(module):
                    if isinstance(node, _Definition):
                        found.setdefault(node.lineno, node)
                        for decorator in getattr(node, "decorator_list", ()):
                            found.setdefault(decorator.lineno, node)
                self._trees[file] = found
        return self._trees[file]


class TreeBuilder:
    """Makes the tree of one function from its events and statements."""

    def __init__(
        self,
        function: Function,
        callees: Callable[[Event], tuple[Hashable, ...]],
        bit: Callable[[str], int],
    ) -> None:
        self.function = function
        self._callees = callees
        self._bit = bit
        self._events = sorted(
            function.events, key=lambda event: (event.end_line or event.line, event.end_column)
        )
        self._used = 0

    def build(self, body: Sequence[ast.stmt] | None) -> Block:
        """The tree; without a body the events follow each other as they stand.

        What stands before the body is done in the function's name before it begins.
        """
        if not body:
            return tuple(self._nodes(self._events))
        start = (body[0].lineno, body[0].col_offset)
        before = [each for each in self._events if (each.line, each.column) < start]
        return (*self._nodes(before), *self._block(body))

    def _nodes(self, events: Iterable[Event]) -> Iterator[Node]:
        for event in events:
            if event.kind == "write":
                yield Write(self._bit(event.target))
            elif event.kind == "commit":
                yield Commits(Commit(self.function.name, self.function.file, event.line))
            elif event.kind == "rollback":
                yield RollsBack()
            elif event.kind == "call":
                called = self._callees(event)
                if called:
                    yield Calls(called)

    def _within(self, *parts: ast.AST | None) -> Iterator[Event]:
        """The events inside of these expressions or statements."""
        for part in parts:
            if not isinstance(part, ast.expr | ast.stmt):
                continue
            start = (part.lineno, part.col_offset)
            end = (part.end_lineno or part.lineno, part.end_col_offset or 0)
            for event in self._events:
                if start <= (event.line, event.column) < end:
                    yield event

    def _steps(self, *parts: ast.AST | None) -> Iterator[Node]:
        """The steps of expressions; what a condition inside of them guards is optional."""
        for part in parts:
            if part is None:
                continue
            optional = set()
            for guarded in _guarded(part):
                optional |= {id(event) for event in self._within(guarded)}
            for event in self._within(part):
                nodes = tuple(self._nodes([event]))
                if nodes and id(event) in optional:
                    yield Branch((nodes, ()))
                else:
                    yield from nodes

    def _block(self, statements: Sequence[ast.stmt]) -> Block:
        nodes: list[Node] = []
        for statement in statements:
            nodes += self._statement(statement)
        return tuple(nodes)

    def _statement(self, node: ast.stmt) -> Iterator[Node]:
        if isinstance(node, ast.If):
            yield from self._steps(node.test)
            yield Branch((self._block(node.body), self._block(node.orelse)))
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield from self._steps(node.iter)
            yield Loop((*self._steps(node.target), *self._block(node.body)))
            yield from self._block(node.orelse)
        elif isinstance(node, ast.While):
            yield Loop((*self._steps(node.test), *self._block(node.body)))
            yield from self._block(node.orelse)
        elif isinstance(node, ast.Try | ast.TryStar):
            yield Try(
                self._block(node.body),
                tuple(self._block(handler.body) for handler in node.handlers),
                self._block(node.orelse),
                self._block(node.finalbody),
            )
        elif isinstance(node, ast.With | ast.AsyncWith):
            yield from self._with(node)
        elif isinstance(node, ast.Match):
            yield from self._steps(node.subject)
            yield Branch((*(self._block(case.body) for case in node.cases), ()))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from self._steps(*node.decorator_list)
            if isinstance(node, ast.ClassDef):
                yield from self._block(node.body)
        else:
            yield from self._simple(node)

    def _simple(self, node: ast.stmt) -> Iterator[Node]:
        yield from self._steps(node)
        if isinstance(node, ast.Return):
            yield Exit("return")
        elif isinstance(node, ast.Raise) or _leaves(node):
            yield Exit("raise")
        elif isinstance(node, ast.Break):
            yield Exit("break")
        elif isinstance(node, ast.Continue):
            yield Exit("continue")

    def _with(self, node: ast.With | ast.AsyncWith) -> Iterator[Node]:
        """`with session.begin():` commits at its end, and rolls back on an exception."""
        headers = [item.context_expr for item in node.items]
        yield from self._steps(*headers)
        body = self._block(node.body)
        begins = [event for event in self._within(*headers) if event.kind == "begin"]
        if not begins:
            yield from body
            return
        place = Commit(self.function.name, self.function.file, node.lineno)
        yield Try(body, ((RollsBack(), Exit("raise")),))
        yield Commits(place)


def _guarded(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of an expression that are evaluated only if another part says so."""
    for part in nodes_of(node):
        if isinstance(part, ast.BoolOp):
            yield from part.values[1:]
        elif isinstance(part, ast.IfExp):
            yield part.body
            yield part.orelse
        elif isinstance(part, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            yield part.elt


def _leaves(node: ast.stmt) -> bool:
    """Whether a statement calls something that never returns: `abort(404)`, `sys.exit()`."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    function = node.value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in _LEAVES


def block_ends(body: Sequence[ast.stmt], begins: Sequence[Event]) -> Iterator[tuple[int, int]]:
    """Where the `with` blocks end (line, column) whose headers hold these events."""
    for statement in body:
        for node in nodes_of(statement):
            if not isinstance(node, ast.With | ast.AsyncWith):
                continue
            for item in node.items:
                header = item.context_expr
                start = (header.lineno, header.col_offset)
                end = (header.end_lineno or header.lineno, header.end_col_offset or 0)
                if any(start <= (event.line, event.column) < end for event in begins):
                    yield node.end_lineno or node.lineno, node.end_col_offset or 0
