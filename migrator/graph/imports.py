"""Which module imports which, as the interpreter would resolve the names, without running code."""

from __future__ import annotations

from collections.abc import Container, Iterable

from migrator.facts.ir import ImportFacts
from migrator.facts.project import ModuleFacts, ProjectFacts, absolute


def imported_module(
    importer: ModuleFacts, statement: ImportFacts, modules: Container[str]
) -> str | None:
    """The module of the project that an import statement names, or None.

    `from a import b` names the submodule `a.b` where there is one, else `a`; what `a` only hands on
    from elsewhere is still imported from `a`. A namespace package has no code to import.
    """
    base = absolute(importer, statement.level, statement.module)
    if base is None:
        return None
    if statement.name not in ("", "*") and f"{base}.{statement.name}" in modules:
        return f"{base}.{statement.name}"
    return base if base in modules else None


def import_graph(facts: ProjectFacts, stubs: Iterable[ModuleFacts]) -> dict[str, set[str]]:
    """Every module of the project to the other modules of the project that it imports.

    Imports in functions, under conditions and for type checkers count like any other, so those of
    `stubs` too, and modules of tests. A file that could not be read can be imported, and imports
    nothing.
    """
    read = [*facts.modules.values(), *facts.test_modules.values(), *stubs]
    graph: dict[str, set[str]] = {
        name: set() for name in (*(module.name for module in read), *facts.unread)
    }
    for module in read:
        imported = graph[module.name]
        for statement in module.facts.imports:
            name = imported_module(module, statement, graph)
            if name is not None and name != module.name:
                imported.add(name)
    return graph
