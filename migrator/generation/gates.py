"""What must hold of every extracted tree before anything is written: checked on the text itself."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from migrator.facts.syntax import parse
from migrator.generation.names import Project
from migrator.generation.scopes import references
from migrator.generation.source import (
    ImportTarget,
    Module,
    bound_by_import,
    bound_names,
    imported,
)
from migrator.model.errors import Place, Refused

_ALWAYS = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__path__", "__package__", "__spec__", "__loader__", "__builtins__",
    "__class__", "__module__", "__qualname__", "__annotations__", "__dict__", "WindowsError",
}  # fmt: skip


def check(project: Project, texts: Mapping[str, bytes]) -> list[Refused]:
    """Every way in which extracted modules (dotted name to text) do not hold together.

    They parse; no name in them is undefined that was not so in the monolith; every import of one
    from another resolves, and so does every attribute of an imported module.
    """
    problems: list[Refused] = []
    trees: dict[str, ast.Module] = {}
    for name, text in sorted(texts.items()):
        original = project.modules[name]
        try:
            trees[name] = parse(text) if text != original.text else original.tree
        except SyntaxError as error:
            problems.append(_refused(original, error.lineno or 0, f"does not parse: {error.msg}"))
    before = _Names(project, {name: each.tree for name, each in project.modules.items()})
    after = _Names(project, trees)
    for name, tree in trees.items():
        missing = list(after.missing(name, tree))
        if missing:
            known = {what for what, _ in before.missing(name, project.modules[name].tree)}
            problems.extend(
                _refused(project.modules[name], line, what)
                for what, line in missing
                if what not in known
            )
    return problems


def _refused(module: Module, line: int, what: str) -> Refused:
    return Refused(
        f"{module.name}, cut out, {what}",
        place=Place(module.file, line),
        hint="This is a fault of the extraction: please report it with this place.",
    )


class _Names:
    """What is defined in some trees of the monolith's modules."""

    def __init__(self, project: Project, trees: Mapping[str, ast.Module]) -> None:
        self.project = project
        self.trees = trees
        self._defined: dict[str, set[str] | None] = {}

    def defined(self, name: str) -> set[str] | None:
        """The names of a module, those that it imports by `*` included; None: any may be."""
        if name not in self._defined:
            self._defined[name] = set()
            self._defined[name] = self._find(name, self.trees[name])
        return self._defined[name]

    def _find(self, name: str, tree: ast.Module) -> set[str] | None:
        names = bound_names(tree.body)
        for node in ast.walk(tree):
            if isinstance(node, ast.Global):
                names.update(node.names)
            elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                source = imported(self.project.modules[name], node, node.names[0]).module
                inner = self.defined(source) if source in self.trees else None
                if inner is None:
                    return None
                names |= inner
        return None if "__getattr__" in names else names

    def missing(self, name: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
        """What a module uses and cannot have: what is wrong, and the line."""
        module = self.project.modules[name]
        names = self.defined(name)
        found = references(module, tree.body)
        imports = _imported_modules(self.project, module, tree)
        for reference in found.names:
            line = getattr(reference.node, "lineno", 0)
            root = reference.chain[0] if reference.chain else ""
            if reference.origin is None:
                if names is not None and root not in names and root not in _ALWAYS:
                    yield f"has no {root} any more", line
                if root in imports and len(reference.chain) > 1:
                    yield from self._attribute(imports[root], reference.chain[1:], line)
            elif reference.origin.name is None and reference.chain:
                yield from self._attribute(reference.origin.module, reference.chain, line)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    yield from self._import(imported(module, node, alias), node.lineno)

    def _import(self, target: ImportTarget, line: int) -> Iterator[tuple[str, int]]:
        if target.module not in self.project.modules:
            return
        if target.module not in self.trees:
            yield f"imports {target.module}, which is not kept", line
        elif target.name not in (None, "*"):
            yield from self._attribute(target.module, (str(target.name),), line)

    def _attribute(
        self, module: str, chain: tuple[str, ...], line: int
    ) -> Iterator[tuple[str, int]]:
        submodule = f"{module}.{chain[0]}"
        names = self.defined(module) if module in self.trees else None
        if submodule in self.trees and (names is None or chain[0] not in names):
            if len(chain) > 1:
                yield from self._attribute(submodule, chain[1:], line)
        elif names is not None and chain[0] not in names and chain[0] not in _ALWAYS:
            yield f"uses {submodule}, which is not kept", line


def _imported_modules(project: Project, module: Module, tree: ast.Module) -> dict[str, str]:
    """The names that top-level imports give to modules of the monolith."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                target = imported(module, node, alias)
                dotted = ".".join(each for each in target if each and each != "*")
                if isinstance(node, ast.Import) and not alias.asname:
                    dotted = dotted.partition(".")[0]
                if dotted in project.modules:
                    found[bound_by_import(node, alias)] = dotted
    return found
