"""Edges of the graph put together: one link of a kind between two nodes, with all its places."""

from __future__ import annotations

from typing import NamedTuple

from migrator.model.graph import Confidence, EdgeKind, Graph, Node, NodeKind


class Link(NamedTuple):
    """All edges of one kind between two nodes, given as positions in `Links.nodes`."""

    kind: EdgeKind
    source: int
    target: int
    places: tuple[tuple[str, int], ...]
    confidence: Confidence
    """The strongest."""
    observed: int


class Links(NamedTuple):
    """Nodes, and the links between them."""

    nodes: list[Node]
    links: list[Link]


def gather(graph: Graph) -> Links:
    """Every node of the graph and every link."""
    return _linked(graph, {node.id: node for node in graph.nodes()})


def gather_modules(graph: Graph) -> Links:
    """The same with functions and classes folded into the modules that define them.

    What is inside one module is left out, and so are columns, which belong to their tables.
    """
    modules = {node.name: node for node in graph.nodes(NodeKind.MODULE)}
    by_file = {node.file: node for node in modules.values() if node.file}
    stand_ins: dict[int, Node] = {}
    for node in graph.nodes():
        if node.kind in (NodeKind.FUNCTION, NodeKind.CLASS):
            module = by_file.get(node.file)
            if module is not None:
                stand_ins[node.id] = module
        elif node.kind != NodeKind.COLUMN:
            stand_ins[node.id] = node
    return _linked(graph, stand_ins)


def _linked(graph: Graph, stand_ins: dict[int, Node]) -> Links:
    nodes = list({node.id: node for node in stand_ins.values()}.values())
    numbers = {node.id: number for number, node in enumerate(nodes)}
    found: dict[tuple[EdgeKind, int, int], Link] = {}
    for edge in graph.edges():
        source, target = stand_ins.get(edge.source.id), stand_ins.get(edge.target.id)
        if source is None or target is None:
            continue
        if source.id == target.id and edge.source.id != edge.target.id:
            continue
        key = (edge.kind, numbers[source.id], numbers[target.id])
        known = found.get(key)
        places = known.places if known else ()
        place = (edge.file, edge.line)
        found[key] = Link(
            *key,
            places if place in places else (*places, place),
            min(known.confidence, edge.confidence) if known else edge.confidence,
            (known.observed if known else 0) + edge.observed,
        )
    return Links(nodes, list(found.values()))
