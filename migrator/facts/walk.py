"""The one walk over a file's syntax tree, which makes its symbolic facts."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeGuard

from migrator.facts import ir, unrolling
from migrator.facts.expressions import BINARY, ExpressionWalker, Result, dotted, place
from migrator.facts.scopes import Env, Loop


def facts_of(tree: ast.Module, lines: int) -> ir.FileFacts:
    """The facts of a parsed file. Raises RecursionError where it is nested too deeply."""
    walker = _Walker()
    walker.module_body(tree.body)
    return walker.result(lines)


class _Walker(ExpressionWalker):
    def __init__(self) -> None:
        super().__init__()
        self.imports: list[ir.ImportFacts] = []
        self.classes: list[ir.ClassFacts | None] = []
        self.exported: list[str] | None = None
        self.type_checking = False
        self.attributes: dict[str, tuple[int, ir.Annotation | None]] = {}
        """Line and annotation of the names that the class body at hand binds."""
        self.displays: dict[str, ast.expr] = {}
        """Names of a loop that is walked turn by turn to what is written for them."""
        self._statements: dict[type, Callable[[Any], bool | None]] = {
            ast.Expr: self.expression,
            ast.Assign: self.assign,
            ast.AnnAssign: self.annotated_assign,
            ast.AugAssign: self.augmented_assign,
            ast.Return: self.return_,
            ast.If: self.if_,
            ast.For: self.for_,
            ast.AsyncFor: self.for_,
            ast.While: self.while_,
            ast.Try: self.try_,
            ast.With: self.with_,
            ast.AsyncWith: self.with_,
            ast.Raise: self.raise_,
            ast.Assert: self.assert_,
            ast.Delete: self.delete,
            ast.Import: self.import_,
            ast.ImportFrom: self.import_from,
            ast.Global: self.global_,
            ast.Nonlocal: self.nonlocal_,
            ast.FunctionDef: self.function,
            ast.AsyncFunctionDef: self.function,
            ast.ClassDef: self.class_statement,
            ast.Break: self.leave_loop,
            ast.Continue: self.leave_loop,
            ast.Match: self.match,
        }
        if hasattr(ast, "TryStar"):
            self._statements[ast.TryStar] = self.try_
        if hasattr(ast, "TypeAlias"):
            self._statements[ast.TypeAlias] = self.type_alias

    # -- scopes ---------------------------------------------------------------------------------

    def module_body(self, body: list[ast.stmt]) -> None:
        """Walk the module's own code, then every function body, outer ones first."""
        self.block(body)
        index = 1
        while index < len(self.frames):
            frame = self.frames[index]
            index += 1
            self.frame, self.overlay, self.class_ = frame, None, -1
            self.prefix, self.flags = frame.prefix, 0
            if isinstance(frame.body, list):
                self.block(frame.body)
            else:
                self.give_back(self.walk(frame.body))
            frame.body = []
        for frame in self.frames[1:]:
            self.names.settle(frame)

    def result(self, lines: int) -> ir.FileFacts:
        """The facts, when all has been walked."""
        functions = [frame.facts() for frame in self.frames]
        names = tuple(self.names.indices)
        module = functions[0]._replace(
            refs=tuple((-1, i) for i in range(len(names))), line=1, end_line=max(lines, 1)
        )
        return ir.FileFacts(
            lines,
            names,
            frozenset(self.names.bound),
            tuple(self.exported) if self.exported is not None else None,
            tuple(self.imports),
            (module, *functions[1:]),
            tuple(each for each in self.classes if each is not None),
            frozenset(self.stored),
            frozenset(self.stored_on_classes),
        )

    def block(self, body: list[ast.stmt]) -> bool:
        """Walk statements; True when the end is never reached."""
        statements = self._statements
        for node in body:
            if type(node) is ast.For:
                rows = self._rows_of(node, body)
                if rows is not None:
                    self._turns(node, rows)
                    continue
            handler = statements.get(type(node))
            if handler is not None and handler(node):
                return True
        return False

    def branch(self, body: list[ast.stmt], env: Env) -> Env | None:
        """Walk a branch that starts with these names; None when its end is never reached."""
        self.frame.env = dict(env)
        ended = self.block(body)
        return None if ended else self.frame.env

    # -- simple statements ----------------------------------------------------------------------

    def expression(self, node: ast.Expr) -> None:
        value = node.value
        if isinstance(value, ast.Constant):
            return
        if isinstance(value, ast.Call):
            self.call(value, 0)
        elif isinstance(value, ast.Await) and isinstance(value.value, ast.Call):
            self.call(value.value, ir.AWAITED)
        elif isinstance(value, ast.Yield):
            self.yielded(value)
        else:
            self.effect_of(value)

    def assign(self, node: ast.Assign) -> None:
        targets = node.targets
        if (
            len(targets) == 1
            and type(targets[0]) in (ast.Tuple, ast.List)
            and type(node.value) in (ast.Tuple, ast.List)
        ):
            self._assign_parallel(targets[0], node.value, node)
            return
        value = self.walk(node.value)
        for target in targets:
            if self.overlay is not None and type(target) is ast.Name:
                self._note_attribute(target.id, node.lineno, None)
            self.bind(target, value, node)
        if isinstance(targets[0], ast.Name) and targets[0].id == "__all__":
            self._export(node.value)

    def _assign_parallel(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        """`a, b = b, a` binds one by one, when nothing is starred."""
        targets: list[ast.expr] = target.elts  # type: ignore[attr-defined]
        values: list[ast.expr] = value.elts  # type: ignore[attr-defined]
        starred = any(type(each) is ast.Starred for each in (*targets, *values))
        if starred or len(targets) != len(values):
            self.bind(target, self.walk(value), node)
            return
        results = [self.walk(each) for each in values]
        for each, result in zip(targets, results, strict=True):
            self.bind(each, result, node)

    def _export(self, value: ast.expr) -> None:
        if isinstance(value, ast.List | ast.Tuple):
            names = [e.value for e in value.elts if isinstance(e, ast.Constant)]
            self.exported = (self.exported or []) + [n for n in names if isinstance(n, str)]

    def bind(self, target: ast.expr, value: Result, node: ast.stmt, flags: int = 0) -> None:
        """Give a value to a target of an assignment."""
        kind = type(target)
        if kind is ast.Name:
            self.bind_name(target.id, value)  # type: ignore[attr-defined]
        elif isinstance(target, ast.Attribute):
            base = self.walk(target.value)
            self.stored.add(target.attr)
            holder = dotted(target.value).rpartition(".")[2]
            if holder[:1].isupper() or holder in ("cls", "__class__", "klass", "type"):
                self.stored_on_classes.add(target.attr)
            if base is not None:
                self.frame.code.append(
                    (ir.SET_ATTRIBUTE, base, target.attr, value, self.flags | flags, *place(node))
                )
        elif isinstance(target, ast.Subscript):
            base = self.walk(target.value)
            key, variable_of_key = self.key(target.slice)
            if type(target.slice) is ast.Slice and value is not None:
                value = self.iterate(value, target)  # its elements take the place of others
            if base is not None:
                self.frame.code.append(
                    (
                        ir.SET_ITEM,
                        base,
                        key,
                        variable_of_key,
                        value,
                        self.flags | flags,
                        *place(node),
                    )
                )
        elif isinstance(target, ast.Tuple | ast.List):
            inner = [e.value if isinstance(e, ast.Starred) else e for e in target.elts]
            variables = [
                self.write(each.id) if isinstance(each, ast.Name) else self.frame.new()
                for each in inner
            ]
            if value is not None:
                self.emit_unpack(value, target.elts, variables)
            for each, variable in zip(inner, variables, strict=True):
                if not isinstance(each, ast.Name):
                    self.bind(each, variable if value is not None else None, node, flags)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, node, flags)

    def annotated_assign(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        value = self.walk(node.value) if node.value is not None else None
        target = node.target
        if isinstance(target, ast.Name):
            if self.overlay is not None:
                self._note_attribute(target.id, node.lineno, annotation)
                self.stored.add(target.id)
            variable = self.bind_name(target.id, value)
            if annotation[1] is not None or annotation[2]:
                declares = self.overlay is not None
                self.frame.code.append((ir.ANNOTATED, variable, annotation, declares))
            if target.id == "__all__" and node.value is not None:
                self._export(node.value)
            return
        typed: Result = None
        if annotation[1] is not None or annotation[2]:
            typed = self.frame.new()
            self.frame.code.append((ir.ANNOTATED, typed, annotation, False))
        if node.value is not None or typed is not None:
            self.bind(target, self.either([value, typed]), node)

    def augmented_assign(self, node: ast.AugAssign) -> None:
        target = node.target
        method = BINARY[type(node.op)].replace("__", "__i", 1)
        if isinstance(target, ast.Name):
            before = self.read(target.id)
            right = self.walk(node.value)
            value = self.operate(method, before, right, node, ir.AUGMENTED)
            self.bind(target, value, node)
            if target.id == "__all__":
                self._export(node.value)
            return
        load = ast.copy_location(_loaded(target), target)
        before_value = self.walk(load)
        right = self.walk(node.value)
        value = self.operate(method, before_value, right, node, ir.AUGMENTED)
        self.bind(target, value, node, ir.AUGMENTED)

    def return_(self, node: ast.Return) -> bool:
        if node.value is not None:
            self.give_back(self.walk(node.value))
        return True

    def give_back(self, value: Result) -> None:
        """Let the function return a value."""
        if value is None:
            return
        code = self.frame.code
        if self.is_new(value):
            last = code[-1]
            code[-1] = (last[0], ir.RETURNED, *last[2:])
        else:
            code.append((ir.COPY, ir.RETURNED, value))

    def raise_(self, node: ast.Raise) -> bool:
        if node.exc is not None:
            value = self.walk(node.exc)
            if value is not None:
                self.frame.code.append((ir.RAISE, value, self.flags, *place(node)))
        if node.cause is not None:
            self.effect_of(node.cause)
        return True

    def assert_(self, node: ast.Assert) -> None:
        self.effect_of(node.test)
        self.frame.env = self._narrowed(node.test, self.frame.env)
        if node.msg is not None:
            self.effect_of(node.msg)

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute | ast.Subscript):
                self.bind(target, None, node, ir.DELETES)

    def global_(self, node: ast.Global) -> None:
        if self.frame.index:
            self.frame.global_names.update(node.names)
        self.names.bound.update(node.names)

    def nonlocal_(self, node: ast.Nonlocal) -> None:
        self.frame.nonlocal_names.update(node.names)

    def type_alias(self, node: Any) -> None:
        annotation = self.annotation(node.value)
        variable = self.write(node.name.id)
        if annotation[1] is not None:
            self.frame.code.append((ir.COPY, variable, annotation[1]))

    # -- imports --------------------------------------------------------------------------------

    def import_(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imports.append(ir.ImportFacts(0, alias.name, "", node.lineno, self.type_checking))
            name = alias.asname or alias.name.partition(".")[0]
            target = self.write(name)
            whole = alias.name if alias.asname else name
            self.frame.code.append((ir.IMPORT, target, 0, whole, ""))

    def import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names:
            self.imports.append(
                ir.ImportFacts(node.level, module, alias.name, node.lineno, self.type_checking)
            )
            if alias.name != "*":
                target = self.write(alias.asname or alias.name)
                self.frame.code.append((ir.IMPORT, target, node.level, module, alias.name))

    # -- branches -------------------------------------------------------------------------------

    def if_(self, node: ast.If) -> bool:
        self.effect_of(node.test)
        outcome = unrolling.decided(node.test, self.fixed) if self.turns else None
        if outcome is not None:
            return self.block(node.body if outcome else node.orelse)
        flags, checking = self.flags, self.type_checking
        self.flags |= ir.CONDITIONAL
        self.type_checking = checking or dotted(node.test).endswith("TYPE_CHECKING")
        frame = self.frame
        before = frame.env
        inside = self._narrowed(node.test, before)
        first = self.branch(node.body, inside)
        if first is not None and inside is not before:
            for name, variable in inside.items():
                if first[name] == variable:
                    first[name] = before[name]
        self.type_checking = checking
        second = self.branch(node.orelse, before) if node.orelse else before
        if first is None and second is before and _is_negated(node.test):
            second = self._narrowed(node.test.operand, before)
        self.flags = flags
        frame.merge([each for each in (first, second) if each is not None])
        return first is None and second is None

    def _narrowed(self, test: ast.expr, env: Env) -> Env:
        """The names where a test holds: what `isinstance` says of them is known there."""
        parts = test.values if _is_conjunction(test) else [test]
        narrowed = env
        for part in parts:
            if (
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Name)
                and part.func.id == "isinstance"
                and len(part.args) == 2
                and isinstance(part.args[0], ast.Name)
                and (known := narrowed.get(part.args[0].id)) is not None
                and (classes := self.walk(part.args[1])) is not None
            ):
                target = self.frame.new()
                self.frame.code.append((ir.NARROW, target, known, classes))
                narrowed = {**narrowed, part.args[0].id: target}
        return narrowed

    def for_(self, node: ast.For | ast.AsyncFor) -> None:
        flags = self.flags
        self.flags |= ir.USED
        iterated = self.walk(node.iter)
        self.flags |= ir.IN_LOOP
        element = self.iterate(iterated, node.iter)
        self.flags = flags | ir.IN_LOOP
        self._loop(node.body, flags, lambda: self.bind(node.target, element, node))
        if node.orelse:
            self.block(node.orelse)

    def _rows_of(self, node: ast.For, body: list[ast.stmt]) -> list[unrolling.Row] | None:
        if self.overlay is not None:
            return None
        rows = unrolling.rows_of(node, body[: body.index(node)], self.displays)
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
            frame.env = start
        self.flags = flags

    def while_(self, node: ast.While) -> None:
        flags = self.flags
        self.flags |= ir.IN_LOOP
        self.effect_of(node.test)
        self._loop(node.body, flags, lambda: None)
        if node.orelse:
            self.block(node.orelse)

    def _loop(self, body: list[ast.stmt], flags: int, enter: Callable[[], None]) -> None:
        frame = self.frame
        start = frame.env
        loop = Loop()
        frame.loops.append(loop)
        frame.env = dict(start)
        enter()
        self.flags |= ir.IN_LOOP | ir.CONDITIONAL
        ended = self.block(body)
        ends = loop.leaving if ended else [*loop.leaving, frame.env]
        frame.loops.pop()
        frame.close_loop(dict(start), ends)
        self.flags = flags

    def leave_loop(self, node: ast.stmt) -> bool:
        if self.frame.loops:
            self.frame.loops[-1].leaving.append(dict(self.frame.env))
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

    def match(self, node: ast.Match) -> None:
        subject = self.walk(node.subject)
        frame, flags = self.frame, self.flags
        self.flags |= ir.CONDITIONAL
        before, ends = frame.env, [frame.env]
        for case in node.cases:
            frame.env = dict(before)
            self._pattern(case.pattern, subject)
            if case.guard is not None:
                self.effect_of(case.guard)
            if not self.block(case.body):
                ends.append(frame.env)
        self.flags = flags
        frame.merge(ends)

    def _pattern(self, pattern: ast.pattern, subject: Result) -> None:
        """Names that a pattern captures; a class pattern tells what they are."""
        if isinstance(pattern, ast.MatchClass):
            self._class_pattern(pattern)
        elif isinstance(pattern, ast.MatchAs):
            if isinstance(pattern.pattern, ast.MatchClass):
                subject = self._class_pattern(pattern.pattern)
            elif pattern.pattern is not None:
                self._pattern(pattern.pattern, subject)
            self._capture(pattern.name, subject)
        elif isinstance(pattern, ast.MatchSequence):
            self._sequence_pattern(pattern, subject)
        elif isinstance(pattern, ast.MatchMapping):
            for key, value in zip(pattern.keys, pattern.patterns, strict=True):
                self._pattern(value, self._item_of(subject, key))
            self._capture(pattern.rest, subject)
        elif isinstance(pattern, ast.MatchOr):
            for each in pattern.patterns:
                self._pattern(each, subject)
        elif isinstance(pattern, ast.MatchValue):
            self.effect_of(pattern.value)

    def _capture(self, name: str | None, value: Result) -> None:
        if name is not None:
            variable = self.write(name)
            if value is not None:
                self.frame.code.append((ir.COPY, variable, value))

    def _class_pattern(self, pattern: ast.MatchClass) -> Result:
        """An object of the class, whose attributes are matched further."""
        typed = self.frame.new()
        annotation = self.annotation(pattern.cls)
        self.frame.code.append((ir.ANNOTATED, typed, annotation, False))
        for name, each in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            target = self.frame.new()
            code = (ir.ATTRIBUTE, target, typed, name, self.flags, *place(pattern.cls))
            self.frame.code.append(code)
            self._pattern(each, target)
        for each in pattern.patterns:
            self._pattern(each, None)
        return typed

    def _sequence_pattern(self, pattern: ast.MatchSequence, subject: Result) -> None:
        variables = [self.frame.new() for _ in pattern.patterns]
        stars = [n for n, each in enumerate(pattern.patterns) if isinstance(each, ast.MatchStar)]
        if subject is not None:
            star = stars[0] if stars else len(variables)
            starred = variables[star] if stars else None
            after = tuple(variables[star + 1 :])
            self.frame.code.append((ir.UNPACK, subject, tuple(variables[:star]), starred, after))
        for each, variable in zip(pattern.patterns, variables, strict=True):
            if isinstance(each, ast.MatchStar):
                self._capture(each.name, variable)
            else:
                self._pattern(each, variable)

    def _item_of(self, subject: Result, key: ast.expr) -> Result:
        constant, variable = self.key(key)
        if subject is None:
            return None
        target = self.frame.new()
        code = (ir.ITEM, target, subject, constant, variable, self.flags, *place(key))
        self.frame.code.append(code)
        return target

    # -- definitions ----------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [self.walk(each) for each in node.decorator_list]
        outer_types = self._enter_types(node)
        frame = self.open_function(f"{self.prefix}{node.name}", node.args, node, node.body)
        if isinstance(node, ast.AsyncFunctionDef):
            frame.flags |= ir.ASYNC
        frame.decorators = tuple(dotted(each) for each in node.decorator_list)
        if node.returns is not None:
            frame.returns = self.annotation(node.returns)
        self.type_parameters = outer_types
        value = self.frame.new()
        self.frame.code.append((ir.FUNCTION, value, frame.index))
        value = self._decorate(value, node.decorator_list, decorators)
        if self.overlay is not None:
            self._note_attribute(node.name, node.lineno, None)
        self.bind_name(node.name, value)

    def _enter_types(self, node: ast.stmt) -> dict[str, ast.expr | None]:
        """Let a definition's parameters of types be known; gives those that were before."""
        outer = self.type_parameters
        parameters = getattr(node, "type_params", ())
        if parameters:
            self.type_parameters = dict(outer)
            for each in parameters:
                self.type_parameters[each.name] = getattr(each, "bound", None)
        return outer

    def _decorate(self, value: int, nodes: list[ast.expr], decorators: list[Result]) -> int:
        for each, decorator in zip(reversed(nodes), reversed(decorators), strict=True):
            target = self.frame.new()
            flags = self.flags | ir.USED | ir.DECORATES
            self.frame.code.append(
                (ir.CALL, target, decorator, (value,), (), (), flags, *place(each))
            )
            value = target
        return value

    def class_statement(self, node: ast.ClassDef) -> None:
        decorators = [self.walk(each) for each in node.decorator_list]
        bases = tuple(self.walk(each) for each in node.bases)
        keywords = tuple((each.arg or "", self.walk(each.value)) for each in node.keywords)
        index = len(self.classes)
        self.classes.append(None)
        saved = (self.overlay, self.class_, self.prefix, self.attributes)
        self.overlay, self.class_, self.attributes = {}, index, {}
        name = f"{self.prefix}{node.name}"
        self.prefix = f"{name}."
        outer_types = self._enter_types(node)
        self.block(node.body)
        self.type_parameters = outer_types
        overlay, attributes = self.overlay, self.attributes
        self.overlay, self.class_, self.prefix, self.attributes = saved
        self.classes[index] = ir.ClassFacts(
            name,
            node.lineno,
            node.end_lineno or node.lineno,
            self.frame.index,
            bases,
            keywords,
            tuple(
                (each, variable, *attributes.get(each, (node.lineno, None)))
                for each, variable in overlay.items()
            ),
            tuple(dotted(each) for each in node.decorator_list),
        )
        value = self.frame.new()
        self.frame.code.append((ir.CLASS, value, index))
        value = self._decorate(value, node.decorator_list, decorators)
        if self.overlay is not None:
            self._note_attribute(node.name, node.lineno, None)
        self.bind_name(node.name, value)

    def _note_attribute(self, name: str, line: int, annotation: ir.Annotation | None) -> None:
        known = self.attributes.get(name)
        if known is None or annotation is not None:
            self.attributes[name] = (line, annotation)


def _is_conjunction(test: ast.expr) -> TypeGuard[ast.BoolOp]:
    return isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)


def _is_negated(test: ast.expr) -> TypeGuard[ast.UnaryOp]:
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _loaded(target: ast.expr) -> ast.expr:
    """The target of an augmented assignment as an expression that is read."""
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())
