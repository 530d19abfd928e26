"""The same program in disguise: other names, and definitions that do not depend on each other in
the opposite order. A call graph of the one is that of the other, with the names exchanged.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping

_OF_BUILTINS = frozenset(dir(builtins)) | {
    name
    for kind in (str, bytes, int, list, tuple, dict, set, frozenset, type, BaseException, object)
    for name in dir(kind)
}
_DOTTED = re.compile(r"\.*[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class Disguise:
    """New names for everything that the files of a program define, `main` and the like included.

    `kept` are names that libraries give a meaning (`asyncio`'s `run`, a signature's keyword), and
    that must stay as they are.
    """

    def __init__(self, files: Mapping[str, str], kept: Iterable[str] = ()) -> None:
        spared = set(kept) | _OF_BUILTINS | _outside(files)
        self._names: dict[str, str] = {}
        for name in sorted(_defined(files)):
            if name not in spared and not (name.startswith("__") and name.endswith("__")):
                digest = hashlib.md5(name.encode()).hexdigest()[:7]
                self._names[name] = f"Q{digest}" if name[:1].isupper() else f"q{digest}"

    def name(self, dotted: str) -> str:
        """A dotted name, or a node of a call graph, in disguise."""
        if dotted.startswith("<"):
            return dotted
        return ".".join(self._names.get(part, part) for part in dotted.split("."))

    def files(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files in disguise, with other paths."""
        return {
            "/".join(self._part(part) for part in path.split("/")): reordered(self._source(text))
            for path, text in files.items()
        }

    def _part(self, part: str) -> str:
        stem = part.removesuffix(".py")
        return self._names.get(stem, stem) + part[len(stem) :]

    def _source(self, text: str) -> str:
        tokens = []
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            written = token.string
            if token.type == tokenize.NAME:
                written = self._names.get(written, written)
            elif token.type == tokenize.STRING:
                written = self._string(written)
            tokens.append((token.type, written))
        return tokenize.untokenize(tokens)

    def _string(self, written: str) -> str:
        try:
            value = ast.literal_eval(written)
        except (ValueError, SyntaxError):
            return written
        if not isinstance(value, str) or not _DOTTED.fullmatch(value):
            return written
        return repr(self.name(value))


def _defined(files: Mapping[str, str]) -> set[str]:
    """Names of modules, definitions, parameters, variables, and attributes that are set."""
    found = {part.removesuffix(".py") for path in files for part in path.split("/")}
    for text in files.values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.id if isinstance(node, ast.Name) else node.attr)
            elif isinstance(node, ast.alias) and node.asname:
                found.add(node.asname)
            elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                found.add(node.name)
    return {name for name in found if name.isidentifier() and not keyword.iskeyword(name)}


def _outside(files: Mapping[str, str]) -> set[str]:
    """Names that come from modules outside the program."""
    inside = {path.partition("/")[0].removesuffix(".py") for path in files}
    found: set[str] = set()
    for text in files.values():
        for node in ast.walk(ast.parse(text)):
            parts: list[str] = []
            if isinstance(node, ast.Import):
                parts = [part for alias in node.names for part in alias.name.split(".")]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            if parts and parts[0] not in inside:
                found |= set(parts)
    return found


# -- order ----------------------------------------------------------------------------------------


def reordered(text: str) -> str:
    """The source with neighbouring definitions turned round, as far as nothing can tell."""
    tree = ast.parse(text)
    tree.body = list(_turned(tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body = list(_turned(node.body))
    return ast.unparse(tree) + "\n"


def _turned(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    run: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not any(
            _runs_code(node)
        ):
            run.append(node)
            continue
        yield from _ordered(run)
        run = []
        yield node
    yield from _ordered(run)


def _ordered(run: list[ast.stmt]) -> list[ast.stmt]:
    """The last definition first, but after those that it needs, and namesakes as they were."""
    placed: list[ast.stmt] = []
    waiting = list(reversed(run))
    while waiting:
        for node in waiting:
            earlier = run[: run.index(node)]
            needed = {_name(each) for each in earlier} & (_needs(node) | {_name(node)})
            if not any(_name(each) in needed for each in earlier if each in waiting):
                placed.append(node)
                waiting.remove(node)
                break
    return placed


def _name(node: ast.stmt) -> str:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return node.name


def _at_definition(node: ast.stmt) -> Iterator[ast.AST]:
    """What is evaluated when the definition is executed."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        yield from node.args.defaults
        yield from (each for each in node.args.kw_defaults if each is not None)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        yield from (each.annotation for each in arguments if each.annotation is not None)
        if node.returns is not None:
            yield node.returns
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
        yield from (each.value for each in node.keywords)
        for each in node.body:
            yield from _at_definition(each)
    else:
        yield node


def _needs(node: ast.stmt) -> set[str]:
    names = (inner for part in _at_definition(node) for inner in ast.walk(part))
    return {each.id for each in names if isinstance(each, ast.Name)}


def _runs_code(node: ast.stmt) -> Iterator[bool]:
    """Definitions that call or number something (lambdas) stay where they are."""
    if node.decorator_list or (isinstance(node, ast.ClassDef) and node.keywords):  # type: ignore[attr-defined]
        yield True
    for part in _at_definition(node):
        for inner in ast.walk(part):
            yield isinstance(inner, ast.Call | ast.Lambda)
