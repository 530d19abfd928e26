"""A module of the monolith as units that can be kept or left out one by one.

A unit is a top-level statement, or one name of a top-level import. Positions are byte offsets into
the UTF-8 text, as `ast` counts columns, so that what is kept stays byte for byte as it was.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from migrator.facts.syntax import parse
from migrator.model.errors import Place, Refused

UnitKind = Literal[
    "import", "definition", "assignment", "effect", "docstring", "future", "exports", "main"
]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class ImportTarget(NamedTuple):
    """What an imported name stands for: a module, or `name` of a module (`*`: all of it)."""

    module: str
    name: str | None = None


class ImportEdge(NamedTuple):
    """An import wherever it stands in a unit; `function` when it only runs if that is called."""

    target: ImportTarget
    function: bool


@dataclass(eq=False)
class Unit:
    """What is kept or dropped as one: a statement, or one name of an import."""

    module: Module = field(repr=False)
    index: int
    node: ast.stmt
    kind: UnitKind
    binds: frozenset[str]
    alias: ast.alias | None = None
    block: ast.If | None = None
    """The `if TYPE_CHECKING:` that it stands in."""

    @property
    def name(self) -> str:
        """The dotted name of a definition, else of its module."""
        if isinstance(self.node, DefinitionNode):
            return f"{self.module.name}.{self.node.name}"
        return self.module.name

    @property
    def first_line(self) -> int:
        """The first line, decorators included."""
        decorators: list[ast.expr] = getattr(self.node, "decorator_list", [])
        return min([self.node.lineno, *(each.lineno for each in decorators)])

    @property
    def last_line(self) -> int:
        """The last line of the statement."""
        return self.node.end_lineno or self.node.lineno

    @cached_property
    def imports(self) -> tuple[ImportEdge, ...]:
        """Every import in it, whether at once or when a function is called."""
        if self.alias is not None:
            assert isinstance(self.node, ast.Import | ast.ImportFrom)
            return (ImportEdge(imported(self.module, self.node, self.alias), False),)
        return tuple(_edges(self.module, self.node, False))

    def __repr__(self) -> str:
        names = ",".join(sorted(self.binds)) or self.kind
        return f"<{self.module.name}:{self.first_line} {names}>"


@dataclass(eq=False)
class Module:
    """One file of the monolith, parsed. `path` is relative to its source root."""

    name: str
    file: str
    path: str
    is_package: bool
    raw: bytes
    encoding: str = "utf-8"
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []), repr=False)
    units: list[Unit] = field(default_factory=list, repr=False)

    @cached_property
    def text(self) -> bytes:
        """The source as UTF-8."""
        return self.raw.decode(self.encoding).encode("utf-8")

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of each line; one more for the end."""
        starts = [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", self.text))]
        if starts[-1] != len(self.text):
            starts.append(len(self.text))
        return starts

    def offset(self, line: int, column: int = 0) -> int:
        """The offset of a place; lines from 1 on, the line after the last is the end."""
        if line > len(self.line_starts):
            return len(self.text)
        return self.line_starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        """The offsets of a node's first character and of that behind its last."""
        end = self.offset(node.end_lineno or 0, node.end_col_offset or 0)
        return self.offset(node.lineno, node.col_offset), end

    def line(self, number: int) -> bytes:
        """One line with its end."""
        return self.text[self.offset(number) : self.offset(number + 1)]

    @cached_property
    def bindings(self) -> dict[str, list[Unit]]:
        """Name to the units that bind it."""
        found: dict[str, list[Unit]] = {}
        for unit in self.units:
            for name in sorted(unit.binds):
                found.setdefault(name, []).append(unit)
        return found

    @cached_property
    def stars(self) -> list[Unit]:
        """The units that import `*`."""
        return [each for each in self.units if any(e.target.name == "*" for e in each.imports)]

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @cached_property
    def newline(self) -> str:
        """How its lines end."""
        return "\r\n" if self.line(1).endswith(b"\r\n") else "\n"

    def digest(self, unit: Unit) -> str:
        """A digest of the unit's text."""
        segment = self.text[self.offset(unit.first_line) : self.offset(unit.last_line + 1)]
        return hashlib.sha256(segment).hexdigest()[:16]


def read_module(root: Path, name: str, file: str, source_root: str) -> Module:
    """Read and parse one module. Raises `Refused` when it does not decode or parse."""
    raw = (root / file).read_bytes()
    path = file[len(source_root) + 1 :] if source_root else file
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        module = Module(name, file, path, Path(file).stem == "__init__", raw, encoding)
        # As text: a coding line would make Python decode the UTF-8 bytes as something else.
        module.tree = parse(module.text)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        line = getattr(error, "lineno", None) or 0
        raise Refused(
            f"{name} does not parse: {error}",
            place=Place(file, line),
            hint="Correct the file, or run migrator on the Python version it is written for.",
        ) from error
    module.units = list(_units(module))
    return module


def imported(module: Module, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ImportTarget:
    """What one name of an import statement stands for, absolute."""
    if isinstance(node, ast.Import):
        return ImportTarget(alias.name)
    base = node.module or ""
    if node.level:
        parts = module.package.split(".") if module.package else []
        kept = parts[: len(parts) - (node.level - 1)]
        base = ".".join([*kept, base] if base else kept)
    return ImportTarget(base, alias.name)


def bound_by_import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """The name that an import binds."""
    if alias.asname:
        return alias.asname
    return alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name


def _units(module: Module) -> Iterator[Unit]:
    index = 0
    for position, node in enumerate(module.tree.body):
        children: list[tuple[ast.stmt, ast.If | None]] = [(node, None)]
        if isinstance(node, ast.If) and is_type_checking(node.test) and not node.orelse:
            children = [(each, node) for each in node.body]
        for child, block in children:
            if isinstance(child, ast.Import | ast.ImportFrom):
                future = isinstance(child, ast.ImportFrom) and child.module == "__future__"
                for alias in child.names:
                    binds = frozenset() if alias.name == "*" else {bound_by_import(child, alias)}
                    kind: UnitKind = "future" if future else "import"
                    yield Unit(module, index, child, kind, frozenset(binds), alias, block)
                    index += 1
            else:
                kind = _kind(child, position)
                yield Unit(module, index, child, kind, frozenset(bound_names([child])), None, block)
                index += 1


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING`, which is false when the program runs."""
    last = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return last == "TYPE_CHECKING"


def _kind(node: ast.stmt, position: int) -> UnitKind:
    if isinstance(node, DefinitionNode):
        return "definition"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return "docstring" if position == 0 else "effect"
    if isinstance(node, ast.If) and _is_main_guard(node.test):
        return "main"
    if "__all__" in bound_names([node]):
        return "exports"
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return "assignment" if bound_names([node]) else "effect"
    if isinstance(node, ast.Try | ast.If | ast.With) and bound_names([node]):
        return "assignment"
    return "effect"


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and "__name__" in [
        getattr(each, "id", "") for each in (test.left, *test.comparators)
    ]


def bound_names(body: list[ast.stmt]) -> set[str]:
    """The names that statements bind in their own scope, nested scopes left out."""
    names: set[str] = set()
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, DefinitionNode):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update(bound_by_import(node, a) for a in node.names if a.name != "*")
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            walrus = [each for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
            stack.extend(each.target for each in walrus)
            continue
        stack.extend(ast.iter_child_nodes(node))
    return names


def _edges(module: Module, node: ast.AST, function: bool) -> Iterator[ImportEdge]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield ImportEdge(imported(module, node, alias), function)
        return
    if isinstance(node, ast.If) and is_type_checking(node.test):
        for statement in node.orelse:
            yield from _edges(module, statement, function)
        return
    inside = function or isinstance(node, FunctionNode | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _edges(module, child, inside)
