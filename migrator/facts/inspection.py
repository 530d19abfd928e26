"""What the text of a file tells that the graph does not keep: how complex and how annotated its
functions are, which attributes methods share, and how columns are compared.

Read from the files when a plan is argued about; one parse and one walk a file.
Complexity is T. McCabe's cyclomatic number ("A complexity measure", IEEE TSE 2(4), 1976).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from migrator.facts.syntax import parse

Comparison = Literal["text", "range", "equal", "order"]

_TEXT_METHODS = {
    "like", "ilike", "notlike", "not_like", "notilike", "not_ilike", "contains", "icontains",
    "match", "regexp_match",
}  # fmt: skip
_METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
_ORDER_METHODS = {"desc", "asc"}
_BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.comprehension,
    ast.Assert, ast.match_case,
)  # fmt: skip
_SQL_LIKE = re.compile(r"(\w+)\s*(?:\)\s*)?(?:not\s+)?(?:i?like|glob|match|~\*?)\s", re.IGNORECASE)
_SQL = re.compile(r"\b(?:from|update|into)\s+[\"`\[]?(\w+)", re.IGNORECASE)


class FunctionText(msgspec.Struct, frozen=True, kw_only=True):
    """One function or method; `name` is dotted within its module."""

    name: str
    line: int
    end_line: int
    complexity: int
    annotated: int
    """Parameters (self and cls left out) and result that have an annotation."""
    annotatable: int
    attributes: frozenset[str] = frozenset()
    """Attributes of `self` that it uses, methods that it calls on `self` included."""


class ColumnUse(msgspec.Struct, frozen=True, kw_only=True):
    """How an attribute of a class, or a column in SQL, is compared or sorted by."""

    owner: str
    """The name before the dot (`Title` in `Title.name`); for SQL the table after FROM."""
    attribute: str
    how: Comparison
    line: int


class Url(msgspec.Struct, frozen=True, kw_only=True):
    """A text that begins as paths of URLs do, or with something filled in before: `{}`."""

    text: str
    method: str = ""
    """The HTTP method, where it is the argument of a call such as `client.post(...)`."""
    line: int


class FileText(msgspec.Struct, frozen=True, kw_only=True):
    """All of one file; empty for a file that cannot be parsed."""

    functions: tuple[FunctionText, ...] = ()
    uses: tuple[ColumnUse, ...] = ()
    urls: tuple[Url, ...] = ()
    imports: tuple[str, ...] = ()
    """Dotted names as they are imported, relative ones left out."""
    called: frozenset[str] = frozenset()
    """The last names of what is called."""


def inspect_file(path: Path) -> FileText:
    """What a file tells; nothing where it cannot be read or parsed by this interpreter."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return FileText()
    reader = _Reader()
    reader.visit_all(tree.body, "", None)
    return FileText(
        functions=tuple(reader.functions),
        uses=tuple(dict.fromkeys(reader.uses)),
        urls=tuple(dict.fromkeys(reader.urls)),
        imports=tuple(dict.fromkeys(reader.imports)),
        called=frozenset(reader.called),
    )


class _Reader:
    def __init__(self) -> None:
        self.functions: list[FunctionText] = []
        self.uses: list[ColumnUse] = []
        self.urls: list[Url] = []
        self.imports: list[str] = []
        self.called: set[str] = set()
        self._requested: dict[int, str] = {}
        """Texts that are the argument of a request, by identity, with its method."""

    def visit_all(self, nodes: Iterable[ast.AST], scope: str, counts: _Counts | None) -> None:
        for node in nodes:
            self._visit(node, scope, counts)

    def _visit(self, node: ast.AST, scope: str, counts: _Counts | None) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.visit_all([*node.decorator_list, node.args], scope, counts)
            inner = _Counts()
            name = f"{scope}{node.name}"
            self.visit_all(node.body, f"{name}.", inner)
            self.functions.append(_function(node, name, inner))
            if counts is not None:
                counts.attributes |= inner.attributes
            return
        if isinstance(node, ast.ClassDef):
            self.visit_all([*node.decorator_list, *node.bases], scope, counts)
            self.visit_all(node.body, f"{scope}{node.name}.", None)
            return
        if counts is not None:
            if isinstance(node, _BRANCHES):
                counts.branches += 1
            elif isinstance(node, ast.BoolOp):
                counts.branches += len(node.values) - 1
        self._note(node, counts)
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.JoinedStr):
            children = (part for part in children if isinstance(part, ast.FormattedValue))
        self.visit_all(children, scope, counts)

    def _note(self, node: ast.AST, counts: _Counts | None) -> None:
        if isinstance(node, ast.Attribute):
            if counts is not None and isinstance(node.value, ast.Name) and node.value.id == "self":
                counts.attributes.add(node.attr)
        elif isinstance(node, ast.Compare):
            self._compared(node)
        elif isinstance(node, ast.Call):
            self._called(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._text(node.value, node)
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
            self._text(text, node)
        elif isinstance(node, ast.Import):
            self.imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            self.imports += [f"{node.module}.{alias.name}" for alias in node.names]

    def _text(self, text: str, node: ast.Constant | ast.JoinedStr) -> None:
        line = node.lineno
        if text.startswith(("/", "{}/")) and "\n" not in text:
            method = self._requested.get(id(node), "")
            self.urls.append(Url(text=text, method=method, line=line))
        tables = _SQL.findall(text)
        if tables:
            for column in _SQL_LIKE.findall(text):
                for table in tables:
                    self._use(table, column, "text", line)

    def _use(self, owner: str, attribute: str, how: Comparison, line: int) -> None:
        self.uses.append(ColumnUse(owner=owner, attribute=attribute, how=how, line=line))

    def _compared(self, node: ast.Compare) -> None:
        for side in (node.left, *node.comparators):
            named = _column(side)
            if named is not None:
                ranged = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
                equal = any(isinstance(op, ast.Eq | ast.In) for op in node.ops)
                if ranged or equal:
                    self._use(*named, "range" if ranged else "equal", node.lineno)

    def _called(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Name):
            self.called.add(function.id)
        if not isinstance(function, ast.Attribute):
            return
        self.called.add(function.attr)
        if function.attr in _METHODS:
            for argument in node.args[:2]:
                self._requested[id(argument)] = function.attr.upper()
        named = _column(function.value)
        if named is not None:
            if function.attr in _TEXT_METHODS:
                self._use(*named, "text", node.lineno)
            elif function.attr in _ORDER_METHODS:
                self._use(*named, "order", node.lineno)
            elif function.attr == "between":
                self._use(*named, "range", node.lineno)
        if function.attr == "order_by":
            for argument in node.args:
                named = _column(argument)
                if named is not None:
                    self._use(*named, "order", node.lineno)
        if function.attr == "filter_by":
            owner = _queried(function.value)
            for keyword in node.keywords:
                if owner and keyword.arg:
                    self._use(owner, keyword.arg, "equal", node.lineno)


class _Counts:
    """What is counted while a function's body is walked."""

    def __init__(self) -> None:
        self.branches = 0
        self.attributes: set[str] = set()


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, counts: _Counts
) -> FunctionText:
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    parameters += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    named = [each for each in parameters if each.arg not in ("self", "cls")]
    return FunctionText(
        name=name,
        line=node.lineno,
        end_line=node.end_lineno or node.lineno,
        complexity=1 + counts.branches,
        annotated=sum(each.annotation is not None for each in named) + (node.returns is not None),
        annotatable=len(named) + 1,
        attributes=frozenset(counts.attributes),
    )


def _column(node: ast.AST) -> tuple[str, str] | None:
    """`Model.column` as its two names, also behind a module and inside of a function of SQL."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        return _column(node.args[0])
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name):
            return (node.value.id, node.attr)
        if isinstance(node.value, ast.Attribute) and node.value.attr != "c":
            return (node.value.attr, node.attr)
    return None


def _queried(node: ast.AST) -> str:
    """The class of `Model.query...` or `select(Model)...`, where it can be read off."""
    while True:
        if isinstance(node, ast.Attribute):
            if node.attr == "query":
                named = node.value
                return named.id if isinstance(named, ast.Name) else getattr(named, "attr", "")
            node = node.value
        elif isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in ("select", "query") and node.args:
                first = node.args[0]
                return first.id if isinstance(first, ast.Name) else getattr(first, "attr", "")
            node = called
        else:
            return ""


class Texts:
    """The files of a project, each inspected when it is first asked for; empty without a root."""

    def __init__(self, root: str) -> None:
        self._root = Path(root) if root else None
        self._known: dict[str, FileText] = {}

    def __getitem__(self, file: str) -> FileText:
        """A file by its path relative to the root."""
        if file not in self._known:
            inspected = inspect_file(self._root / file) if self._root is not None else FileText()
            self._known[file] = inspected
        return self._known[file]
