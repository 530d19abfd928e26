"""Which variable names the database, and which commands make and fill its schema."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.operation.guess.fixed_database import (
    SETTING,
    Setting,
    database_settings,
    selected_configuration,
)
from migrator.operation.guess.project import Guess, Module, Project, Read

_URL = re.compile(r"(sqlite|postgres(ql)?|mysql|mariadb)(\+\w+)?://")
_ENGINES = {"create_engine", "create_async_engine"}
_SETTING = "SQLALCHEMY_DATABASE_URI"
_OF_PARTS = "create"
"""The last name of SQLAlchemy's `URL.create`: what it is given is a part, never the URL."""

_MAKES = re.compile(
    r"(?i)(init|initialize|create|setup|make|sync|upgrade|migrate)"
    r"([-_]?(db|database|tables|schema|all))?|(db|database)[-_](init|create|upgrade)|deploy"
)
_SEEDS = re.compile(
    r"(?i)seed([-_]?\w+)*|\w+[-_]seed|load[-_]?(fixtures|data|demo|seed)\w*|populate([-_]?\w+)*"
    r"|(demo|sample|test|fake)[-_]?data|fixtures"
)
_SAYS_SEEDS = re.compile(
    r"(?i)\b((fake|sample|demo|dummy|example|initial) data|populates?|seeds?)\b"
)
_UPGRADES = re.compile(r"\b((?:python -m )?flask (?:db upgrade|deploy)|alembic upgrade heads?)\b")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the project offers, and the function that does it."""

    shell: str
    name: str
    place: str
    makes_tables: bool
    about: str = ""
    """What its help says."""


def guess_database(project: Project, application: str) -> Guess:
    """The variable whose value becomes SQLAlchemy's URL, or the URL that the code itself names."""
    reads = [read for read in project.reads if _names_database(read, project)]
    fixed = _fixed(project, application, {read.owner for read in reads})
    if fixed is not None:
        return fixed
    if not reads:
        return _not_read(project)
    selected = selected_configuration(project, application)
    plain = [read for read in reads if "test" not in f"{read.owner} {read.name}".lower()]
    if not plain:
        because = f"only tests read {reads[0].name} ({reads[0].place}): name the application's own"
        return Guess("DATABASE_URL", because, sure=False)
    chosen = next(
        (read for owner in selected for read in plain if read.owner == owner),
        next((read for read in plain if read.name == "DATABASE_URL"), plain[0]),
    )
    others = sorted({read.name for read in reads} - {chosen.name})
    also = f"; others: {', '.join(others)}" if others else ""
    return Guess(chosen.name, f"{chosen.place} reads it{also}", sure=not others)


def _fixed(project: Project, application: str, readers: set[str]) -> Guess | None:
    """The file that the code names: in the configuration that runs, or where nothing is read."""
    settings = database_settings(project)
    for owner in selected_configuration(project, application):
        if owner in readers:
            return None
        for setting in settings:
            if setting.owner == owner and setting.file:
                return _led(setting)
    if not readers:
        for setting in settings:
            if setting.file and "test" not in setting.owner.lower():
                return _led(setting)
    return None


def _led(setting: Setting) -> Guess:
    because = f"{setting.place} names this file; each running instance is led to one of its own"
    return Guess(f"sqlite:///{setting.file}", because)


def _names_database(read: Read, project: Project) -> bool:
    if read.inside == _OF_PARTS:
        return False
    if SETTING.search(read.target) or read.inside in _ENGINES or SETTING.search(read.name):
        return True
    # URL = os.environ[...] and, further down, create_engine(URL)
    return bool(read.target) and any(
        isinstance(node, ast.Call)
        and read.module.dotted(node.func).rpartition(".")[2] in _ENGINES
        and any(isinstance(a, ast.Name) and a.id == read.target for a in node.args)
        for node in ast.walk(read.module.tree)
    )


def _not_read(project: Project) -> Guess:
    """No variable is read: Flask's own ways to take one, else the place that has to change."""
    fixed = ""
    for module in project.own:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                called = module.dotted(node.func)
                if called.endswith("config.from_prefixed_env"):
                    return Guess(
                        "FLASK_SQLALCHEMY_DATABASE_URI",
                        f"{module.file}:{node.lineno} reads all FLASK_ variables",
                    )
                if called.rpartition(".")[2] in _ENGINES and not fixed:
                    fixed = f"{module.file}:{node.lineno}"
            elif isinstance(node, ast.For) and _takes_every_setting(node):
                place = f"{module.file}:{node.lineno}"
                return Guess(_SETTING, f"{place} reads a variable for each setting")
            elif isinstance(node, ast.Constant) and _URL.match(str(node.value)) and not fixed:
                fixed = f"{module.file}:{node.lineno}"
    because = (
        f"no variable names the database yet: {fixed or 'the code'} must read this variable; or,"
        " where the application opens a SQLite file, write its name here instead: sqlite:///NAME.db"
    )
    return Guess("DATABASE_URL", because, sure=False)


def _takes_every_setting(loop: ast.For) -> bool:
    """`for key in app.config: app.config[key] = os.environ[key]`."""
    configuration, key = ast.unparse(loop.iter), ast.unparse(loop.target)
    if not re.search(r"(?i)config(\.keys\(\))?$", configuration):
        return False
    place = f"{configuration.removesuffix('.keys()')}[{key}]"
    return any(
        isinstance(node, ast.Assign)
        and place in map(ast.unparse, node.targets)
        and re.search(
            rf"\b(environ(\.get)?|getenv)[\[(]{re.escape(key)}\b", ast.unparse(node.value)
        )
        for node in ast.walk(loop)
    )


def guess_migrate(project: Project, application: str) -> Guess:
    """The command that makes the schema in an empty database."""
    for line in project.lines:
        upgrade = _UPGRADES.search(line.text)
        if upgrade:
            return Guess(upgrade.group(1), f"{line.place} runs it")
    for file in project.files:
        if file.endswith("env.py") and file.count("/") <= 2:
            folder = file.rpartition("/")[0]
            if any(each.startswith(f"{folder}/versions/") for each in project.files):
                return _migrations(project, folder)
    offered = [command for command in _commands(project) if _MAKES.fullmatch(command.name)]
    offered.sort(key=lambda command: not command.makes_tables)
    if offered:
        return Guess(offered[0].shell, f"{offered[0].place} offers it")
    return guess_tables(project, application)


def _migrations(project: Project, folder: str) -> Guess:
    uses_flask = any(
        "flask_migrate" in m.imports.values()
        or any(
            value.startswith(("flask_migrate.", "flask_alembic.")) for value in m.imports.values()
        )
        for m in project.own
    )
    if uses_flask and (script := _manager_of_migrations(project)):
        return Guess(
            script, f"{folder}/ holds migrations of Flask-Migrate, which only a script has"
        )
    if uses_flask:
        option = "" if folder == "migrations" else f" --directory {folder}"
        return Guess(f"flask db upgrade{option}", f"{folder}/ holds migrations of Flask-Migrate")
    return Guess("alembic upgrade head", f"{folder}/ holds migrations of Alembic")


def _manager_of_migrations(project: Project) -> str:
    """The command of a Flask-Script that has those of Flask-Migrate, where the application itself
    has not: then there is no `flask db`."""
    found = ""
    for module in project.own:
        calls = [each for each in ast.walk(module.tree) if isinstance(each, ast.Call)]
        named = [
            call.args[0].value
            for call in calls
            if isinstance(call.func, ast.Attribute)
            and call.func.attr == "add_command"
            and len(call.args) == 2
            and module.dotted(call.args[1]) == "flask_migrate.MigrateCommand"
            and isinstance(call.args[0], ast.Constant)
        ]
        if named:
            found = f"python {module.file} {named[0]!s} upgrade"
        elif any(module.dotted(call.func) == "flask_migrate.Migrate" for call in calls):
            return ""
    return found


def guess_seed(project: Project) -> Guess | None:
    """The command that fills a fresh schema; None when none is offered."""
    commands = list(_commands(project))
    named = [command for command in commands if _SEEDS.fullmatch(command.name)]
    for command in named or commands:
        if command in named or _SAYS_SEEDS.search(command.about):
            return Guess(command.shell, f"{command.place} offers it")
    return None


def guess_tables(project: Project, application: str) -> Guess:
    """One line of Python that makes the tables, for projects that have no command for it."""
    module_name, _, attribute = application.partition(":")
    factory = attribute.partition("(")[0]
    made, pushed = f"from {module_name} import {factory};", f" {attribute}.app_context().push();"
    own, scripts = _parts_and_scripts(project, module_name)
    found = [*_makers(own, made, pushed), *_instances(project, made, pushed)]
    found = found or list(_makers(scripts, made, pushed))
    return found[0] if found else Guess("", "nothing was found that makes the tables", sure=False)


def _parts_and_scripts(project: Project, application: str) -> tuple[list[Module], list[Module]]:
    """The modules that belong to the application, and those that nothing imports: scripts, which
    may make one table or another."""
    used = [dotted for module in project.own for dotted in module.imports.values()]
    parts = {
        module.name
        for module in project.own
        if module.name == application
        or any(dotted == module.name or dotted.startswith(f"{module.name}.") for dotted in used)
    }
    return (
        [module for module in project.own if module.name in parts],
        [module for module in project.own if module.name not in parts],
    )


def _makers(modules: list[Module], made: str, pushed: str) -> Iterator[Guess]:
    """Functions without parameters that make tables."""
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef) and _calls(node, "create_all"):
                arguments = node.args
                needed = len(arguments.args) - len(arguments.defaults)
                if not needed and not arguments.kwonlyargs:
                    code = f"from {module.name} import {node.name};"
                    code = f"{made} {code}{pushed}" if _wants_context(module, node) else code
                    yield Guess(
                        _python(f"{code} {node.name}()"),
                        f"{module.file}:{node.lineno} makes the tables",
                    )


def _wants_context(module: Module, function: ast.FunctionDef) -> bool:
    """Whether it works in the context of an application, and makes none itself.

    `db.create_all()` of Flask-SQLAlchemy does, `metadata.create_all(engine)` does not.
    """
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Attribute) and node.attr == "app_context" for node in nodes):
        return False
    return any(
        (isinstance(node, ast.Name) and module.dotted(node) == "flask.current_app")
        or (
            isinstance(node, ast.Call)
            and module.dotted(node.func).endswith(".create_all")
            and ".metadata." not in module.dotted(node.func)
            and not node.args
            and not any(each.arg == "bind" for each in node.keywords)
        )
        for node in nodes
    )


def _instances(project: Project, made: str, pushed: str) -> Iterator[Guess]:
    """Objects of Flask-SQLAlchemy, which make the tables of all their models."""
    for module in project.own:
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                called = module.dotted(node.value.func)
                if called.endswith("flask_sqlalchemy.SQLAlchemy"):
                    name = ast.unparse(node.targets[0])
                    code = f"{made} from {module.name} import {name};{pushed} {name}.create_all()"
                    place = f"{module.file}:{node.lineno}"
                    yield Guess(_python(code), f"no migrations: the tables of {place}")


def _python(code: str) -> str:
    return f"python -c '{code}'" if "'" not in code else f'python -c "{code}"'


def _commands(project: Project) -> Iterator[Command]:
    """Commands of Flask's command line, then of scripts in the root."""
    added = {name for module in project.own for name in _added(module)}
    for module in project.own:
        yield from _flask_commands(module, added)
    for module in project.own:
        if "/" not in module.file and "__main__" in ast.dump(module.tree):
            yield from _script_commands(module)


def _added(module: Module) -> Iterator[str]:
    """The names of groups and commands that are added to others: `app.cli.add_command(group)`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".add_command"):
            yield from (ast.unparse(each).rpartition(".")[2] for each in node.args)


def _flask_commands(module: Module, added: set[str]) -> Iterator[Command]:
    """`@app.cli.command("x")`, `@group.command()`, `@blueprint.cli.command()`, `@click.command`.

    A group of click that nobody adds to another is a program of its own.
    """
    groups = _groups(module, added)
    by_script = any(each.startswith("flask_script") for each in module.imports.values())
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            function = call.func if call else decorator
            if not isinstance(function, ast.Attribute) or function.attr != "command":
                continue
            if _must_be_told(node):
                continue
            receiver = ast.unparse(function.value)
            program = groups.get(receiver.removesuffix(".cli"), "flask ")
            plain = node.name if by_script else node.name.replace("_", "-")
            name = _first_string(call) or plain
            yield Command(
                program + name,
                name,
                f"{module.file}:{node.lineno}",
                _calls(node, "create_all") or _calls(node, "upgrade"),
                _help(node, call),
            )


def _must_be_told(function: ast.FunctionDef) -> bool:
    """Whether a command cannot be run without saying more: `@click.argument("email")`."""
    optional = {"default", "nargs", "required", "envvar"}
    return any(
        isinstance(decorator, ast.Call)
        and ast.unparse(decorator.func).rpartition(".")[2] == "argument"
        and optional.isdisjoint(each.arg for each in decorator.keywords)
        for decorator in function.decorator_list
    )


def _groups(module: Module, added: set[str]) -> dict[str, str]:
    """Variables that are command groups, to what is typed before a command."""
    found: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            dotted = module.dotted(node.value.func)
            called = dotted.rpartition(".")[2]
            name = _first_string(node.value)
            if dotted in ("flask_script.Manager", "flask.cli.FlaskGroup"):
                found[ast.unparse(node.targets[0])] = f"python {module.file} "
            elif called in ("AppGroup", "Group", "Blueprint") and name:
                for keyword in node.value.keywords:
                    if keyword.arg == "cli_group" and isinstance(keyword.value, ast.Constant):
                        name = str(keyword.value.value or "")
                found[ast.unparse(node.targets[0])] = f"flask {name} " if name else "flask "
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                function = call.func if call else decorator
                if isinstance(function, ast.Attribute) and function.attr == "group":
                    name = _first_string(call) or node.name.replace("_", "-")
                    found[node.name] = f"flask {name} "
                    if module.dotted(function) == "click.group" and node.name not in added:
                        code = f"from {module.name} import {node.name}; {node.name}()"
                        found[node.name] = f"{_python(code)} "
    return found


def _script_commands(module: Module) -> Iterator[Command]:
    """Words that a script compares its argument with, or gives to argparse or Flask-Script."""
    makes = "create_all" in ast.dump(module.tree)
    for node in ast.walk(module.tree):
        words: list[tuple[str, int]] = []
        if isinstance(node, ast.Compare):
            words = [
                (constant.value, node.lineno)
                for side in [node.left, *node.comparators]
                for constant in ast.walk(side)
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
            ]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add_parser"):
            words = [(_first_string(node), node.lineno)]
        elif isinstance(node, ast.FunctionDef) and any(
            ast.unparse(decorator).endswith(".command") for decorator in node.decorator_list
        ):
            words = [(node.name, node.lineno)]
        for word, line in words:
            if word:
                yield Command(f"python {module.file} {word}", word, f"{module.file}:{line}", makes)


def _first_string(call: ast.Call | None) -> str:
    if call is None:
        return ""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
    for argument in [*call.args[:1], *named]:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return ""


def _help(function: ast.FunctionDef, call: ast.Call | None) -> str:
    """The first line of what a command says of itself."""
    for keyword in call.keywords if call else []:
        if keyword.arg in ("help", "short_help") and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return (ast.get_docstring(function) or "").partition("\n")[0]


def _calls(function: ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
        for node in ast.walk(function)
    )
