"""A SQLite file that the code itself names, and the configuration class that does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.operation.guess.application import configurations
from migrator.operation.guess.project import Module, Project

SETTING = re.compile(r"(?i)(DATABASE|DB|SQLALCHEMY)_?(URI|URL|DSN)|SQLALCHEMY_DATABASE_URI")
_FILE = re.compile(r"[^/\\]+\.(db3?|sqlite3?|sdb)", re.IGNORECASE)
_ENGINES = {"create_engine", "create_async_engine"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One place that sets the database's URL."""

    owner: str
    """The class in whose body it stands; empty elsewhere."""
    file: str
    """The SQLite file that the expression names; empty where it reads one or names none."""
    place: str


def database_settings(project: Project) -> list[Setting]:
    """All places of the application that set the URL, in the order of files and lines."""
    found = []
    for module in project.own:
        for owner, value in _values(module):
            place = f"{module.file}:{value.lineno}"
            found.append(Setting(owner, _file(_path_in(module, value)), place))
    return found


def selected_configuration(project: Project, application: str) -> list[str]:
    """The configuration class that the application runs with, and its bases by name.

    The classes are the values of a dictionary (`{"development": Development}`), or what
    `from_object` is given; the key is that of a call in the application's expression or module, a
    variable's default, or `default`.
    """
    named = configurations(project)
    chosen = next((named[key] for key in _keys(project, application) if key in named), "")
    chosen = chosen or _from_object(project)
    bases = {
        node.name: [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        for module in project.own
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    order, waiting = [], [chosen]
    while waiting:
        each = waiting.pop(0)
        if each and each not in order:
            order.append(each)
            waiting.extend(bases.get(each, ()))
    return order


def _values(module: Module) -> Iterator[tuple[str, ast.expr]]:
    inside = {
        id(child): node.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for child in node.body
    }
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(map(_is_setting, targets)):
                yield inside.get(id(node), ""), node.value
        elif isinstance(node, ast.Call):
            if module.dotted(node.func).rpartition(".")[2] in _ENGINES and node.args:
                yield "", node.args[0]
            for keyword in node.keywords:
                if keyword.arg == "SQLALCHEMY_DATABASE_URI":
                    yield "", keyword.value
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "SQLALCHEMY_DATABASE_URI":
                    yield "", value


def _is_setting(target: ast.expr) -> bool:
    if isinstance(target, ast.Name):
        return SETTING.fullmatch(target.id) is not None
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return target.slice.value == "SQLALCHEMY_DATABASE_URI"
    return False


def _is_put_together(module: Module, value: ast.AST) -> bool:
    """Whether an expression makes a URL of its parts, none of which is the URL."""
    return isinstance(value, ast.Call) and module.dotted(value.func).endswith("URL.create")


def _path_in(module: Module, value: ast.expr) -> ast.expr:
    """The part of a URL that names the file, where SQLite is what it is made for by default."""
    if not isinstance(value, ast.Call) or not _is_put_together(module, value):
        return value
    given = {keyword.arg: _default(keyword.value) for keyword in value.keywords}
    driver = _default(value.args[0]) if value.args else given.get("drivername")
    database = given.get("database")
    is_sqlite = isinstance(driver, ast.Constant) and str(driver.value).startswith("sqlite")
    return database if is_sqlite and database is not None else value


def _default(value: ast.expr) -> ast.expr:
    """What stands in for a variable of the environment; other expressions as they are."""
    if not isinstance(value, ast.Call) or len(value.args) < 2:
        return value
    reads = re.search(r"(getenv|environ\.get)$", ast.unparse(value.func))
    return value.args[1] if reads else value


def _file(value: ast.expr) -> str:
    """The file's name in `"sqlite:///" + os.path.join(folder, "app.db")` and its like."""
    for node in ast.walk(value):
        words = ast.unparse(node) if isinstance(node, (ast.Attribute, ast.Call)) else ""
        if re.search(r"\b(environ|getenv|config)\b", words) and "path" not in words:
            return ""
    texts = [
        node.value
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for text in texts:
        name = text.rpartition("/")[2]
        if _FILE.fullmatch(name) and not re.match(r"(?!sqlite)\w+(\+\w+)?://", text):
            return name
    return ""


def _keys(project: Project, application: str) -> Iterator[str]:
    """Constants that may be the key, the likeliest first."""
    name, _, attribute = application.partition(":")
    yield from re.findall(r"""['"](\w+)['"]""", attribute)
    variable = attribute.partition("(")[0]
    for module in project.own:
        if module.name != name:
            continue
        for statement in module.tree.body:
            if isinstance(statement, ast.Assign) and variable in map(
                ast.unparse, statement.targets
            ):
                yield from _texts(statement.value)
    for module in project.own:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef) and "conf" in ast.unparse(node.args):
                yield from (text for each in node.args.defaults for text in _texts(each))
            elif isinstance(node, ast.Call) and re.search(
                r"(getenv|environ\.get)$", ast.unparse(node.func)
            ):
                yield from (text for each in node.args[1:] for text in _texts(each))
    yield "default"


def _texts(value: ast.expr) -> list[str]:
    return [
        node.value
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _from_object(project: Project) -> str:
    for module in project.own:
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "from_object"
                and node.args
            ):
                given = node.args[0]
                text = given.value if isinstance(given, ast.Constant) else ast.unparse(given)
                return str(text).rpartition(".")[2]
    return ""
