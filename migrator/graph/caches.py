"""Results that an application keeps: memoised functions, and cache objects of frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.graph.analysis import Analysis
from migrator.graph.frameworks.flask_caching import CACHES
from migrator.model.program import StateFinding

_MEMO = re.compile(r"(^|\.)(lru_cache|cache|cached|memoize|cached_property|ttl_cache)$")


def memoised_functions(analysis: Analysis) -> Iterator[StateFinding]:
    """Functions whose results a decorator keeps in the process, each a finding of its own.

    Those that a cache object decorates are not among them: the finding is that object.
    """
    for function in analysis.program.functions.values():
        if function.name in analysis.cache_uses.writers:
            continue
        for decorator in function.decorators:
            name = decorator.split("(", 1)[0].lstrip("@")
            if _MEMO.search(name) and not name.endswith("cached_property"):
                yield StateFinding(
                    kind="cache",
                    name=function.name,
                    file=function.file,
                    line=function.line,
                    detail=name,
                    writers=(function.name,),
                    readers=(function.name,),
                )


def cache_objects(analysis: Analysis) -> Iterator[StateFinding]:
    """The modules' cache objects. Several of them have the same users: they are not told apart."""
    assert analysis.engine is not None
    values, uses = analysis.engine.values, analysis.cache_uses
    imported = names_imported(analysis)
    for variable in analysis.module_variables:
        held = {values.name(each) for each in variable.values}
        if held & CACHES and variable.name not in imported:
            yield StateFinding(
                kind="cache",
                name=variable.name,
                file=variable.file,
                line=variable.line,
                detail=", ".join(sorted(held & CACHES)),
                writers=tuple(sorted(uses.writers)),
                readers=tuple(sorted(uses.readers)),
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
