"""The files of a project as guessing needs them.

Syntax trees, the variables that they read, and the lines of Procfile, Dockerfile and scripts.
"""

from __future__ import annotations

import ast
import codecs
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from migrator.facts.syntax import parse
from migrator.model.errors import ConfigurationError, Place

_SKIPPED = {"node_modules", "__pycache__", "site-packages", "build", "dist", "docs"}
_SHELL = re.compile(
    r"(Procfile|Dockerfile.*|.*\.dockerfile|docker-compose.*\.ya?ml|compose.*\.ya?ml|Makefile"
    r"|.*\.sh|.*\.service|supervisord?\.conf|\.flaskenv|app\.ya?ml|render\.ya?ml|fly\.toml)$"
)
_TESTS = re.compile(r"(^|/)(tests?(/|\.py$)|test_[^/]*\.py$|[^/]*_tests?\.py$|conftest\.py$)")


@dataclass(frozen=True, slots=True)
class Guess:
    """A value and why it was taken. `sure` is False where a person has to look."""

    value: str | list[str]
    because: str
    sure: bool = True


@dataclass(frozen=True)
class Module:
    """One parsed file."""

    name: str
    """Dotted from its source root; a package has the package's name."""
    file: str
    """Relative to the project, with `/`."""
    tree: ast.Module
    is_package: bool

    @property
    def is_called_test(self) -> bool:
        return _TESTS.search(self.file) is not None

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to the dotted name that it was imported as."""
        found: dict[str, str] = {}
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    found[local] = alias.name if alias.asname else local
            elif isinstance(node, ast.ImportFrom):
                origin = node.module or ""
                if node.level:
                    parts = package.split(".")
                    parents = parts[: len(parts) - node.level + 1]
                    origin = ".".join([*parents, origin] if origin else parents)
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{origin}.{alias.name}"
        return found

    def dotted(self, node: ast.expr) -> str:
        """What a name or attribute refers to, as far as imports tell; empty for other things."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, f"{self.name}.{node.id}")
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""


@dataclass(frozen=True, slots=True)
class Read:
    """One place where a variable of the environment is read."""

    name: str
    required: bool
    """The application does not start without it."""
    default: str
    """The constant that stands in for it; empty for none."""
    target: str
    """The setting, variable or keyword that it is given to."""
    owner: str
    """The class in whose body it is read."""
    inside: str
    """The function that is called with it, by its last name."""
    module: Module
    line: int

    @property
    def place(self) -> str:
        return f"{self.module.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file that starts processes."""

    file: str
    number: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.number}"


@dataclass
class Project:
    """The files under `root`. Raises ConfigurationError when there is no Python among them."""

    root: Path
    unparsed: list[str] = field(default_factory=list)
    scripts: list[Module] = field(default_factory=list)
    """Files that a package of their name hides from imports."""

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise ConfigurationError(
                "is not a folder",
                place=Place(str(self.root)),
                hint="give the root folder of the monolith",
            )
        if not any(file.endswith(".py") for file in self.files):
            raise ConfigurationError(
                "there is no Python file",
                place=Place(str(self.root)),
                hint="give the root folder of the monolith",
            )

    @cached_property
    def files(self) -> list[str]:
        """All files that are the project's own, sorted with the highest first."""
        found: list[str] = []
        for folder, folders, names in os.walk(self.root):
            inside = os.path.relpath(folder, self.root)
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".")
                and name not in _SKIPPED
                and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            ]
            found += [
                name if inside == "." else f"{inside}/{name}".replace(os.sep, "/") for name in names
            ]
        return sorted(found, key=lambda file: (file.count("/"), file))

    @cached_property
    def modules(self) -> dict[str, Module]:
        """Modules by dotted name; a file that does not parse is in `unparsed`.

        A file beside the package of its name is none: it can be run (`scripts`), not imported.
        """
        found: dict[str, Module] = {}
        for file in self.files:
            if not file.endswith(".py"):
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = parse((self.root / file).read_bytes())
            except (SyntaxError, ValueError, OSError):
                self.unparsed.append(file)
                continue
            parts = file.removesuffix(".py").split("/")
            if parts[0] == "src" and len(parts) > 1 and not self.is_file("src/__init__.py"):
                parts = parts[1:]
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            module = Module(name, file, tree, is_package)
            if self.is_file(f"{file.removesuffix('.py')}/__init__.py"):
                self.scripts.append(module)
            elif name:
                found.setdefault(name, module)
        return found

    @cached_property
    def tests(self) -> list[Module]:
        """The modules that are tests: called so, and imported by nothing else."""
        used = {
            name
            for module in self.modules.values()
            if not module.is_called_test
            for name in module.imports.values()
        }
        return [
            module
            for module in self.modules.values()
            if module.is_called_test and module.name not in used
        ]

    @cached_property
    def own(self) -> list[Module]:
        """The modules that are no tests."""
        tests = {module.name for module in self.tests}
        return [module for module in self.modules.values() if module.name not in tests]

    @property
    def uses_flask(self) -> bool:
        """Whether any module imports Flask, or something that is named after it."""
        imported = (each for module in self.own for each in module.imports.values())
        return any("flask" in each.partition(".")[0].lower() for each in imported)

    def is_file(self, name: str) -> bool:
        return (self.root / name).is_file()

    def text(self, name: str) -> str:
        """A file's text; empty when there is none. PowerShell's `>` writes UTF-16."""
        try:
            raw = (self.root / name).read_bytes()
        except OSError:
            return ""
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return raw.decode("utf-16" if wide else "utf-8-sig", errors="replace")

    @cached_property
    def lines(self) -> list[Line]:
        """Lines of the files that start processes: Procfile first, then the others."""
        names = [file for file in self.files if _SHELL.fullmatch(file.rpartition("/")[2])]
        names.sort(key=lambda file: (file.count("/"), not file.endswith("Procfile"), file))
        return [
            Line(name, number, text.strip())
            for name in names
            for number, text in enumerate(self.text(name).splitlines(), start=1)
            if text.strip() and not text.lstrip().startswith("#")
        ]

    @cached_property
    def reads(self) -> list[Read]:
        """Where the project, its tests left out, reads variables of the environment."""
        return [read for module in self.own for read in reads_of(module)]


def reads_of(module: Module) -> Iterator[Read]:
    """Where a module reads variables of the environment."""
    yield from _reads(module, module.tree, target="", owner="", inside="")


def _reads(module: Module, node: ast.AST, target: str, owner: str, inside: str) -> Iterator[Read]:
    """Walk down, and remember what the value at hand is given to."""
    name, required, default = _environment_read(module, node)
    if name:
        line = getattr(node, "lineno", 0)
        yield Read(name, required, default, target, owner, inside, module, line)
        return
    if isinstance(node, ast.ClassDef):
        owner = node.name
        yield from _settings(module, node)
    elif isinstance(node, ast.Assign):
        target = _target(node.targets[0])
    elif isinstance(node, ast.AnnAssign):
        target = _target(node.target)
    elif isinstance(node, ast.keyword) and node.arg:
        target = node.arg
    elif isinstance(node, ast.Call):
        inside = module.dotted(node.func).rpartition(".")[2] or inside
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            told = str(key.value) if isinstance(key, ast.Constant) else target
            yield from _reads(module, value, told, owner, inside)
        return
    for child in ast.iter_child_nodes(node):
        yield from _reads(module, child, target, owner, inside)


def _settings(module: Module, node: ast.ClassDef) -> Iterator[Read]:
    """The fields of a class of pydantic's settings, each of which a variable of its name sets."""
    if not any(module.dotted(base).endswith("BaseSettings") for base in node.bases):
        return
    prefix = ""
    for each in ast.walk(node):
        if isinstance(each, ast.keyword) and each.arg == "env_prefix":
            prefix = str(getattr(each.value, "value", ""))
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            name = each.target.id
            if "ClassVar" in ast.unparse(each.annotation):
                continue
            constant = each.value.value if isinstance(each.value, ast.Constant) else None
            default = "" if constant is None else str(constant)
            variable = f"{prefix}{name}".upper()
            required = each.value is None
            yield Read(variable, required, default, name, node.name, "", module, each.lineno)


def _environment_read(module: Module, node: ast.AST) -> tuple[str, bool, str]:
    """The variable that an expression reads, whether it must be there, and its default."""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.slice, ast.Constant)
        and module.dotted(node.value) == "os.environ"
    ):
        return str(node.slice.value), True, ""
    if not isinstance(node, ast.Call) or not node.args:
        return "", False, ""
    first = node.args[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return "", False, ""
    called = module.dotted(node.func)
    defaults = [*node.args[1:], *(k.value for k in node.keywords if k.arg == "default")]
    default = (
        str(defaults[0].value)
        if defaults and isinstance(defaults[0], ast.Constant) and defaults[0].value is not None
        else ""
    )
    if called in ("os.environ.get", "os.getenv", "os.environ.setdefault"):
        return first.value, False, default
    # environs, django-environ, python-decouple: env("X"), env.str("X"), config("X"). What an object
    # calls its own `env` is that of a parser or template engine.
    reads = re.fullmatch(r"(.*\.)?(?<!\bself\.)env(\.\w+)?|decouple\.config", called)
    if reads and first.value.isupper():
        return first.value, not defaults, default
    return "", False, ""


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return ""
