"""What a piece of code refers to outside of itself, by Python's own scope rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from migrator.generation.source import (
    DefinitionNode,
    FunctionNode,
    ImportTarget,
    Module,
    bound_by_import,
    bound_names,
    imported,
)

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Reference(NamedTuple):
    """A chain `a.b.c` whose first name is not local; `origin` when a local import bound it."""

    chain: tuple[str, ...]
    node: ast.AST
    called: bool = False
    origin: ImportTarget | None = None


class Text(NamedTuple):
    """A string in the code. `parts`: constants, with None for what is only known at run time."""

    parts: tuple[str | None, ...]
    call: str
    """The last name of the function that it is an argument of, or empty."""
    node: ast.AST

    @property
    def constant(self) -> str | None:
        """The whole string, if all of it is constant."""
        return self.parts[0] if len(self.parts) == 1 else None


@dataclass
class References:
    """All that a piece of code refers to."""

    names: list[Reference] = field(default_factory=list)
    imports: list[ImportTarget] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass
class _Scope:
    is_class: bool
    bound: dict[str, ImportTarget | None] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)


def references(
    module: Module,
    nodes: Iterable[ast.AST],
    left_out: Collection[ast.AST] = (),
    bodiless: Collection[ast.AST] = (),
) -> References:
    """What top-level code of `module` refers to.

    `left_out` holds decorators and statements that are not looked at, `bodiless` functions of
    which only the signature is.
    """
    walk = _Walk(module, set(left_out), set(bodiless))
    for node in nodes:
        walk.visit(node)
    return walk.found


class _Walk(ast.NodeVisitor):
    def __init__(self, module: Module, left_out: set[ast.AST], bodiless: set[ast.AST]) -> None:
        self.module = module
        self.left_out = left_out
        self.bodiless = bodiless
        self.found = References()
        self.scopes: list[_Scope] = []
        self.call = ""

    def visit(self, node: ast.AST) -> None:
        if node not in self.left_out:
            super().visit(node)

    # Names and chains

    def _emit(self, root: ast.Name, rest: tuple[str, ...], node: ast.AST, called: bool) -> None:
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.is_class and depth:
                continue
            if root.id in scope.outer:
                break
            if root.id in scope.bound:
                origin = scope.bound[root.id]
                if origin is not None:
                    self.found.names.append(Reference(rest, node, called, origin))
                return
        self.found.names.append(Reference((root.id, *rest), node, called))

    def _chain(self, node: ast.expr, called: bool) -> bool:
        rest: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            rest.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            if rest or isinstance(inner.ctx, ast.Load) or not self.scopes:
                self._emit(inner, tuple(reversed(rest)), node, called)
            return True
        return False

    def visit_Name(self, node: ast.Name) -> None:
        scope = self.scopes[-1] if self.scopes else None
        if isinstance(node.ctx, ast.Load):
            self._chain(node, False)
        elif scope is not None and scope.is_class:
            scope.bound.setdefault(node.id, None)
        elif scope is not None and node.id in scope.outer:
            self.found.names.append(Reference((node.id,), node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._chain(node, False):
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant):
            text = function.value.value
            if function.attr == "format" and isinstance(text, str):
                parts = _with_holes(re.sub(r"\{[^{}]*\}", "{}", text), "{}")
                self.found.texts.append(Text(parts, self.call, node))
        if not self._chain(node.func, True):
            self.visit(node.func)
        before = self.call
        self.call = last_name(node.func)
        for child in (*node.args, *node.keywords):
            self.visit(child)
        self.call = before

    # Texts

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.texts.append(Text((node.value,), self.call, node))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.found.texts.append(Text(_parts(node), self.call, node))
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        parts = _parts(node)
        if len(parts) > 1 and any(parts):
            self.found.texts.append(Text(parts, self.call, node))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    # Scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: FunctionNode) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._signature(node.args, annotations=True)
        if node.returns is not None:
            self._annotation(node.returns)
        if node in self.bodiless:
            return
        self.scopes.append(self._function_scope(node.args, node.body))
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._signature(node.args, annotations=False)
        self.scopes.append(self._function_scope(node.args, []))
        self.visit(node.body)
        self.scopes.pop()

    def _function_scope(self, arguments: ast.arguments, body: list[ast.stmt]) -> _Scope:
        scope = _Scope(False, {each.arg: None for each in _parameters(arguments)})
        for statement in _own_statements(body):
            if isinstance(statement, ast.Global):
                scope.outer.update(statement.names)
        nonlocals = {
            name
            for each in _own_statements(body)
            if isinstance(each, ast.Nonlocal)
            for name in each.names
        }
        for name in bound_names(body) - scope.outer - nonlocals:
            scope.bound.setdefault(name, None)
        for statement in _own_statements(body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for alias in statement.names:
                    scope.bound[bound_by_import(statement, alias)] = self._origin(statement, alias)
        return scope

    def _origin(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ImportTarget:
        if isinstance(node, ast.Import) and not alias.asname:
            return ImportTarget(alias.name.partition(".")[0])
        return imported(self.module, node, alias)

    def _signature(self, arguments: ast.arguments, annotations: bool) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        for each in _parameters(arguments):
            if annotations and each.annotation is not None:
                self._annotation(each.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is not None:
            self.visit(node.value)
        self.visit(node.target)

    def _annotation(self, node: ast.expr) -> None:
        for each in ast.walk(node):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                try:
                    self.visit(ast.parse(each.value, mode="eval").body)
                except SyntaxError:
                    continue
        self.visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        for base in (*node.bases, *node.keywords):
            self.visit(base)
        self.scopes.append(_Scope(True))
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        # The value first: in a class body the name it binds is not yet there.
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.found.imports.append(imported(self.module, node, alias))
            if self.scopes and self.scopes[-1].is_class:
                self.scopes[-1].bound[bound_by_import(node, alias)] = self._origin(node, alias)

    def _comprehension(self, node: Comprehension) -> None:
        self.visit(node.generators[0].iter)
        scope = _Scope(False)
        for generator in node.generators:
            for each in ast.walk(generator.target):
                if isinstance(each, ast.Name):
                    scope.bound[each.id] = None
        self.scopes.append(scope)
        for position, generator in enumerate(node.generators):
            if position:
                self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        if isinstance(node, ast.DictComp):
            self.visit(node.key)
            self.visit(node.value)
        else:
            self.visit(node.elt)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _bind(self, name: str) -> None:
        if self.scopes and self.scopes[-1].is_class:
            self.scopes[-1].bound.setdefault(name, None)


def last_name(node: ast.expr) -> str:
    """The last name of `a.b.c` or `c`; empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def chain_of(node: ast.expr) -> tuple[str, ...]:
    """The names of `a.b.c`; empty when it does not start with a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*found, *(each for each in (arguments.vararg, arguments.kwarg) if each is not None)]


def _own_statements(body: list[ast.stmt]) -> list[ast.AST]:
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        found.append(node)
        if not isinstance(node, DefinitionNode | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return found


def _parts(node: ast.expr) -> tuple[str | None, ...]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.JoinedStr):
        return tuple(
            str(each.value) if isinstance(each, ast.Constant) else _own_name(each)
            for each in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (*_parts(node.left), *_parts(node.right))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left = _parts(node.left)
        if len(left) == 1 and left[0] is not None:
            return _with_holes(re.sub(r"%(\(\w+\))?[sdr]", "%s", left[0]), "%s")
    return (_own_name(node),)


def _own_name(node: ast.expr) -> str | None:
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    return "__name__" if isinstance(inner, ast.Name) and inner.id == "__name__" else None


def _with_holes(text: str, mark: str) -> tuple[str | None, ...]:
    parts: list[str | None] = []
    for position, piece in enumerate(text.split(mark)):
        parts.extend([None, piece] if position else [piece])
    return tuple(parts)
