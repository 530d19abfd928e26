"""What an application keeps of its own work: memoised functions, and objects of extensions."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.graph.analysis import Analysis
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import class_among
from migrator.model.program import StateFinding

MEMOS = frozenset({"lru_cache", "cache", "cached", "memoize", "ttl_cache"})
"""Decorators that keep what a function gives, by their last name."""


def memoised_functions(analysis: Analysis) -> Iterator[StateFinding]:
    """Functions whose results a decorator keeps in the process, each a finding of its own.

    Those that a cache object decorates are not among them: the finding is that object. Nor are
    those that a function of the project decorates: where it keeps them is found as any state is.
    """
    decorated = {name for each in analysis.extensions.values() for name in each.readers}
    modules = {file: name for name, file in analysis.program.modules.items()}
    for function in analysis.program.functions.values():
        if function.name in decorated:
            continue
        for decorator in function.decorators:
            name = decorator.split("(", 1)[0].lstrip("@")
            module = modules.get(function.file, "")
            if name.rpartition(".")[2] in MEMOS and not _is_own(analysis, module, name):
                yield StateFinding(
                    kind="cache",
                    name=function.name,
                    file=function.file,
                    line=function.line,
                    detail=name,
                    writers=(function.name,),
                    readers=(function.name,),
                )


def _is_own(analysis: Analysis, module: str, name: str) -> bool:
    """Whether a name in a module is a function of the project, also an imported one."""
    assert analysis.engine is not None
    engine = analysis.engine
    head, _, rest = name.partition(".")
    found = engine.resolve(f"{module}.{head}")
    if rest:
        of_modules = (each for each in found if engine.values.kind(each) == Kind.MODULE)
        found = tuple(
            inner
            for each in of_modules
            for inner in engine.resolve(f"{engine.name_of(each)}.{rest}")
        )
    return any(engine.values.kind(each) == Kind.FUNCTION for each in found)


def extension_objects(analysis: Analysis) -> Iterator[StateFinding]:
    """Objects of extensions that keep something, by the module's name for them.

    Several of one class have the same users: they are not told apart.
    """
    assert analysis.engine is not None
    engine, extensions = analysis.engine, analysis.extensions
    imported = names_imported(analysis)
    for variable in analysis.module_variables:
        held = {class_among(engine, each, extensions) for each in variable.values}
        known = sorted(held - {""})
        if known and variable.name not in imported:
            state = extensions[known[0]]
            yield StateFinding(
                kind=state.kind,
                name=variable.name,
                file=variable.file,
                line=variable.line,
                detail=known[0],
                writers=tuple(sorted(state.writers)),
                readers=tuple(sorted(state.readers)),
            )


def names_imported(analysis: Analysis) -> set[str]:
    """Names that modules only import: the state is that of the module they come from."""
    assert analysis.linker is not None
    return {
        f"{module.name}.{each.name}"
        for module in analysis.linker.modules.values()
        if module.facts is not None
        for each in module.facts.facts.imports
        if each.name
    }
