"""Calls of what lies outside the project, as edges of the graph; only `export` asks for them."""

from __future__ import annotations

from migrator.facts import ir
from migrator.graph.analysis import Analysis
from migrator.model.graph import EdgeKind, NodeKind


def outside_calls(analysis: Analysis) -> None:
    """Add a call to an `EXTERNAL` node for every outside name that a function calls."""
    graph, linker = analysis.graph, analysis.linker
    assert linker is not None
    for variant in linker.variants:
        function = variant.function
        if not variant.externals:
            continue
        source = graph.add_node(NodeKind.FUNCTION, function.name)
        for index, names in variant.externals.items():
            code = function.facts.code[index]
            place = ir.place_of(code)
            line = place[0] if place else function.facts.line
            for name in names:
                target = graph.add_node(NodeKind.EXTERNAL, name)
                graph.add_edge(EdgeKind.CALLS, source, target, function.module.file, line)
