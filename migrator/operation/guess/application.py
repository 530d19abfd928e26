"""Which WSGI application a project has, and which processes run beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from migrator.operation.guess.project import Guess, Line, Module, Project

_SERVER = re.compile(r"\b(?:gunicorn|waitress-serve|uwsgi|hypercorn|mod_wsgi-express)\b(.*)")
_TARGET = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?$")
_FLASK_APP = re.compile(r"\bFLASK_APP[= ]\s*[\"']?([^\s\"']+(?:\([^)]*\))?)")
_FIRST_FILES = ("wsgi", "autoapp", "app", "application", "main", "run", "server", "manage")
_BROKER = re.compile(r"\b(celery|rq|dramatiq|huey|arq)\b")
_PROCFILE = re.compile(r"^([A-Za-z][\w-]*):\s*(.+)$")


@dataclass(frozen=True, slots=True)
class Factory:
    """A function that makes the application."""

    module: Module
    node: ast.FunctionDef

    @property
    def dotted(self) -> str:
        return f"{self.module.name}.{self.node.name}"

    @property
    def required(self) -> list[str]:
        """Parameters without a default."""
        arguments = self.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        plain = positional[: len(positional) - len(arguments.defaults)]
        keyword = [
            argument
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is None
        ]
        return [argument.arg for argument in [*plain, *keyword]]


def guess_application(project: Project) -> Guess | None:
    """The application as `module:attribute` or `module:factory()`; None when there is none.

    What the team's own files start comes first, then what the code defines.
    """
    return _served(project) or _flask_app(project) or _defined(project)


def guess_processes(project: Project) -> dict[str, Guess]:
    """Processes of the Procfile beside the web and release lines."""
    found: dict[str, Guess] = {}
    for line in project.lines:
        entry = _PROCFILE.match(line.text) if line.file.endswith("Procfile") else None
        if entry and entry.group(1) not in ("web", "release"):
            broker = _BROKER.search(entry.group(2))
            because = f"{line.place} starts it"
            if broker:
                because += f"; {broker.group()} needs a broker that runs here: leave it out, or say"
                because += " in `environment` where the broker is"
            found[entry.group(1)] = Guess(entry.group(2), because, sure=not broker)
    return found


def _served(project: Project) -> Guess | None:
    """What gunicorn or another server is started with."""
    for line in project.lines:
        server = _SERVER.search(line.text)
        if not server:
            continue
        words = re.sub(r"[\"',\[\]]", " ", server.group(1)).split()
        for word in words:
            module, _, attribute = word.removeprefix("--call=").partition(":")
            if _TARGET.match(word) and module in project.modules and attribute:
                return Guess(word, f"{line.place} starts it")
        if words and words[-1] in project.modules:
            return Guess(f"{words[-1]}:application", f"{line.place} starts it")
    return None


def _flask_app(project: Project) -> Guess | None:
    for line in project.lines:
        named = _FLASK_APP.search(line.text)
        if named:
            guess = _of_flask_app(project, named.group(1), line)
            if guess:
                return guess
    return None


def _of_flask_app(project: Project, value: str, line: Line) -> Guess | None:
    """What the `flask` command would find for FLASK_APP."""
    path, _, attribute = value.partition(":")
    name = path.removesuffix(".py").replace("/", ".").strip(".").removeprefix("src.")
    module = project.modules.get(name)
    if module is None:
        return None
    because = f"FLASK_APP in {line.place}"
    if attribute:
        return Guess(f"{name}:{attribute}", because)
    found = _in_module(project, module, _factories(project))
    return Guess(found[0], f"{because}, {found[1]}") if found else None


def _defined(project: Project) -> Guess | None:
    factories = _factories(project)
    by_rank = sorted(project.own, key=lambda m: (_rank(m), m.file.count("/"), m.file))
    for module in by_rank:
        started = _started(project, module, factories)
        if started:
            return started
    tools = [module for module in by_rank if _does_something_else(module)]
    by_factory = sorted(factories.values(), key=lambda f: (_rank(f.module), f.dotted))
    guesses = chain(
        _as_objects(project, [module for module in by_rank if module not in tools], factories),
        (_call(project, factory) for factory in by_factory),
        _as_objects(project, tools, factories),
    )
    return next(filter(None, guesses), None)


def _as_objects(
    project: Project, modules: Iterable[Module], factories: dict[str, Factory]
) -> Iterator[Guess]:
    """Applications that stand in modules as objects."""
    for module in modules:
        found = _in_module(project, module, factories, only_objects=True)
        if found:
            yield Guess(*found)


def _does_something_else(module: Module) -> bool:
    """Whether a script does some work when it is run, for which it needs an application."""
    works = any(
        isinstance(node, ast.With) and "app_context()" in ast.unparse(node.items[0].context_expr)
        for node in module.tree.body
    )
    return (works and _rank(module) == len(_FIRST_FILES)) or any(
        isinstance(node, ast.If)
        and "__main__" in ast.unparse(node.test)
        and not re.search(r"\.(run|serve\w*|cli)\b|_forever|run_simple|\brun\(", ast.unparse(node))
        for node in module.tree.body
    )


def _started(project: Project, module: Module, factories: dict[str, Factory]) -> Guess | None:
    """The application of another module that a script imports, completes and runs.

    What the script imports besides (its views, say) is registered by being imported.
    """
    own = {name.partition(".")[0] for name in project.modules}
    for node in module.tree.body:
        if not (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)):
            continue
        for call in ast.walk(node):
            if not (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "run"
                and isinstance(call.func.value, ast.Name)
            ):
                continue
            name = call.func.value.id
            origin, _, attribute = _resolved(project, module.dotted(call.func.value)).rpartition(
                "."
            )
            made_in = project.modules.get(origin)
            if made_in is None or made_in is module:
                continue
            if attribute in _objects(project, made_in, factories) and any(
                value.partition(".")[0] in own and value.rpartition(".")[0] != origin
                for value in module.imports.values()
            ):
                place = f"{module.file}:{call.lineno}"
                return Guess(f"{module.name}:{name}", f"{place} runs it, with what it imports")
    return None


def _rank(module: Module) -> int:
    last = module.name.rpartition(".")[2]
    return _FIRST_FILES.index(last) if last in _FIRST_FILES else len(_FIRST_FILES)


def _in_module(
    project: Project, module: Module, factories: dict[str, Factory], *, only_objects: bool = False
) -> tuple[str, str] | None:
    """An application object of a module's top level, else its factory."""
    for name, line in _objects(project, module, factories).items():
        completed = _completing(project, module, name, factories)
        if completed:
            return str(completed.value), completed.because
        registering = _registering(project, module, name)
        if registering:
            return registering
        return f"{module.name}:{name}", f"{module.file}:{line} makes it"
    if not only_objects:
        for factory in factories.values():
            if factory.module is module:
                guess = _call(project, factory)
                if guess:
                    return str(guess.value), guess.because
    return None


def _objects(project: Project, module: Module, factories: dict[str, Factory]) -> dict[str, int]:
    """The names that a module's top level gives to applications, with the line of the first."""
    found: dict[str, int] = {}
    for node in _top_level(module.tree.body):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and _makes_application(project, module, node.value, factories)
        ):
            found.setdefault(node.targets[0].id, node.lineno)
    return found


def _completing(
    project: Project, module: Module, name: str, factories: dict[str, Factory]
) -> Guess | None:
    """A factory beside an application object that returns this object: it sets it up first."""
    for factory in factories.values():
        if factory.module is module and name in _returned(factory.node):
            return _call(project, factory)
    return None


def importers(project: Project, application: str) -> Iterator[tuple[Module, str, bool]]:
    """The modules that import an application (`module:name`), each with the name that it has there,
    and whether routes are registered with it there."""
    dotted = application.replace(":", ".")
    for module in project.own:
        for local, imported in module.imports.items():
            if imported == dotted:
                yield module, local, f"@{local}.route" in ast.unparse(module.tree)


def _registering(project: Project, module: Module, name: str) -> tuple[str, str] | None:
    """The one module that registers routes with an application that another has made for it.

    None where the module that makes it imports what registers, or several do.
    """
    importing = importers(project, f"{module.name}:{name}")
    found = {other: local for other, local, registers in importing if registers}
    imported = set(module.imports.values())
    if len(found) != 1 or any(other.name in imported for other in found):
        return None
    ((other, local),) = found.items()
    if any(each.startswith(f"{other.name}.") for each in imported):
        return None
    return f"{other.name}:{local}", f"{other.file} registers its routes, {module.file} makes it"


def _top_level(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that an import executes, those under `if` and `try` included."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if isinstance(node, ast.If) and "__main__" not in ast.unparse(node.test):
            found += _top_level([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            found += _top_level(node.body)
    return found


def _makes_application(
    project: Project, module: Module, value: ast.expr, factories: dict[str, Factory]
) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = _resolved(project, module.dotted(value.func))
    return called in factories or _is_flask(project, called)


def _is_flask(project: Project, dotted: str, depth: int = 5) -> bool:
    """Whether a class is Flask's, or a class of the project that inherits it."""
    if dotted in ("flask.Flask", "flask.app.Flask", "quart.Quart"):
        return True
    module = project.modules.get(dotted.rpartition(".")[0])
    if module is None or depth == 0:
        return False
    return any(
        _is_flask(project, _resolved(project, module.dotted(base)), depth - 1)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name == dotted.rpartition(".")[2]
        for base in node.bases
    )


def _resolved(project: Project, dotted: str, depth: int = 5) -> str:
    """The place of definition of a name that packages pass on by importing it."""
    origin, _, name = dotted.rpartition(".")
    module = project.modules.get(origin)
    if module is None or depth == 0 or name not in module.imports:
        return dotted
    onward = module.imports[name]
    return onward if onward == dotted else _resolved(project, onward, depth - 1)


def _factories(project: Project) -> dict[str, Factory]:
    """Functions that return an application they made, by dotted name."""
    found: dict[str, Factory] = {}
    for _ in range(3):
        before = len(found)
        for module in project.own:
            objects = set(_objects(project, module, found))
            for node in module.tree.body:
                if isinstance(node, ast.FunctionDef) and _returns_application(
                    project, module, node, found, objects
                ):
                    found.setdefault(f"{module.name}.{node.name}", Factory(module, node))
        if len(found) == before:
            break
    return found


def _returns_application(
    project: Project,
    module: Module,
    function: ast.FunctionDef,
    known: dict[str, Factory],
    objects: set[str],
) -> bool:
    """`objects` are the names of applications that the module holds itself."""
    made = set(objects)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _makes_application(project, module, node.value, known):
            made.update(t.id for t in node.targets if isinstance(t, ast.Name))
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            if isinstance(node.value, ast.Name) and node.value.id in made:
                return True
            if _makes_application(project, module, node.value, known):
                return True
    return False


def _returned(function: ast.FunctionDef) -> set[str]:
    """Names of the module that a function returns; what it assigns itself is its own."""
    shared = {n for each in ast.walk(function) if isinstance(each, ast.Global) for n in each.names}
    stored = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return {
        node.value.id
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Name)
    } - (stored - shared)


def _call(project: Project, factory: Factory) -> Guess | None:
    place = f"{factory.module.file}:{factory.node.lineno} makes it"
    target = f"{factory.module.name}:{factory.node.name}"
    required = factory.required
    if not required:
        return Guess(f"{target}()", place)
    for module, call, given in _calls_by_constants(project, factory):
        if len(given) >= len(required):
            made = f"{target}({', '.join(given)})"
            return Guess(made, f"{module.file}:{call.lineno} calls it so")
    if len(required) == 1 and "conf" in required[0] and default_configuration(project):
        return Guess(f'{target}("default")', f"{place}; the configuration is a guess", sure=False)
    return None


def _calls_by_constants(
    project: Project, factory: Factory
) -> Iterator[tuple[Module, ast.Call, list[str]]]:
    """Where a factory is called with constants alone, and with which."""
    for module in [*project.own, *project.scripts]:
        for call in ast.walk(module.tree):
            if (
                isinstance(call, ast.Call)
                and (given := _literals(call))
                and _resolved(project, module.dotted(call.func)) == factory.dotted
            ):
                yield module, call, given


def _literals(call: ast.Call) -> list[str]:
    """The arguments of a call where all of them are constants; none otherwise."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not all(isinstance(each, ast.Constant) for each in values):
        return []
    return [ast.unparse(each) for each in (*call.args, *call.keywords)]


def hidden_application(project: Project) -> str:
    """What to say of a script that makes an application which no server can import."""
    for module in project.scripts:
        if _objects(project, module, _factories(project)):
            return (
                f"{module.file} makes one, but `import {module.name}` finds the package of that"
                " name: give the file another name"
            )
    return ""


def default_configuration(project: Project) -> str:
    """The class that a dictionary of configurations has under `default`; empty for none."""
    return configurations(project).get("default", "")


def configurations(project: Project) -> dict[str, str]:
    """The classes that dictionaries of configurations have, by key; of several the first."""
    found: dict[str, str] = {}
    for module in project.own:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if (
                        isinstance(key, ast.Constant)
                        and isinstance(key.value, str)
                        and isinstance(value, (ast.Name, ast.Attribute))
                        and (name := ast.unparse(value).rpartition(".")[2])[:1].isupper()
                    ):
                        found.setdefault(key.value, name)
    return found
