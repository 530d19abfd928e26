"""The walk of expressions: each gives the variable that holds its value, or None."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from migrator.facts import ir, unrolling
from migrator.facts.guards import Condition, conditions
from migrator.facts.walker import UNKNOWN, Result, Walker, last_name, place

BINARY = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.MatMult: "__matmul__",
    ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__",
    ast.Mod: "__mod__",
    ast.Pow: "__pow__",
    ast.LShift: "__lshift__",
    ast.RShift: "__rshift__",
    ast.BitAnd: "__and__",
    ast.BitOr: "__or__",
    ast.BitXor: "__xor__",
}
_COMPARED = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
    ast.In: "__contains__",
    ast.NotIn: "__contains__",
}
_REPRESENTED = ord("r")
_EVALUATE = ("eval", "exec")
_UNARY = {
    ast.USub: "__neg__",
    ast.UAdd: "__pos__",
    ast.Invert: "__invert__",
    ast.Not: "__bool__",
}


class ExpressionWalker(Walker):
    """Expressions without displays and without functions, which have rooms of their own."""

    def name(self, node: ast.Name) -> Result:
        name = node.id
        if self.overlay is None:
            frame = self.frame
            known = frame.env.get(name)
            if known is not None:
                return known
            return frame.reference(name) if frame.index else ~self.names.index(name)
        return self.read(name)

    def constant(self, node: ast.Constant) -> Result:
        value = node.value
        kind = type(value)
        frame = self.frame
        known = frame.constants.get((kind, value))
        if known is not None:
            return known
        if kind is str or kind is int or kind is bool:
            target = frame.new()
            large = isinstance(value, int) and not -(2**31) < value < 2**31
            frame.code.append((ir.CONSTANT, target, 2**31 if large else value))
        elif kind is float or kind is bytes or kind is complex:
            target = frame.new()
            frame.code.append((ir.TYPE, target, f"builtins.{kind.__name__}"))
        else:
            return None
        frame.constants[(kind, value)] = target
        return target

    def attribute(self, node: ast.Attribute) -> Result:
        value = node.value
        base = self.walks[type(value)](value)
        if base is None:
            return None
        frame = self.frame
        target = frame.count
        frame.count = target + 1
        line, end_line = node.lineno, node.end_lineno
        frame.code.append(
            (
                ir.ATTRIBUTE,
                target,
                base,
                node.attr,
                self.flags,
                line,
                node.col_offset,
                line if end_line == line else end_line,
                node.end_col_offset,
            )
        )
        return target

    def call(self, node: ast.Call, flags: int = ir.USED) -> Result:
        walks = self.walks
        called = node.func
        callee = walks[type(called)](called)
        arguments: list[Any] = []
        literals: list[tuple[int | str, object]] = []
        for position, argument in enumerate(node.args):
            kind = type(argument)
            if kind is ast.Starred:
                arguments.append((self.walk(argument.value),))  # type: ignore[attr-defined]
            else:
                arguments.append(walks[kind](argument))
                if kind is ast.Constant:
                    literals.append((position, ir.literal(argument.value)))  # type: ignore[attr-defined]
        keywords: list[tuple[str | None, Result]] = []
        for keyword in node.keywords:
            value = keyword.value
            keywords.append((keyword.arg, walks[type(value)](value)))
            if type(value) is ast.Constant and keyword.arg is not None:
                literals.append((keyword.arg, ir.literal(value.value)))
        if keywords or literals:
            self._note_stored(node)
        evaluates = literals and type(called) is ast.Name and called.id in _EVALUATE
        evaluated = self._evaluated(node) if evaluates else None
        frame = self.frame
        target = frame.count
        frame.count = target + 1
        line, end_line = node.lineno, node.end_lineno
        frame.code.append(
            (
                ir.CALL,
                target,
                callee,
                tuple(arguments),
                tuple(keywords),
                tuple(literals),
                self.flags | flags,
                line,
                node.col_offset,
                line if end_line == line else end_line,
                node.end_col_offset,
            )
        )
        return target if evaluated is None else self.either([target, evaluated])

    def _evaluated(self, node: ast.Call) -> Result:
        """What `eval` and `exec` run, where it is an expression that is written out."""
        text = node.args[0].value if node.args and type(node.args[0]) is ast.Constant else None
        try:
            tree = ast.parse(text, mode="eval") if isinstance(text, str) else None
        except (SyntaxError, ValueError):
            return None
        if tree is None:
            return None
        for each in ast.walk(tree):
            if isinstance(each, ast.expr | ast.arg | ast.keyword):
                ast.copy_location(each, node)
        return self.walk(tree.body)

    def _note_stored(self, node: ast.Call) -> None:
        """Attributes that a call may set: keywords of a constructor, `setattr` with a constant."""
        name = last_name(node.func)
        if name[:1].isupper() or name == "cls":
            self.stored.update(each.arg for each in node.keywords if each.arg is not None)
        elif name == "setattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            self.stored.add(str(node.args[1].value))
            self.stored_on_classes.add(str(node.args[1].value))

    def binary(self, node: ast.BinOp) -> Result:
        left = self.walk(node.left)
        right = self.walk(node.right)
        return self.operate(BINARY[type(node.op)], left, right, node, 0)

    def operate(
        self, method: str, left: Result, right: Result, node: ast.expr | ast.stmt, flags: int
    ) -> Result:
        """An operator between two values, as the method that stands for it."""
        if left is None and right is None:
            return None
        target = self.frame.new()
        self.frame.code.append(
            (ir.OPERATE, target, method, left, right, self.flags | flags, *place(node))
        )
        return target

    def boolean(self, node: ast.BoolOp) -> Result:
        results = [self.walk(node.values[0])]
        saved = self.flags
        self.flags |= ir.CONDITIONAL
        for before, each in pairwise(node.values):
            start = len(self.frame.code)
            results.append(self.walk(each))
            yes, no = self.conditions(before)
            self.frame.guard(yes if type(node.op) is ast.And else no, start)
        self.flags = saved
        return self.either(results)

    def conditions(self, test: ast.expr) -> tuple[Sequence[Condition], Sequence[Condition]]:
        """What parameters have to be where a test holds that was walked, and where it does not."""
        if self.overlay is not None or not self.frame.index:
            return (), ()
        return conditions(test, self.frame.parameter)

    def unary(self, node: ast.UnaryOp) -> Result:
        value = node.operand
        if type(value) is ast.Constant:
            if type(node.op) is ast.USub and type(value.value) is int:
                return self.constant(ast.Constant(-value.value))
            return None if type(node.op) is ast.Not else self.walk(value)
        result = self.walk(value)
        return self.compared([result], (_UNARY[type(node.op)],), node)

    def compare(self, node: ast.Compare) -> Result:
        results = [self.walk(node.left)]
        results.extend(self.walk(each) for each in node.comparators)
        methods = tuple(_COMPARED.get(type(each), "") for each in node.ops)
        return self.compared(results, methods, node) if methods[0] else None

    def compared(self, results: list[Result], methods: tuple[str, ...], node: ast.expr) -> Result:
        """A truth value; frameworks may make expressions of their own out of it."""
        if not any(each is not None for each in results):
            return None
        target = self.frame.new()
        self.frame.code.append(
            (ir.COMPARE, target, tuple(results), methods, self.flags, *place(node))
        )
        return target

    def joined(self, node: ast.JoinedStr) -> Result:
        parts: list[Any] = []
        for each in node.values:
            if type(each) is ast.Constant:
                parts.append(each.value)
            elif type(each) is ast.FormattedValue:
                value: Any = self.walk(each.value)
                if each.conversion == _REPRESENTED and value is not None:
                    value = (value,)
                parts.append(None if each.format_spec is not None else value)
                if each.format_spec is not None:
                    self.walk(each.format_spec)
        target = self.frame.new()
        self.frame.code.append((ir.FORMAT_TEXT, target, tuple(parts)))
        return target

    def formatted(self, node: ast.FormattedValue) -> Result:
        return self.walk(node.value)

    def subscript(self, node: ast.Subscript) -> Result:
        base = self.walk(node.value)
        index = node.slice
        if type(index) is ast.Slice:
            bounds = [self.bound(each) for each in (index.lower, index.upper, index.step)]
            if base is None:
                return None
            target = self.frame.new()
            self.frame.code.append((ir.SLICE, target, base, *bounds))
            return target
        key, variable = self.key(index)
        if base is None:
            return None
        target = self.frame.new()
        self.frame.code.append((ir.ITEM, target, base, key, variable, self.flags, *place(node)))
        return target

    def bound(self, node: ast.expr | None) -> object:
        """One bound of a slice: a constant, None, or unknown."""
        if node is None:
            return None
        key, _ = self.key(node)
        return key if isinstance(key, int) else UNKNOWN

    def key(self, node: ast.expr) -> tuple[object, Result]:
        """A key as constant, and as variable; the constant is `...` where there is none."""
        if type(node) is ast.Constant and type(node.value) in (str, int, bool):
            return node.value, self.constant(node)
        if (
            type(node) is ast.UnaryOp
            and type(node.op) is ast.USub
            and type(node.operand) is ast.Constant
            and type(node.operand.value) is int
        ):
            return -node.operand.value, None
        return UNKNOWN, self.walk(node)

    def conditional(self, node: ast.IfExp) -> Result:
        self.walk(node.test)
        outcome = unrolling.decided(node.test, self.fixed) if self.turns else None
        if outcome is not None:
            return self.walk(node.body if outcome else node.orelse)
        saved = self.flags
        self.flags |= ir.CONDITIONAL
        guards = self.conditions(node.test)
        if any(guards):
            result: Result = self._guarded((node.body, node.orelse), guards)
        else:
            result = self.either([self.walk(node.body), self.walk(node.orelse)])
        self.flags = saved
        return result

    def _guarded(self, nodes: Sequence[ast.expr], guards: Sequence[Sequence[Condition]]) -> Result:
        """`either` of expressions of which each comes only where its conditions hold."""
        frame = self.frame
        target, known = frame.new(), False
        for node, needed in zip(nodes, guards, strict=True):
            start = len(frame.code)
            value = self.walk(node)
            if value is not None:
                frame.code.append((ir.COPY, target, value))
                known = True
            frame.guard(needed, start)
        return target if known else None

    def named(self, node: ast.NamedExpr) -> Result:
        return self.bind_name(node.target.id, self.walk(node.value))

    def await_(self, node: ast.Await) -> Result:
        if type(node.value) is ast.Call:
            return self.call(node.value, ir.USED | ir.AWAITED)
        return self.walk(node.value)

    def yielded(self, node: ast.Yield) -> None:
        """A `yield` that does not look at what is sent."""
        self.frame.flags |= ir.GENERATOR
        if node.value is not None:
            value = self.walk(node.value)
            if value is not None:
                self.frame.code.append((ir.COPY, ir.YIELDED, value))

    def yield_(self, node: ast.Yield) -> Result:
        self.yielded(node)
        target = self.frame.new()
        self.frame.code.append((ir.RECEIVE, target))
        return target

    def yield_from(self, node: ast.YieldFrom) -> Result:
        self.frame.flags |= ir.GENERATOR
        base = self.walk(node.value)
        element = self.iterate(base, node.value)
        if base is None or element is None:
            return None
        self.frame.code.append((ir.COPY, ir.YIELDED, element))
        target = self.frame.new()
        self.frame.code.append((ir.DELEGATE, target, base))
        return target

    def starred(self, node: ast.Starred) -> Result:
        return self.iterate(self.walk(node.value), node.value)

    def slice_(self, node: ast.Slice) -> Result:
        for each in (node.lower, node.upper, node.step):
            if each is not None:
                self.walk(each)
        return None
