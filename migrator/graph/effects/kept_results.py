"""What an application keeps of its own work: memoised functions, and objects of extensions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.facts.syntax import parse
from migrator.graph.analysis import Analysis
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import class_among
from migrator.model.program import Function, StateFinding

MEMOS = frozenset({"lru_cache", "cache", "cached", "memoize", "ttl_cache"})
"""Decorators that keep what a function gives, by their last name."""

BY_DECORATOR = "a variable of a decorator"
"""The detail of a finding of which each function that a decorator decorates has one."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CHANGES = frozenset({"update", "setdefault", "pop", "popitem", "clear"})


def memoised_functions(analysis: Analysis) -> Iterator[StateFinding]:
    """Functions whose results a decorator keeps in the process, each a finding of its own.

    Those that a cache object decorates are not among them: the finding is that object. Nor are
    those that a function of the project decorates: where it keeps them is found as any state is.
    """
    decorated = {name for each in analysis.extensions.values() for name in each.readers}
    modules = {file: name for name, file in analysis.program.modules.items()}
    for function in analysis.program.functions.values():
        if function.name in decorated:
            continue
        for decorator in function.decorators:
            name = decorator.split("(", 1)[0].lstrip("@")
            module = modules.get(function.file, "")
            if name.rpartition(".")[2] in MEMOS and not _own(analysis, module, name):
                yield StateFinding(
                    kind="cache",
                    name=function.name,
                    file=function.file,
                    line=function.line,
                    detail=name,
                    writers=(function.name,),
                    readers=(function.name,),
                )


def _own(analysis: Analysis, module: str, name: str) -> list[str]:
    """The functions of the project that a name in a module may be, also imported ones."""
    assert analysis.engine is not None
    engine = analysis.engine
    head, _, rest = name.partition(".")
    found = engine.resolve(f"{module}.{head}")
    if rest:
        of_modules = (each for each in found if engine.values.kind(each) == Kind.MODULE)
        found = tuple(
            inner
            for each in of_modules
            for inner in engine.resolve(f"{engine.name_of(each)}.{rest}")
        )
    return [engine.name_of(each) for each in found if engine.values.kind(each) == Kind.FUNCTION]


def kept_by_decorators(analysis: Analysis) -> Iterator[StateFinding]:
    """Dictionaries in which decorators of the project keep something for what they decorate.

    Each function has one of its own: it is a variable of the decorator, that a function inside
    changes.
    """
    modules = {file: name for name, file in analysis.program.modules.items()}
    decorated: dict[str, set[str]] = {}
    for function in analysis.program.functions.values():
        for text in function.decorators:
            name = text.split("(", 1)[0].lstrip("@")
            for each in _own(analysis, modules.get(function.file, ""), name):
                decorated.setdefault(each, set()).add(function.name)
    for name, functions in sorted(decorated.items()):
        decorator = analysis.program.functions.get(name)
        if decorator is None:
            continue
        for path, line in _held_inside(analysis, decorator):
            yield StateFinding(
                kind="cache",
                name=f"{name}.{path}",
                file=decorator.file,
                line=line,
                detail=BY_DECORATOR,
                writers=tuple(sorted(functions)),
                readers=tuple(sorted(functions)),
            )


def _held_inside(analysis: Analysis, function: Function) -> Iterator[tuple[str, int]]:
    """Dictionaries that a function makes and a function within it changes: dotted path, line."""
    try:
        tree = parse((analysis.root / function.file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and (node.name, node.end_lineno) == (
            function.name.rpartition(".")[2],
            function.end_line,
        ):
            yield from _held(node, "")


def _held(function: ast.FunctionDef | ast.AsyncFunctionDef, path: str) -> Iterator[tuple[str, int]]:
    inner = [each for each in function.body if isinstance(each, _DEFINITIONS)]
    changed = {name for each in inner for name in _changed(each)}
    for statement in function.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_dictionary(statement.value):
            targets = getattr(statement, "targets", None) or [statement.target]  # type: ignore[union-attr]
            for target in targets:
                if isinstance(target, ast.Name) and target.id in changed:
                    yield f"{path}{target.id}", statement.lineno
    for each in inner:
        yield from _held(each, f"{path}{each.name}.")


def _is_dictionary(value: ast.expr | None) -> bool:
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(value, ast.Dict) or (
        isinstance(called, ast.Name) and called.id in ("dict", "OrderedDict")
    )


def _changed(function: ast.AST) -> Iterator[str]:
    """Names whose items are set, or that are told to change, in a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            held = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            held = node.func.value if node.func.attr in _CHANGES else node.func
        else:
            continue
        if isinstance(held, ast.Name):
            yield held.id


def extension_objects(analysis: Analysis) -> Iterator[StateFinding]:
    """Objects of extensions that keep something, by the module's name for them.

    Several of one class have the same users: they are not told apart.
    """
    assert analysis.engine is not None
    engine, extensions = analysis.engine, analysis.extensions
    imported = names_imported(analysis)
    for variable in analysis.module_variables:
        held = {class_among(engine, each, extensions) for each in variable.values}
        known = sorted(held - {""})
        if known and variable.name not in imported:
            state = extensions[known[0]]
            yield StateFinding(
                kind=state.kind,
                name=variable.name,
                file=variable.file,
                line=variable.line,
                detail=known[0],
                writers=tuple(sorted(state.writers)),
                readers=tuple(sorted(state.readers)),
            )


def names_imported(analysis: Analysis) -> set[str]:
    """Names that modules only import: the state is that of the module they come from."""
    assert analysis.linker is not None
    return {
        f"{module.name}.{each.name}"
        for module in analysis.linker.modules.values()
        if module.facts is not None
        for each in module.facts.facts.imports
        if each.name
    }
