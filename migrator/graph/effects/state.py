"""State in the process and on its disk: what keeps a server from being stateless."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from migrator.facts.syntax import parse
from migrator.graph.analysis import Analysis, ModuleVariable, Mutation
from migrator.graph.effects.closure import Closure
from migrator.graph.effects.kept_files import folders_of_project, kept_files, kept_indexes
from migrator.graph.effects.kept_results import (
    extension_objects,
    kept_by_decorators,
    memoised_functions,
    names_imported,
)
from migrator.model.graph import EdgeKind, NodeKind
from migrator.model.program import StateFinding, StateKind

_SECRET = re.compile(r"secret|token|key|salt", re.IGNORECASE)
_RANDOM = re.compile(r"^(secrets\.\w+|os\.urandom|uuid\.uuid[14]|random\.\w+)$")
_RANDOM_MODULE = re.compile(r"(secrets|os|uuid|random)$")
_MAY_MAKE_SECRETS = re.compile(rb"(secrets\.|urandom|uuid[14]|random\.)")
_STATELESS_TAGS = ("flask:", "sqlalchemy:", "blinker:", "click:", "celery:", "flask_restful:")


def find_state(analysis: Analysis) -> None:
    """Add the findings to `Program.state`, sorted by place, and `keeps` edges to the graph."""
    closure = Closure(analysis.program)
    folders = folders_of_project(analysis)
    findings = [
        *analysis.program.state,
        *_module_mutables(analysis),
        *memoised_functions(analysis),
        *kept_by_decorators(analysis),
        *extension_objects(analysis),
        *kept_files(analysis, closure, folders),
        *kept_indexes(analysis, folders),
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
