"""Where files lie: the folders that expressions of the code name, without running it.

What `Path(__file__).parent / "uploads"`, `os.path.join(BASE, "exports", name)` or
`current_app.config["UPLOAD_FOLDER"]` is: a folder below the project, or one in `{data}` where the
settings of `[tool.migrator.run.environment]` say so. Paths begin at the project's root, which is
also where its processes run; `*` stands for what only a request knows.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from migrator.facts.syntax import nodes_of, parse

_ROOT = "/\0"
"""What the project's root is called in here, so that no other path can be taken for it."""
_ANY = "*"
_DATA = "{data}"
_SAME = {
    "Path", "PurePath", "PosixPath", "str", "fspath", "abspath", "realpath", "normpath", "resolve",
    "absolute", "expanduser", "as_posix", "secure_filename", "strip", "rstrip",
}  # fmt: skip
_JOINS = {"join", "joinpath", "safe_join"}
_OF_FLASK = {
    "root_path": "{package}",
    "instance_path": "instance",
    "static_folder": "{package}/static",
}
"""Attributes of an application that are folders, and which they are where nothing says else."""
_SET = rb"(?<!\w)%s(?!\w)['\"]?\s*\]?[\s\\]*[:=]"
"""`KEY = `, `KEY: str = `, `["KEY"] = `, `"KEY": ` and `KEY=`, by their text."""
_CONFIGURES = ("config.update", "from_mapping", "config.setdefault")
_DEPTH = 12
_MATTER = (ast.stmt, ast.Call, ast.Dict)


class Folders:
    """The folders that names, settings and functions of one project stand for."""

    def __init__(
        self, root: Path, modules: Mapping[str, str], environment: Mapping[str, str]
    ) -> None:
        self._root = root
        self._files = dict(modules)
        self._environment = environment
        self._contents: dict[str, bytes] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._all_nodes: dict[str, list[ast.AST]] = {}
        self._names: dict[str, dict[str, ast.expr]] = {}
        self._imports: dict[str, dict[str, tuple[str, str]]] = {}
        self._settings: dict[str, list[tuple[str, str, ast.expr]]] = {}
        self._code = {posixpath.dirname(file) for file in modules.values()}

    def of_setting(self, key: str) -> str:
        """The folder that a setting or environment variable names; empty where it is not known."""
        return self._folder(self._setting(key, 0), relative=True, named=True)

    def of_function(self, module: str, line: int, end_line: int) -> list[str]:
        """The folders of files that the code between two lines names, outermost expressions."""
        found: dict[str, None] = {}
        waiting: deque[ast.AST] = deque(
            node
            for node in self._nodes(module)
            if isinstance(node, ast.stmt) and line <= node.lineno <= end_line
        )
        seen: set[int] = set()
        while waiting:
            node = waiting.popleft()
            if id(node) in seen:
                continue
            seen.add(id(node))
            value = self._value(node, module, "", 0) if _may_be_path(node) else None
            folder = self._folder(value, relative=_is_path(node))
            if folder:
                found[folder] = None
                seen.update(map(id, nodes_of(node)))
            else:
                waiting.extend(ast.iter_child_nodes(node))
        return list(found)

    def of_text(self, text: str) -> str:
        """The folder of a file that a text names, relative to where the processes run."""
        return self._folder(posixpath.dirname(text.replace("{}", _ANY)), relative=True, named=True)

    def _folder(self, value: str | None, *, relative: bool = False, named: bool = False) -> str:
        """The folder that a path of a file lies in, or is: a last part with a suffix is a file.

        None that holds code, nor the project itself: nothing else can be put in their place.
        """
        if not value:
            return ""
        ours = value.startswith((_ROOT, _DATA))
        if not ours and (not relative or value.startswith("/")):
            return ""
        parts = [part for part in value.removeprefix(_ROOT).split("/") if part not in ("", ".")]
        if _ANY in "".join(parts):
            parts = parts[: next(n for n, part in enumerate(parts) if _ANY in part)]
        elif not named and parts and "." in parts[-1].lstrip("."):
            parts.pop()
        folder = "/".join(parts)
        if ".." in parts or folder in ("", _DATA):
            return ""
        inside = any(code == folder or code.startswith(folder + "/") for code in self._code)
        return "" if inside else folder

    # -- what expressions are ---------------------------------------------------------------------

    def _value(self, node: ast.AST, module: str, scope: str, depth: int) -> str | None:
        """A text or path; None for what is neither, or not known."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self._named(node.id, module, scope, depth)
        if isinstance(node, ast.BinOp):
            return self._operation(node, module, scope, depth)
        if isinstance(node, ast.JoinedStr):
            parts = [self._value(each, module, scope, depth + 1) for each in node.values]
            return "".join(_ANY if part is None else part for part in parts)
        if isinstance(node, ast.FormattedValue):
            return self._value(node.value, module, scope, depth + 1)
        if isinstance(node, ast.BoolOp):
            values = [self._value(each, module, scope, depth + 1) for each in node.values]
            return next((each for each in values if each), None)
        if isinstance(node, ast.Subscript):
            return self._item(node, module, scope, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, module, scope, depth)
        if isinstance(node, ast.Call):
            return self._call(node, module, scope, depth)
        return None

    def _operation(self, node: ast.BinOp, module: str, scope: str, depth: int) -> str | None:
        left = self._value(node.left, module, scope, depth + 1)
        if left is None:
            return None
        right = self._value(node.right, module, scope, depth + 1)
        if isinstance(node.op, ast.Div):
            return _joined(left, _ANY if right is None else right)
        if isinstance(node.op, ast.Add):
            return left + (_ANY if right is None else right)
        return None

    def _item(self, node: ast.Subscript, module: str, scope: str, depth: int) -> str | None:
        """`config["KEY"]`, `os.environ["KEY"]`, `path.parents[1]`."""
        if not isinstance(node.slice, ast.Constant):
            return None
        key, holder = node.slice.value, ast.unparse(node.value)
        if isinstance(key, str) and holder.endswith(("config", "environ")):
            return self._setting(key, depth + 1)
        above = node.value if isinstance(node.value, ast.Attribute) else None
        if not isinstance(key, int) or above is None or above.attr != "parents":
            return None
        path = self._value(above.value, module, scope, depth + 1)
        for _ in range(key + 1):
            path = posixpath.dirname(path) if path is not None else None
        return path

    def _attribute(self, node: ast.Attribute, module: str, scope: str, depth: int) -> str | None:
        if node.attr == "parent":
            path = self._value(node.value, module, scope, depth + 1)
            return posixpath.dirname(path) if path is not None else None
        holder = ast.unparse(node.value)
        if node.attr in _OF_FLASK and holder.endswith("app"):
            package = posixpath.dirname(self._files[module]).split("/")[0]
            if node.attr == "static_folder" and self._names_static_folder:
                return None
            return _joined(_ROOT, _OF_FLASK[node.attr].format(package=package).lstrip("/"))
        if isinstance(node.value, ast.Name):
            source, name = self._imported(module).get(holder, ("", ""))
            dotted = f"{source}.{name}".strip(".")
            if dotted in self._files:
                return self._named(node.attr, dotted, "", depth)
            where, scope = (source, name) if source in self._files else (module, holder)
            known = self._bound(where).get(f"{scope}.{node.attr}")
            return self._value(known, where, scope, depth + 1) if known is not None else None
        return None

    def _call(self, node: ast.Call, module: str, scope: str, depth: int) -> str | None:
        called = ast.unparse(node.func)
        last = called.rpartition(".")[2]
        arguments = [self._value(each, module, scope, depth + 1) for each in node.args]
        if last in ("getcwd", "cwd"):
            return _ROOT
        if called.endswith(("getenv", "environ.get", "config.get")):
            key = node.args[0] if node.args else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                known = self._setting(key.value, depth + 1)
                return known if known is not None else (arguments[1:] or [None])[0]
            return None
        if last == "dirname":
            return posixpath.dirname(arguments[0]) if arguments and arguments[0] else None
        if last in _JOINS:
            return self._join(node, arguments, module, scope, depth)
        if last in _SAME:
            if arguments and last not in ("strip", "rstrip"):
                return _joined(*(each if each is not None else _ANY for each in arguments))
            if isinstance(node.func, ast.Attribute):
                return self._value(node.func.value, module, scope, depth + 1)
        return None

    def _join(
        self, node: ast.Call, arguments: list[str | None], module: str, scope: str, depth: int
    ) -> str | None:
        parts = [each if each is not None else _ANY for each in arguments]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "joinpath":
            first = self._value(node.func.value, module, scope, depth + 1)
            return None if first is None else _joined(first, *parts)
        if not arguments or arguments[0] is None or isinstance(node.args[0], ast.Starred):
            return None
        return _joined(*parts)

    def _named(self, name: str, module: str, scope: str, depth: int) -> str | None:
        """A name of a class body or module, here or where it is imported from."""
        if name == "__file__":
            return _joined(_ROOT, self._files.get(module, ""))
        names = self._bound(module)
        for key in (f"{scope}.{name}", name) if scope else (name,):
            if key in names:
                inner = key.rpartition(".")[0]
                return self._value(names[key], module, inner, depth + 1)
        source, original = self._imported(module).get(name, ("", ""))
        if source not in self._files or depth > _DEPTH:
            return None  # a name may be imported in a circle
        return self._named(original, source, "", depth + 1)

    def _setting(self, key: str, depth: int) -> str | None:
        given = self._environment.get(key)
        if given is not None:
            return self._given(given)
        if depth > _DEPTH:
            return None
        if key not in self._settings:
            mention = key.encode()
            set_there = re.compile(_SET % re.escape(mention))
            self._settings[key] = [
                (module, scope, value)
                for module in self._files
                if mention in self._content(module) and set_there.search(self._content(module))
                for scope, name, value in self._configured(module)
                if name == key
            ]
        for module, scope, value in self._settings[key]:
            found = self._value(value, module, scope, depth + 1)
            if found is not None:
                return found
        return None

    def _given(self, text: str) -> str | None:
        """What `[tool.migrator.run.environment]` gives: in `{data}`, or below the project."""
        if text.startswith(_DATA):
            return text
        if posixpath.isabs(text):
            inside = Path(text).is_relative_to(self._root)
            return _joined(_ROOT, Path(text).relative_to(self._root).as_posix()) if inside else None
        return None if "{" in text or "://" in text else text

    @cached_property
    def _names_static_folder(self) -> bool:
        """Whether an application or blueprint is given a folder of static files."""
        return any(b"static_folder=" in self._content(module) for module in self._files)

    # -- the text of modules ----------------------------------------------------------------------

    def _content(self, module: str) -> bytes:
        if module not in self._contents:
            try:
                self._contents[module] = (self._root / self._files[module]).read_bytes()
            except (KeyError, OSError):
                self._contents[module] = b""
        return self._contents[module]

    def _tree(self, module: str) -> ast.Module | None:
        if module not in self._trees:
            try:
                self._trees[module] = parse(self._content(module))
            except (SyntaxError, ValueError, RecursionError):
                self._trees[module] = None
        return self._trees[module]

    def _nodes(self, module: str) -> list[ast.AST]:
        """All statements and expressions of a module that matter here, outer ones first."""
        if module not in self._all_nodes:
            tree = self._tree(module)
            walked = nodes_of(tree) if tree is not None else ()
            self._all_nodes[module] = [each for each in walked if isinstance(each, _MATTER)]
        return self._all_nodes[module]

    def _bound(self, module: str) -> dict[str, ast.expr]:
        """Names of a module and, as `Class.name`, of its class bodies; none of a function."""
        if module not in self._names:
            tree = self._tree(module)
            self._names[module] = dict(_bound(tree.body, "")) if tree is not None else {}
        return self._names[module]

    def _configured(self, module: str) -> Iterator[tuple[str, str, ast.expr]]:
        """Class (or nothing), name and value of what may be a setting, wherever it is set."""
        for name, value in self._bound(module).items():
            scope, _, last = name.rpartition(".")
            yield scope, last, value
        for node in self._nodes(module):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                        yield "", str(target.slice.value), node.value
            elif (
                isinstance(node, ast.Call)
                and node.keywords
                and ast.unparse(node.func).endswith(_CONFIGURES)
            ):
                for keyword in node.keywords:
                    if keyword.arg:
                        yield "", keyword.arg, keyword.value
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and str(key.value).isupper():
                        yield "", str(key.value), value

    def _imported(self, module: str) -> dict[str, tuple[str, str]]:
        """Local names to the module and name that they are imported from."""
        if module not in self._imports:
            found: dict[str, tuple[str, str]] = {}
            package = module.split(".")
            if not self._files.get(module, "").endswith("__init__.py"):
                package = package[:-1]
            for node in self._nodes(module):
                if isinstance(node, ast.ImportFrom):
                    base = package[: len(package) - node.level + 1] if node.level else []
                    source = ".".join([*base, *filter(None, [node.module])])
                    for each in node.names:
                        found[each.asname or each.name] = (source, each.name)
                elif isinstance(node, ast.Import):
                    for each in node.names:
                        if "." not in each.name or each.asname:
                            found[each.asname or each.name] = ("", each.name)
            self._imports[module] = found
        return self._imports[module]


def _bound(body: list[ast.stmt], scope: str) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield f"{scope}.{target.id}".strip("."), node.value
        elif isinstance(node, ast.ClassDef):
            yield from _bound(node.body, node.name)
        elif isinstance(node, ast.If | ast.Try):
            yield from _bound([*node.body, *node.orelse], scope)


def _may_be_path(node: ast.AST) -> bool:
    """Whether an expression can be a path by its form: a bare text is none."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div | ast.Add)
    return isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.JoinedStr)


def _is_path(node: ast.AST) -> bool:
    """Whether an expression makes a path for certain, also one that begins nowhere."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] in _JOINS | {"Path", "PurePath"}
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def _joined(*parts: str) -> str:
    """As `os.path.join` and `/` do."""
    return posixpath.normpath(posixpath.join(*parts)) if any(parts) else ""
