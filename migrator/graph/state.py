"""State in the process and on its disk: what keeps a server from being stateless."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from migrator.facts.syntax import parse
from migrator.graph.analysis import Analysis, FileUse, ModuleVariable, Mutation
from migrator.graph.closure import Closure
from migrator.graph.kept_results import extension_objects, memoised_functions, names_imported
from migrator.model.graph import EdgeKind, NodeKind
from migrator.model.program import StateFinding, StateKind

_FOLDER_KEY = re.compile(r"DIR|FOLDER|ROOT|PATH|HOME|UPLOAD|MEDIA|STORAGE|FILE", re.IGNORECASE)
_SECRET = re.compile(r"secret|token|key|salt", re.IGNORECASE)
_RANDOM = re.compile(r"^(secrets\.\w+|os\.urandom|uuid\.uuid[14]|random\.\w+)$")
_RANDOM_MODULE = re.compile(r"(secrets|os|uuid|random)$")
_MAY_MAKE_SECRETS = re.compile(rb"(secrets\.|urandom|uuid[14]|random\.)")
_STATELESS_TAGS = ("flask:", "sqlalchemy:", "blinker:", "click:", "celery:", "flask_restful:")
_NEAR = 3


def find_state(analysis: Analysis) -> None:
    """Add the findings to `Program.state`, sorted by place, and `keeps` edges to the graph."""
    closure = Closure(analysis.program)
    findings = [
        *analysis.program.state,
        *_module_mutables(analysis),
        *memoised_functions(analysis),
        *extension_objects(analysis),
        *_files(analysis, closure),
        *_secrets(analysis),
        *_sessions(analysis),
    ]
    unique = {(each.kind, each.name): each for each in findings}
    analysis.program.state = sorted(
        unique.values(), key=lambda each: (each.file, each.line, each.kind, each.name)
    )
    for finding in analysis.program.state:
        target = analysis.graph.add_node(
            NodeKind.EXTERNAL, f"{finding.kind} {finding.name}", finding.file, finding.line
        )
        for function in (*finding.writers, *finding.readers):
            known = analysis.program.functions.get(function)
            if known is not None:
                source = analysis.graph.add_node(
                    NodeKind.FUNCTION, function, known.file, known.line
                )
                analysis.graph.add_edge(EdgeKind.KEEPS, source, target, finding.file, finding.line)


def _module_mutables(analysis: Analysis) -> Iterator[StateFinding]:
    """Module-level names that functions change while the program runs."""
    by_name: dict[str, list[Mutation]] = {}
    for mutation in analysis.mutations:
        by_name.setdefault(mutation.variable, []).append(mutation)
    variables = {variable.name: variable for variable in analysis.module_variables}
    modules = set(analysis.program.modules)
    mentioned = _mentions(analysis)
    imported = names_imported(analysis)
    lines = _FirstLines(analysis)
    for name, mutations in by_name.items():
        writers = {each.function for each in mutations if each.how != "read"} - modules
        variable = variables.get(name)
        if not writers or name in imported or _is_framework_object(analysis, variable):
            continue
        ways = sorted({each.how for each in mutations if each.how != "read"})
        kind: StateKind = "singleton" if ways == ["global"] else "module-mutable"
        if re.search(r"cache|memo", name.rsplit(".", 1)[-1], re.IGNORECASE):
            kind = "cache"
        readers = {each.function for each in mutations} | mentioned.get(name, set())
        yield StateFinding(
            kind=kind,
            name=name,
            file=variable.file if variable is not None else mutations[0].file,
            line=lines.of(variable, name) or mutations[0].line,
            detail=", ".join(ways),
            writers=tuple(sorted(writers)),
            readers=tuple(sorted(readers - writers - modules)),
        )


class _FirstLines:
    """Where modules first bind their names; each file is read once."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._lines: dict[str, dict[str, int]] = {}

    def of(self, variable: ModuleVariable | None, name: str) -> int:
        """The line of a name; that of the variable where its file does not tell."""
        if variable is None:
            return 0
        known = self._lines.get(variable.file)
        if known is None:
            known = self._lines[variable.file] = self._bound(variable.file)
        return known.get(name.rsplit(".", 1)[-1], variable.line)

    def _bound(self, file: str) -> dict[str, int]:
        try:
            body = parse((self._analysis.root / file).read_bytes()).body
        except (OSError, SyntaxError, ValueError, RecursionError):
            return {}
        found: dict[str, int] = {}
        for node in _import_time(body):
            targets: list[ast.expr | None] = [getattr(node, "target", None)]
            if isinstance(node, ast.Assign):
                targets = [*node.targets]
            for each in targets:
                if isinstance(each, ast.Name):
                    found.setdefault(each.id, node.lineno)
        return found


def _mentions(analysis: Analysis) -> dict[str, set[str]]:
    """Names of modules to the functions whose code mentions them."""
    found: dict[str, set[str]] = {}
    assert analysis.linker is not None
    for function in analysis.linker.functions:
        module = function.module
        if module.facts is None or function.facts.name == "":
            continue
        for owner, index in function.facts.refs:
            if owner == -1:
                name = f"{module.name}.{module.facts.facts.names[index]}"
                found.setdefault(name, set()).add(function.name)
    return found


def _is_framework_object(analysis: Analysis, variable: ModuleVariable | None) -> bool:
    """Whether it is an application, a session, a signal: configured once, not state."""
    if variable is None:
        return False
    engine = analysis.engine
    assert engine is not None
    return any(
        engine.values.view(value).tag.startswith(_STATELESS_TAGS)
        for value in variable.values
        if engine.values.view(value).tag
    )


def _files(analysis: Analysis, closure: Closure) -> Iterator[StateFinding]:
    """Files that are written while the program runs, by the setting that says where they lie."""
    keys = _keys_of_functions(analysis)
    callers = _callers(analysis, closure)
    found: dict[str, list[FileUse]] = {}
    for use in analysis.file_uses:
        if use.function in analysis.program.modules:
            continue
        named = _folders(closure, keys, use.function) or _folders_of_callers(
            closure, keys, callers, use.function
        )
        for name in named or (use.function,):
            found.setdefault(name, []).append(use)
    for name, uses in found.items():
        writers = [use for use in uses if use.kind == "write"]
        if not writers:
            continue
        first = min(writers, key=lambda use: (use.file, use.line))
        writing = {use.function for use in writers}
        yield StateFinding(
            kind="local-file",
            name=name,
            file=first.file,
            line=first.line,
            detail=", ".join(sorted({use.how.rsplit(".", 1)[-1] for use in writers})),
            writers=tuple(sorted(writing)),
            readers=tuple(sorted({use.function for use in uses} - writing)),
        )


def _keys_of_functions(analysis: Analysis) -> dict[str, set[str]]:
    """Functions to the settings that they read and that name a folder."""
    by_file: dict[str, list[tuple[int, int, str]]] = {}
    for function in analysis.program.functions.values():
        by_file.setdefault(function.file, []).append(
            (function.line, function.end_line, function.name)
        )
    found: dict[str, set[str]] = {}
    for key, places in analysis.program.environment.items():
        if not _FOLDER_KEY.search(key):
            continue
        for place in places:
            file, _, line = place.rpartition(":")
            inside = [
                (end - start, name)
                for start, end, name in by_file.get(file, ())
                if start <= int(line) <= end and name not in analysis.program.modules
            ]
            if inside:
                found.setdefault(min(inside)[1], set()).add(key)
    return found


def _folders(closure: Closure, keys: dict[str, set[str]], function: str) -> list[str]:
    """The settings that a function or the nearest of its callees reads."""
    near = [function]
    seen = {function}
    for _ in range(_NEAR):
        named = sorted({key for each in near for key in keys.get(closure.name(each), ())})
        if named:
            return named
        near = [
            called for each in near for called in closure.direct_callees(each) if called not in seen
        ]
        seen.update(near)
    return []


def _callers(analysis: Analysis, closure: Closure) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in analysis.program.functions:
        for called in closure.direct_callees(name):
            found.setdefault(closure.name(called), set()).add(name)
    return found


def _folders_of_callers(
    closure: Closure, keys: dict[str, set[str]], callers: dict[str, set[str]], function: str
) -> list[str]:
    """Of a function that is given its path: the settings that those who call it read."""
    return sorted(
        {key for caller in callers.get(function, ()) for key in _folders(closure, keys, caller)}
    )


def _secrets(analysis: Analysis) -> Iterator[StateFinding]:
    """Secrets that every process makes for itself when it starts."""
    for name, module in analysis.facts.modules.items():
        file = module.file
        if not any(_RANDOM_MODULE.match(each.module) for each in module.facts.imports):
            continue
        try:
            content = (analysis.root / file).read_bytes()
            if not _MAY_MAKE_SECRETS.search(content):
                continue
            tree = parse(content)
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        for node in _import_time(tree.body):
            if isinstance(node, ast.Assign) and _is_random(node.value):
                for target in node.targets:
                    text = ast.unparse(target)
                    if _SECRET.search(text):
                        yield StateFinding(
                            kind="secret",
                            name=f"{name}.{text}",
                            file=file,
                            line=node.lineno,
                            detail=ast.unparse(node.value),
                            writers=(name,),
                        )


def _import_time(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.ClassDef | ast.If | ast.Try | ast.With):
            yield from _import_time(node.body)


def _is_random(node: ast.expr) -> bool:
    """A call of a source of randomness, also as the default of something else (`a or b()`)."""
    if isinstance(node, ast.BoolOp):
        return any(_is_random(value) for value in node.values)
    if isinstance(node, ast.Call):
        if _RANDOM.match(ast.unparse(node.func)):
            return True
        return any(_is_random(argument) for argument in node.args)
    return False


def _sessions(analysis: Analysis) -> Iterator[StateFinding]:
    """Server-side sessions in memory or on the local disk."""
    for module in analysis.program.distributions.get("flask_session", ()):
        yield StateFinding(
            kind="session",
            name=f"{module}.Session",
            file=analysis.program.modules.get(module, ""),
            line=1,
            detail="flask_session keeps sessions on the server",
            writers=(module,),
        )
