"""The one walk over a file's syntax tree, which makes its symbolic facts."""

from __future__ import annotations

import ast
from typing import Any

from migrator.facts import ir
from migrator.facts.patterns import PatternWalker
from migrator.facts.rebinding import bound_again
from migrator.facts.walker import Result, dotted, place


def facts_of(tree: ast.Module, lines: int) -> ir.FileFacts:
    """The facts of a parsed file. Raises RecursionError where it is nested too deeply."""
    walker = _Walker()
    walker.module_body(tree.body)
    return walker.result(lines)


class _Walker(PatternWalker):
    def __init__(self) -> None:
        super().__init__()
        self.imports: list[ir.ImportFacts] = []
        self.classes: list[ir.ClassFacts | None] = []
        self.walks = {
            ast.Name: self.name,
            ast.Constant: self.constant,
            ast.Attribute: self.attribute,
            ast.Call: self.call,
            ast.BinOp: self.binary,
            ast.BoolOp: self.boolean,
            ast.UnaryOp: self.unary,
            ast.Compare: self.compare,
            ast.JoinedStr: self.joined,
            ast.FormattedValue: self.formatted,
            ast.Subscript: self.subscript,
            ast.IfExp: self.conditional,
            ast.Tuple: self.tuple_,
            ast.List: self.list_,
            ast.Set: self.set_,
            ast.Dict: self.dict_,
            ast.ListComp: self.list_comprehension,
            ast.SetComp: self.set_comprehension,
            ast.GeneratorExp: self.generator,
            ast.DictComp: self.dict_comprehension,
            ast.Lambda: self.lambda_,
            ast.NamedExpr: self.named,
            ast.Await: self.await_,
            ast.Yield: self.yield_,
            ast.YieldFrom: self.yield_from,
            ast.Starred: self.starred,
            ast.Slice: self.slice_,
        }
        self.statements = {
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
            ast.TryStar: self.try_,
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
        if hasattr(ast, "TypeAlias"):
            self.statements[ast.TypeAlias] = self.type_alias

    # -- scopes ---------------------------------------------------------------------------------

    def module_body(self, body: list[ast.stmt]) -> None:
        """Walk the module's own code, then every function body, outer ones first."""
        self.again = bound_again(body)
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
            for name in frame.global_names:  # what a function sets, the module's code may read
                for version in self.module.versions.get(name, ()):
                    self.module.code.append((ir.COPY, version, ~self.names.index(name)))

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
            tuple(sorted(self.names.bound)),
            tuple(self.exported) if self.exported is not None else None,
            tuple(self.imports),
            (module, *functions[1:]),
            tuple(each for each in self.classes if each is not None),
            tuple(sorted(self.stored)),
            tuple(sorted(self.stored_on_classes)),
        )

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
            self.walk(value)

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
            self.walk(node.cause)
        return True

    def assert_(self, node: ast.Assert) -> None:
        self.walk(node.test)
        self.frame.env = self.narrowed(node.test, self.frame.env)
        if node.msg is not None:
            self.walk(node.msg)

    def global_(self, node: ast.Global) -> None:
        if self.frame.index:
            self.frame.global_names |= set(node.names)
        self.names.bound.update(node.names)

    def nonlocal_(self, node: ast.Nonlocal) -> None:
        self.frame.nonlocal_names |= set(node.names)

    def type_alias(self, node: Any) -> None:
        annotation = self.annotation(node.value)
        variable = self.write(node.name.id)
        if annotation[1] is not None:
            self.frame.code.append((ir.COPY, variable, annotation[1]))

    # -- imports --------------------------------------------------------------------------------

    def import_(self, node: ast.Import) -> None:
        sure = not self.flags & (ir.CONDITIONAL | ir.HANDLED)
        for alias in node.names:
            self.imports.append(
                ir.ImportFacts(0, alias.name, "", node.lineno, self.type_checking, sure)
            )
            name = alias.asname or alias.name.partition(".")[0]
            target = self.write(name)
            whole = alias.name if alias.asname else name
            self.frame.code.append((ir.IMPORT, target, 0, whole, ""))

    def import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        sure = not self.flags & (ir.CONDITIONAL | ir.HANDLED)
        for alias in node.names:
            self.imports.append(
                ir.ImportFacts(
                    node.level, module, alias.name, node.lineno, self.type_checking, sure
                )
            )
            if alias.name != "*":
                target = self.write(alias.asname or alias.name)
                self.frame.code.append((ir.IMPORT, target, node.level, module, alias.name))
            elif not self.frame.index:  # it may bind any name anew
                self.frame.env = {name: ~self.names.index(name) for name in self.frame.env}

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
            self.note_attribute(node.name, node.lineno, None)
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
            self.note_attribute(node.name, node.lineno, None)
        self.bind_name(node.name, value)
