"""The walk of statements with branches: what names hold where several ways meet."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from migrator.facts import ir, unrolling
from migrator.facts.assignments import AssignmentWalker
from migrator.facts.guards import Condition
from migrator.facts.scopes import Env, Loop
from migrator.facts.walker import last_name, place


class BranchWalker(AssignmentWalker):
    """Conditions, loops, `try` and `with`; the handler of a statement gives True where the code
    behind it is never reached."""

    statements: dict[type, Callable[[Any], bool | None]]
    """What walks a statement, by its exact type."""

    def __init__(self) -> None:
        super().__init__()
        self.displays: dict[str, ast.expr] = {}
        """Names of a loop that is walked turn by turn to what is written for them."""
        self.left: Sequence[Condition] = ()
        """What holds behind the `if` that was just walked, since it is left otherwise."""

    def block(self, body: list[ast.stmt]) -> bool:
        """Walk statements; True when the end is never reached."""
        statements = self.statements
        frame = self.frame
        since: list[tuple[Sequence[Condition], int]] = []
        for node in body:
            if type(node) is ast.For:
                rows = self._rows_of(node, body)
                if rows is not None:
                    self._turns(node, rows)
                    continue
            handler = statements.get(type(node))
            ended = handler is not None and handler(node)
            if ended:
                break
            if self.left:
                since.append((self.left, len(frame.code)))
                self.left = ()
        else:
            ended = False
        for conditions, start in since:
            frame.guard(conditions, start)
        return bool(ended)

    def branch(self, body: list[ast.stmt], env: Env) -> Env | None:
        """Walk a branch that starts with these names; None when its end is never reached."""
        self.frame.env = dict(env)
        ended = self.block(body)
        return None if ended else self.frame.env

    def if_(self, node: ast.If) -> bool:
        self.walk(node.test)
        outcome = unrolling.decided(node.test, self.fixed) if self.turns else None
        if outcome is not None:
            return self.block(node.body if outcome else node.orelse)
        flags, checking = self.flags, self.type_checking
        self.flags |= ir.CONDITIONAL
        self.type_checking = checking or last_name(node.test).endswith("TYPE_CHECKING")
        frame = self.frame
        before = frame.env
        yes, no = self.conditions(node.test)
        inside = self.narrowed(node.test, before)
        start = len(frame.code)
        first = self.branch(node.body, inside)
        frame.guard(yes, start)
        if first is not None and inside is not before:
            for name, variable in inside.items():
                if first[name] == variable:
                    first[name] = before[name]
        self.type_checking = checking
        start = len(frame.code)
        second = self.branch(node.orelse, before) if node.orelse else before
        frame.guard(no, start)
        if first is None and second is before and _is_negated(node.test):
            second = self.narrowed(node.test.operand, before)
        self.flags = flags
        start = len(frame.code)
        frame.merge([each for each in (first, second) if each is not None])
        if first is None and second is None:
            return True
        if first is None or second is None:
            self.left = no if first is None else yes
        else:
            frame.guard_turns((yes, no), start)
        return False

    def narrowed(self, test: ast.expr, env: Env) -> Env:
        """The names where a test holds: what it says of their classes is known there."""
        parts = test.values if _is_conjunction(test) else [test]
        narrowed = env
        for part in parts:
            name, of = _told_class(part)
            if (
                of is not None
                and (known := narrowed.get(name)) is not None
                and (classes := self.walk(of)) is not None
            ):
                target = self.frame.new()
                self.frame.code.append((ir.NARROW, target, known, classes))
                narrowed = {**narrowed, name: target}
        return narrowed

    def for_(self, node: ast.For | ast.AsyncFor) -> None:
        flags = self.flags
        self.flags |= ir.USED
        iterated = self.walk(node.iter)
        self.flags |= ir.IN_LOOP
        element = self.iterate(iterated, node.iter)
        self.flags = flags | ir.IN_LOOP
        self._loop(node, flags, lambda: self.bind(node.target, element, node))

    def _rows_of(self, node: ast.For, body: list[ast.stmt]) -> list[unrolling.Row] | None:
        if self.overlay is not None:
            return None
        rows = unrolling.rows_of(node, body, self.displays)
        if rows is not None and all(unrolling.is_matched(node.target, each) for each in rows):
            return rows
        return None

    def _turns(self, node: ast.For, rows: list[unrolling.Row]) -> None:
        """A loop over rows that are written out: each turn has names of its own."""
        frame, flags = self.frame, self.flags
        start, displays, fixed = frame.env, self.displays, self.fixed
        changed = unrolling.rebound(node.body)
        self.flags |= ir.USED
        self.iterate(self.walk(node.iter), node.iter)
        self.flags = flags | ir.IN_LOOP | ir.CONDITIONAL
        self.turns += 1
        for row in rows:
            self.displays, self.fixed = dict(displays), dict(fixed)
            loop = Loop()
            frame.loops.append(loop)
            frame.env = dict(frame.env)
            for target, element in unrolling.parts(node.target, row):
                self.bind(target, self.made.get(id(element)), node)
                if isinstance(target, ast.Name) and target.id not in changed:
                    self.displays[target.id] = element
                    if isinstance(element, ast.Constant):
                        self.fixed[target.id] = element.value
            ended = self.block(node.body)
            ends = loop.leaving if ended else [*loop.leaving, frame.env]
            frame.loops.pop()
            frame.merge(ends)
        self.turns -= 1
        self.displays, self.fixed = displays, fixed
        if not frame.index and not self.turns:
            again = {name: each for name, each in frame.env.items() if name in self.again}
            frame.env = {**start, **again}
        self.flags = flags

    def while_(self, node: ast.While) -> None:
        flags = self.flags
        self.flags |= ir.IN_LOOP
        self.walk(node.test)
        self._loop(node, flags, lambda: None)

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, flags: int, enter: Callable[[], None]
    ) -> None:
        frame = self.frame
        start = frame.env
        loop = Loop()
        frame.loops.append(loop)
        frame.env = dict(start)
        enter()
        self.flags |= ir.IN_LOOP | ir.CONDITIONAL
        ended = self.block(node.body)
        ends = loop.leaving if ended else [*loop.leaving, frame.env]
        frame.loops.pop()
        frame.close_loop(dict(start), ends)
        self.flags = flags
        if node.orelse:
            ended = self.block(node.orelse)
            if loop.broken:
                frame.merge(loop.broken if ended else [frame.env, *loop.broken])

    def leave_loop(self, node: ast.Break | ast.Continue) -> bool:
        if self.frame.loops:
            loop, env = self.frame.loops[-1], dict(self.frame.env)
            loop.leaving.append(env)
            if type(node) is ast.Break:
                loop.broken.append(env)
        return True

    def try_(self, node: ast.Try) -> bool:
        frame, flags = self.frame, self.flags
        before = dict(frame.env)
        assigned: dict[str, list[int]] = {}
        frame.trials.append(assigned)
        if node.handlers:
            self.flags |= ir.HANDLED
        ended = self.block(node.body)
        frame.trials.pop()
        self.flags = flags
        if not ended and node.orelse:
            ended = self.block(node.orelse)
        ends = [] if ended else [frame.env]
        start = self._after_failure(before, assigned)
        self.flags |= ir.CONDITIONAL
        for handler in node.handlers:
            frame.env = dict(start)
            self._catch(handler)
            if not self.block(handler.body):
                ends.append(frame.env)
        self.flags = flags
        reached = bool(ends)
        frame.merge(ends if reached else [start])
        if node.finalbody:
            return self.block(node.finalbody) or not reached
        return not reached

    def _after_failure(self, before: Env, assigned: dict[str, list[int]]) -> Env:
        """What names may hold in a handler: anything that the body gave them so far."""
        start = dict(before)
        for name, variables in assigned.items():
            either = self.either([before.get(name), *variables])
            if either is not None:
                start[name] = either
        return start

    def _catch(self, handler: ast.ExceptHandler) -> None:
        kind = self.walk(handler.type) if handler.type is not None else None
        if handler.name:
            variable = self.write(handler.name)
            if kind is not None:
                self.frame.code.append((ir.CATCH, variable, kind))

    def with_(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            context = self.walk(item.context_expr)
            if context is None:
                continue
            target = self.frame.new()
            self.frame.code.append(
                (ir.ENTER, target, context, self.flags, *place(item.context_expr))
            )
            if item.optional_vars is not None:
                self.bind(item.optional_vars, target, node)
        return self.block(node.body)


def _is_conjunction(test: ast.expr) -> TypeGuard[ast.BoolOp]:
    return isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)


def _is_negated(test: ast.expr) -> TypeGuard[ast.UnaryOp]:
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _told_class(test: ast.expr) -> tuple[str, ast.expr | None]:
    """The name of which a test tells the class, `isinstance(x, C)` or `type(x) is C`, and that."""
    of: ast.expr | None = None
    call, wanted = test, "isinstance"
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.Eq):
        call, wanted, of = test.left, "type", test.comparators[0]
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args):
        return "", None
    first = call.args[0]
    if call.func.id != wanted or not isinstance(first, ast.Name):
        return "", None
    if of is None and len(call.args) == 2:
        of = call.args[1]
    return first.id, of
