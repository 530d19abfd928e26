"""The call graph as an adjacency list in the naming of PyCG's benchmark.

Names are dotted from the source root; a package is its folder, a lambda `<lambda1>` by its number
within the function or class around it, a module's own code the module. A class that is called
leads to its `__init__` where it has one. Builtins read `<builtin>.len`, methods of literals
`<**PyStr**>.split`; what else is outside has its full name. Every node is a key.
"""

from __future__ import annotations

import json

from migrator.model.graph import EdgeKind, Graph, NodeKind

_RECEIVERS = {
    "builtins.str": "<**PyStr**>",
    "builtins.list": "<**PyList**>",
    "builtins.dict": "<**PyDict**>",
}
_DECLARATIONS = ("builtins.staticmethod", "builtins.classmethod", "builtins.property")
"""Decorators that say what a method is, and are no calls to a reader of the code."""
# A `?` stands for what an outside call gives, of which no name is known.


def adjacency(graph: Graph) -> dict[str, list[str]]:
    """Callers to sorted callees, from a graph that has calls of what is outside too."""
    found: dict[str, set[str]] = {}
    for node in graph.nodes(NodeKind.FUNCTION):
        found[node.name] = set()
    for edge in graph.edges(EdgeKind.CALLS):
        target = edge.target.name
        if edge.target.kind == NodeKind.EXTERNAL:
            if target.startswith(_DECLARATIONS) or "?" in target:
                continue
            target = written(target)
        found[edge.source.name].add(target)
        found.setdefault(target, set())
    return {name: sorted(callees) for name, callees in sorted(found.items())}


def written(name: str) -> str:
    """An outside name as the benchmark writes it."""
    for prefix, receiver in _RECEIVERS.items():
        if name.startswith(f"{prefix}."):
            return f"{receiver}.{name[len(prefix) + 1 :]}"
    return name.replace("builtins.", "<builtin>.", 1) if name.startswith("builtins.") else name


def render(graph: Graph) -> str:
    """The adjacency list as JSON."""
    return json.dumps(adjacency(graph), indent=1) + "\n"
