"""Sources of a newer grammar, rewritten so that the running interpreter's parser reads them.

The rewriting is lexical and keeps the place of every token that stays: lines and columns of the
tree are those of the file. What the older grammar has no words for is blanked or replaced by a name
in parentheses, and put back into the tree afterwards:

* parameters of types, `def f[T](x)` and `class C[T = int]:` (PEP 695, 696), and `type X = ...`;
* formatted strings that hold their own quotes, backslashes, comments or line ends (PEP 701), and
  template strings (PEP 750), which are read as formatted ones;
* `except A, B:` without parentheses (PEP 758); `[*x for x in xs]` (PEP 798); `lazy import x`
  (PEP 810).

Texts are UTF-8 seen as Latin-1 here: one character a byte, as columns of trees count.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from typing import NamedTuple

from migrator.facts.brackets import blank, closing, is_comprehension, marks, place_of
from migrator.facts.formatted import (
    Formatted,
    Part,
    Unreadable,
    prefix_start,
    read_strings,
)

_NAME = r"[A-Za-z_\x80-\xff][\w\x80-\xff]*"
_GAP = r"(?:[ \t]|\\\n)"
_MARK = re.compile(r"""[\n;:#'"()\[\]{}]""")
"""One set of characters: searching for these is an order of magnitude faster than for words."""
_STATEMENT = re.compile(
    rf"""
    [ \t]* (?:async[ \t]+)?
    (?:
        (?P<header>(?:def|class){_GAP}+{_NAME}{_GAP}*\[)
      | (?P<alias>type{_GAP}+(?P<name>{_NAME}){_GAP}*(?P<mark>\[|=(?!=)))
      | (?P<except>except\b\*?)
      | (?P<lazy>lazy[ \t]+(?=(?:import|from)\b))
    )
    """,
    re.VERBOSE,
)
_STARS = re.compile(r"(?:\s|\\\n|#[^\n]*\n)*(?P<stars>\*\*?)(?!\*)\s*")
_EQUALS = re.compile(rf"{_GAP}*=(?!=)")
_MOST_STRINGS = 10_000


class TypeParameter(NamedTuple):
    """One parameter between the brackets of a definition, as `ast.TypeVar` has it."""

    name: str
    bound: ast.expr | None


class _Lowered:
    """A text in the older grammar, and what is to be put back into its tree."""

    def __init__(self, text: str) -> None:
        self.source = text
        self.pieces: list[str] = []
        self.copied = 0
        self.strings: dict[str, Formatted] = {}
        self.lines: list[int] = []
        """Where something is to be put back, in order."""
        self.headers: dict[int, str] = {}
        """Lines of definitions to what stands between their brackets."""
        self.handlers: set[int] = set()
        self.aliases: set[int] = set()
        """Lines of `type X[T] = ...`, which became `X[0] = ...`."""
        self.unpacking: dict[tuple[int, int], bool] = {}
        """Places of elements of comprehensions to whether they are mappings."""
        self.changed = False
        self.prefix = next(p for p in ("_f", "_g", "_h", "_fstring") if f"({p}" not in text)
        self._lower()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def replace(self, start: int, end: int, text: str) -> None:
        """Put a text of the same length in place of a part of the source."""
        self.pieces += (self.source[self.copied : start], text)
        self.copied = end
        self.changed = True

    def line(self, position: int) -> int:
        return self.source.count("\n", 0, position) + 1

    def _lower(self) -> None:
        source, depth = self.source, 0
        position = self._statement(0, depth)
        while True:
            match = _MARK.search(source, position)
            if match is None:
                break
            position, mark = match.end(), match.group()
            if mark in "\n;:":
                position = self._statement(position, depth)
            elif mark in "'\"":
                position = self._string(prefix_start(source, match.start()), depth)
            elif mark == "#":
                end = source.find("\n", position)
                position = end if end >= 0 else len(source)
            elif mark in "([{":
                depth += 1
                self._unpacked(position)
            else:
                depth = max(depth - 1, 0)
        self.pieces.append(source[self.copied :])

    def _statement(self, position: int, depth: int) -> int:
        """What is newer in the head of a statement that may begin there; where to go on."""
        source = self.source
        match = _STATEMENT.match(source, position)
        if match is None:
            return position
        if match["header"]:
            return self._header(match)
        if match["alias"]:
            return self._alias(match)
        if match["lazy"]:
            return self._lazy(match)
        return self._handler(match) if depth == 0 else match.end()

    def _header(self, match: re.Match[str]) -> int:
        """`def f[T](x)` becomes `def f( x)`, and `class C[T]:` becomes `class C():`."""
        source, start = self.source, match.end() - 1
        end = closing(source, match.end())
        self.lines.append(self.line(match.start("header")))
        self.headers[self.lines[-1]] = source[start + 1 : end - 1]
        follows = end
        while source[follows : follows + 1] in (" ", "\t"):
            follows += 1
        if source[follows : follows + 1] == "(":
            self.replace(start, follows + 1, f"({blank(source[start + 1 : follows + 1])}")
            return follows + 1
        self.replace(start, end, f"({blank(source[start + 1 : end - 1])})")
        return end

    def _string(self, start: int, depth: int) -> int:
        run = read_strings(self.source, start, across_lines=depth > 0)
        for each in run.templates:
            self.replace(each, each + 1, "f")
        if run.parts:
            name = f"{self.prefix}{len(self.strings)}"
            inside = self.source[start + 1 : run.end - 1]
            room = re.search(rf"[^\n]{{{len(name)}}}", inside)
            if room is None or len(self.strings) > _MOST_STRINGS:
                raise Unreadable
            before, after = inside[: room.start()], inside[room.end() :]
            self.strings[name] = run
            self.lines.append(self.line(start + 1 + room.start()))
            self.replace(start, run.end, f"({blank(before)}{name}{blank(after)})")
        return run.end

    def _unpacked(self, position: int) -> None:
        """`[*x for x in xs]`, behind its bracket: the stars go, and what they say is put back."""
        source = self.source
        match = _STARS.match(source, position)
        if match is None or not is_comprehension(source, match.end()):
            return
        self.replace(match.start("stars"), match.end("stars"), " " * len(match["stars"]))
        place = place_of(source, match.end())
        self.lines.append(place[0])
        self.unpacking[place] = len(match["stars"]) == 2

    def _alias(self, match: re.Match[str]) -> int:
        """`type X[T] = value` becomes `X[0] = value`, the name moved to where `type` stood."""
        source, end = self.source, match.end()
        start, lead = match.start("alias"), match["name"]
        if match["mark"] == "[":
            end = closing(source, end)
            if not _EQUALS.match(source, end):
                return match.end()
            self.lines.append(self.line(start))
            self.aliases.add(self.lines[-1])
            before = blank(source[start + len(lead) : match.end() - 1])
            self.replace(start, end, f"{lead}{before}[0{blank(source[match.end() + 1 : end - 1])}]")
            return end
        self.replace(start, end, f"{lead}{blank(source[start + len(lead) : end - 1])}=")
        return end

    def _handler(self, match: re.Match[str]) -> int:
        """`except A, B:`: commas become `|`, which the tree undoes."""
        source, commas = self.source, []
        for found, _, depth in marks(source, match.end()):
            if depth == 0 and found.group() == ",":
                commas.append(found.start())
            elif depth == 0 and found.group() == ":":
                break
        else:
            return match.end()
        if commas and " as " not in source[match.end() : found.end()]:
            for comma in commas:
                self.replace(comma, comma + 1, "|")
            self.lines.append(self.line(match.end()))
            self.handlers.add(self.lines[-1])
        return found.end()

    def _lazy(self, match: re.Match[str]) -> int:
        end = self.source.find("\n", match.end())
        end = end if end >= 0 else len(self.source)
        statement = self.source[match.end() : end]
        if "(" in statement or "\\" in statement or "#" in statement:
            return match.end()
        start = match.start("lazy")
        self.replace(start, end, statement + " " * (match.end() - start))
        return end


def parse_newer(content: bytes) -> ast.Module | None:
    """The tree of a UTF-8 text of a newer grammar; None where there is nothing newer in it.

    Raises SyntaxError where it does not parse even so.
    """
    try:
        lowered = _Lowered(content.decode("latin-1"))
    except (Unreadable, RecursionError):
        return None
    if not lowered.changed:
        return None
    tree = ast.parse(lowered.text.encode("latin-1").decode("utf-8"))
    _restore(tree, lowered)
    return tree


def _restore(tree: ast.AST, lowered: _Lowered) -> None:
    """Put back into a tree what its text was lowered by."""
    if not lowered.lines:
        return
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if _holds(child, lowered.lines):
                waiting.append(child)
        if isinstance(node, ast.Name):
            string = lowered.strings.get(node.id)
            if string is not None:
                _become(node, string, lowered)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            written = lowered.headers.get(node.lineno)
            if written is not None:
                node.type_params = _type_parameters(written)  # type: ignore[union-attr]
        elif isinstance(node, ast.ExceptHandler) and node.lineno in lowered.handlers:
            node.type = _tuple_of(node.type)
        elif isinstance(node, ast.Assign) and node.lineno in lowered.aliases:
            node.targets = [t.value if isinstance(t, ast.Subscript) else t for t in node.targets]
            for target in node.targets:
                if isinstance(target, ast.Name):
                    target.ctx = ast.Store()
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            mapping = lowered.unpacking.get((node.elt.lineno, node.elt.col_offset))
            if mapping is not None:
                _spread(node, mapping)


def _holds(node: ast.AST, lines: list[int]) -> bool:
    """Whether one of the lines, which are sorted, lies in a node."""
    first: int | None = getattr(node, "lineno", None)
    if first is None:
        return True
    decorators = getattr(node, "decorator_list", None)
    if decorators:
        first = decorators[0].lineno
    index = bisect_left(lines, first)
    return index < len(lines) and lines[index] <= (getattr(node, "end_lineno", None) or first)


def _become(node: ast.Name, string: Formatted, lowered: _Lowered) -> None:
    """A name that stands for formatted strings becomes what they are, in place."""
    line, column = place_of(lowered.source, string.start)
    end_line, end_column = place_of(lowered.source, string.end)
    node.__class__ = ast.JoinedStr  # type: ignore[assignment]
    place = (line, column, end_line, end_column)
    node.values = [_value(part, lowered, place) for part in string.parts]  # type: ignore[attr-defined]
    node.lineno, node.col_offset = line, column
    node.end_lineno, node.end_col_offset = end_line, end_column


def _value(part: Part, lowered: _Lowered, place: tuple[int, int, int, int]) -> ast.expr:
    line, column, end_line, end_column = place
    position = ast.Pass(
        lineno=line, col_offset=column, end_lineno=end_line, end_col_offset=end_column
    )
    if isinstance(part, str):
        return ast.copy_location(ast.Constant(part), position)
    start, end, conversion, format_spec = part
    spec = None
    if format_spec is not None:
        spec = ast.JoinedStr([_value(each, lowered, place) for each in format_spec])
        ast.copy_location(spec, position)
    value = _expression(lowered.source[start:end], *place_of(lowered.source, start))
    return ast.copy_location(ast.FormattedValue(value, conversion, spec), position)


def _expression(text: str, line: int, column: int) -> ast.expr:
    """The tree of an expression that stands at a place; its own strings may be newer too."""
    lowered = _Lowered(f"({text})")
    tree = ast.parse(lowered.text.encode("latin-1").decode("utf-8"), mode="eval")
    _restore(tree, lowered)
    for node in ast.walk(tree.body):
        if isinstance(node, ast.expr | ast.arg | ast.keyword):
            for row, place in (("lineno", "col_offset"), ("end_lineno", "end_col_offset")):
                if getattr(node, row) == 1:
                    setattr(node, place, getattr(node, place) + column - 1)
                setattr(node, row, getattr(node, row) + line - 1)
    return tree.body


def _type_parameters(written: str) -> list[TypeParameter]:
    """`T: Base, *Ts, **P, D = int`, as parameters with their bounds."""
    found = []
    for each in _split(written):
        name, _, bound = each.partition(":")
        name, bound = name.partition("=")[0].strip(" \t\n*"), _before_default(bound).strip()
        try:
            tree = _expression(bound, 1, 0) if bound else None
        except (SyntaxError, Unreadable, ValueError):
            tree = None
        if name:
            found.append(TypeParameter(name, tree))
    return found


def _split(written: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, mark in enumerate(written):
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "," and depth == 0:
            parts.append(written[start:index])
            start = index + 1
    return [*parts, written[start:]]


def _before_default(bound: str) -> str:
    depth = 0
    for index, mark in enumerate(bound):
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "=" and depth == 0:
            return bound[:index]
    return bound


def _tuple_of(node: ast.expr | None) -> ast.expr | None:
    """`A | B | C` as `(A, B, C)`."""
    elements: list[ast.expr] = []
    inner = node
    while isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitOr):
        elements.insert(0, inner.right)
        inner = inner.left
    if node is None or inner is None or not elements:
        return node
    return ast.copy_location(ast.Tuple([inner, *elements], ast.Load()), node)


def _spread(node: ast.ListComp | ast.SetComp | ast.GeneratorExp, mapping: bool) -> None:
    """`[*x for x in xs]` as `[y for x in xs for y in x]`, and `{**x for ...}` likewise."""
    inner, place = node.elt, node.elt
    names = [ast.Name("_unpacked", ast.Load()), ast.Name("_unpacked_value", ast.Load())]
    stored: list[ast.expr] = [ast.Name(each.id, ast.Store()) for each in names]
    target: ast.expr = stored[0]
    if mapping:
        target = ast.Tuple(stored, ast.Store())
        inner = ast.Call(ast.Attribute(inner, "items", ast.Load()), [], [])
        node.__class__ = ast.DictComp  # type: ignore[assignment]
        node.key, node.value = names  # type: ignore[union-attr]
        del node.elt
    else:
        node.elt = names[0]
    node.generators.append(ast.comprehension(target, inner, [], 0))
    for each in (*names, *stored, target, inner, getattr(inner, "func", inner)):
        ast.copy_location(each, place)
