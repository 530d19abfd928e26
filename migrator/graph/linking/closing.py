"""Which variables of modules cannot hold more, once the code of all modules is at rest.

What a module defines, and what others import of it, is seldom set again. Such a variable is closed:
the functions that are linked next read it at once, without an edge or a watcher of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking.definitions import Module
from migrator.graph.linking.solver import CLOSED

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


def close_modules(linker: Linker) -> None:
    """Close what only the code of modules sets, from nothing that is open itself.

    From now on variables are also closed as soon as they hold their only value.
    """
    candidates = bytearray(len(linker.held))
    for module in linker.modules.values():
        for variable in _set_by_code(linker, module):
            candidates[variable] = 1
        for variable in _set_otherwise(linker, module):
            candidates[variable] = 0
    for variable in linker.slots_of_modules():
        candidates[variable] = 1
    edges = linker.edges
    open_ones = [v for v, known in enumerate(edges) if known is not None and not candidates[v]]
    while open_ones:
        known = edges[open_ones.pop()]
        if known is None or known == CLOSED:
            continue
        for target in (known,) if type(known) is int else known:  # type: ignore[union-attr]
            if candidates[target]:
                candidates[target] = 0
                open_ones.append(target)
    for variable, is_closed in enumerate(candidates):
        if is_closed:
            linker.close(variable)
    linker.closing = True


def _set_by_code(linker: Linker, module: Module) -> Iterator[int]:
    """Variables that the code of a module may be the only one to set."""
    yield from module.names.values()
    body = module.body
    if body is not None:
        yield from range(body.base + ir.FIRST_PARAMETER, body.base + body.function.facts.variables)


def _set_otherwise(linker: Linker, module: Module) -> Iterator[int]:
    """Those that get more: from functions, from other modules, from calls and the like."""
    for name, variable in module.names.items():
        if name in linker.stored:
            yield variable
    for function in module.functions:
        if not function.moving:
            continue
        for local in function.moving:
            if function is module.functions[0]:
                if module.body is not None:
                    yield module.body.variable(local)
                continue
            owner, outer = function.facts.refs[~local]
            if owner == -1:
                yield module.refs[outer]
            elif owner == 0 and module.body is not None:
                yield module.body.base + outer
