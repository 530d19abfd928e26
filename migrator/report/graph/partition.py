"""The graph that `propose --from-graph` reads (docs/propose.md), with modules for classes.

Python code is laid out in modules: a function, a method and a class count for theirs. Counts are
places in the code.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from migrator.model.graph import EdgeKind, Graph
from migrator.model.program import EntryPoint, Program
from migrator.plan.from_graph.file import ClassGraph, RouteUse, TableUse, TransactionUse, Use


def module_graph(graph: Graph) -> ClassGraph:
    """The modules of a program that do anything, and what they do."""
    program = graph.program
    calls: Counter[tuple[str, str]] = Counter()
    touched: dict[str, dict[str, Counter[str]]] = {name: {} for name in program.tables}
    modules = {module_of(program, table.model) for table in program.tables.values()}
    for name, function in program.functions.items():
        here = module_of(program, name)
        modules.add(here if function.events else "")
        for event in function.events:
            if event.kind == "call" and event.target in program.functions:
                calls[here, module_of(program, event.target)] += 1
            elif event.kind in ("read", "write") and event.target in touched:
                touched[event.target].setdefault(event.kind, Counter())[here] += 1
    modules.discard("")
    uses = {
        (module_of(program, edge.source.name), module_of(program, edge.target.name))
        for kind in (EdgeKind.IMPORTS, EdgeKind.INHERITS)
        for edge in graph.edges(kind)
    }
    return ClassGraph(
        classes=sorted(modules),
        calls=[
            Use(caller=a, callee=b, count=n)
            for (a, b), n in sorted(calls.items())
            if a != b and {a, b} <= modules
        ],
        uses=[Use(caller=a, callee=b) for a, b in sorted(uses) if a != b and {a, b} <= modules],
        tables={
            name: TableUse(
                writers=dict(sorted(touched[name].get("write", Counter()).items())),
                readers=dict(sorted(touched[name].get("read", Counter()).items())),
                references=sorted(
                    {column.referred for column in table.columns} & (program.tables.keys() - {name})
                ),
            )
            for name, table in sorted(program.tables.items())
        },
        transactions=[
            each
            for entry in program.entry_points.values()
            for each in _transactions(program, entry)
        ],
        routes=[
            RouteUse(path=path, classes=[module_of(program, entry.handler)])
            for entry in program.entry_points.values()
            for path in sorted({route.rule for route in entry.routes})
            if module_of(program, entry.handler) in modules
        ],
    )


def module_of(program: Program, name: str) -> str:
    """The module that holds a function or class, or that has this name; empty: it is outside."""
    while name and name not in program.modules:
        name = name.rpartition(".")[0]
    return name


def _transactions(program: Program, entry: EntryPoint) -> list[TransactionUse]:
    found = []
    for transaction in entry.transactions:
        tables = {*transaction.tables} & program.tables.keys()
        writers = {
            module_of(program, access.path[-1])
            for access in entry.writes
            if access.path and access.table in tables
        }
        if tables:
            found.append(
                TransactionUse(
                    name=entry.name, tables=sorted(tables), classes=sorted(writers - {""})
                )
            )
    return found


def render(graph: Graph) -> str:
    """The graph as JSON."""
    text = msgspec.json.format(msgspec.json.encode(module_graph(graph)), indent=1)
    return text.decode() + "\n"
