"""What must hold of every extracted tree before anything is written: checked on the text itself."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from migrator.generation.names import Project
from migrator.generation.scopes import references
from migrator.generation.source import Module, bound_names, imported
from migrator.model.errors import Place, Refused

_ALWAYS = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__path__", "__package__", "__spec__", "__loader__", "__builtins__",
    "__class__", "__module__", "__qualname__", "__annotations__", "__dict__", "WindowsError",
}  # fmt: skip


def check(project: Project, texts: Mapping[str, bytes]) -> list[Refused]:
    """Every way in which extracted modules (dotted name to text) do not hold together.

    They parse; no name in them is undefined that was not so in the monolith; every import of one
    from another resolves.
    """
    problems: list[Refused] = []
    trees: dict[str, ast.Module] = {}
    for name, text in sorted(texts.items()):
        original = project.modules[name]
        try:
            trees[name] = ast.parse(text)
        except SyntaxError as error:
            problems.append(_refused(original, error.lineno or 0, f"does not parse: {error.msg}"))
    for name, tree in trees.items():
        original = project.modules[name]
        known = {each for each, _ in _undefined(project, original, original.tree)}
        for undefined, line in _undefined(project, original, tree):
            if undefined not in known:
                problems.append(_refused(original, line, f"has no {undefined} any more"))
        problems.extend(_imports(project, original, tree, trees))
    return problems


def _refused(module: Module, line: int, what: str) -> Refused:
    return Refused(
        f"{module.name}, cut out, {what}",
        place=Place(module.file, line),
        hint="This is a fault of the extraction: `migrator report --debug` helps to report it.",
    )


def _undefined(project: Project, module: Module, tree: ast.Module) -> Iterator[tuple[str, int]]:
    bound = bound_names(tree.body) | _ALWAYS | _declared_global(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
            source = project.modules.get(imported(module, node, node.names[0]).module)
            if source is None:
                return
            bound |= _exported(project, source, set())
    for reference in references(module, tree.body).names:
        if reference.origin is None and reference.chain[0] not in bound:
            yield reference.chain[0], getattr(reference.node, "lineno", 0)


def _declared_global(tree: ast.Module) -> set[str]:
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


def _exported(project: Project, module: Module, seen: set[str]) -> set[str]:
    if module.name in seen:
        return set()
    seen.add(module.name)
    names = set(module.bindings)
    for unit in module.stars:
        source = project.modules.get(unit.imports[0].target.module)
        if source is not None:
            names |= _exported(project, source, seen)
    return names


def _imports(
    project: Project, module: Module, tree: ast.Module, trees: Mapping[str, ast.Module]
) -> Iterator[Refused]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            target = imported(module, node, alias)
            if target.module not in project.modules:
                continue
            if target.module not in trees:
                yield _refused(module, node.lineno, f"imports {target.module}, which is not kept")
            elif target.name not in (None, "*") and not _provides(project, target, trees):
                yield _refused(
                    module, node.lineno, f"imports {target.name} from {target.module} in vain"
                )


def _provides(
    project: Project, target: tuple[str, str | None], trees: Mapping[str, ast.Module]
) -> bool:
    name, attribute = target
    if f"{name}.{attribute}" in trees:
        return True
    tree = trees[name]
    available = bound_names(tree.body) | _declared_global(tree)
    if attribute in available or "__getattr__" in available:
        return True
    original = project.modules[name]
    stars = [
        imported(original, node, node.names[0]).module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
    return any(
        each not in project.modules
        or (each in trees and each != name and _provides(project, (each, attribute), trees))
        for each in stars
    ) or (attribute not in original.bindings and not original.stars)
