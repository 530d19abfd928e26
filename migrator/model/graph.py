"""The dependency graph: nodes, edges with evidence, and what is known of each node.

Edges are held as columns of interned ids (one machine word or less each), so that a graph of a
million lines fits in memory; `Node` and `Edge` are views that are made when somebody looks.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from migrator.model.program import Program


class NodeKind(IntEnum):
    MODULE = 0
    CLASS = 1
    FUNCTION = 2
    ENTRY_POINT = 3
    TABLE = 4
    COLUMN = 5
    TOPIC = 6
    TEMPLATE = 7
    EXTERNAL = 8


class EdgeKind(IntEnum):
    IMPORTS = 0
    CALLS = 1
    INHERITS = 2
    INSTANTIATES = 3
    READS = 4
    WRITES = 5
    REFERENCES = 6
    HANDLES = 7
    ENQUEUES = 8
    EMITS = 9
    RENDERS = 10
    KEEPS = 11


class Confidence(IntEnum):
    """How an edge is known: resolved statically, seen running, or by a named heuristic."""

    PROVEN = 0
    OBSERVED = 1
    LIKELY = 2


class Node(NamedTuple):
    """A view of one node. `name` is unique within `kind`."""

    id: int
    kind: NodeKind
    name: str
    file: str
    line: int


class Edge(NamedTuple):
    """A view of one edge: no bare pair, always with its evidence."""

    kind: EdgeKind
    source: Node
    target: Node
    file: str
    line: int
    confidence: Confidence
    observed: int
    """How often it was seen running; 0 when it was never observed."""


class GraphColumns(msgspec.Struct, kw_only=True):
    """The graph as it is stored: parallel lists, strings interned in `strings`."""

    strings: list[str]
    node_kind: list[int]
    node_name: list[int]
    node_file: list[int]
    node_line: list[int]
    edge_kind: list[int]
    edge_source: list[int]
    edge_target: list[int]
    edge_file: list[int]
    edge_line: list[int]
    edge_confidence: list[int]
    edge_count: list[int]
    program: Program


class Graph:
    """Nodes and edges, plus `program`: the typed details of functions, entry points and tables."""

    def __init__(self, program: Program | None = None) -> None:
        self.program = program if program is not None else Program()
        self._strings: list[str] = []
        self._string_ids: dict[str, int] = {}
        self._node_kind = array("B")
        self._node_name = array("I")
        self._node_file = array("I")
        self._node_line = array("I")
        self._node_ids: dict[tuple[int, int], int] = {}
        self._edge_kind = array("B")
        self._edge_source = array("I")
        self._edge_target = array("I")
        self._edge_file = array("I")
        self._edge_line = array("I")
        self._edge_confidence = array("B")
        self._edge_count = array("I")
        self._edge_ids: dict[tuple[int, int, int, int, int], int] = {}
        self._out: dict[int, list[int]] | None = None
        self._in: dict[int, list[int]] | None = None
        self._by_pair: dict[tuple[int, int, int], list[int]] | None = None

    def _intern(self, text: str) -> int:
        known = self._string_ids.get(text)
        if known is None:
            known = self._string_ids[text] = len(self._strings)
            self._strings.append(text)
        return known

    def add_node(self, kind: NodeKind, name: str, file: str = "", line: int = 0) -> int:
        """The id of the node of that kind and name, made if it is new."""
        key = (kind, self._intern(name))
        known = self._node_ids.get(key)
        if known is None:
            known = self._node_ids[key] = len(self._node_kind)
            self._node_kind.append(kind)
            self._node_name.append(key[1])
            self._node_file.append(self._intern(file))
            self._node_line.append(line)
        return known

    def add_edge(
        self,
        kind: EdgeKind,
        source: int,
        target: int,
        file: str,
        line: int,
        confidence: Confidence = Confidence.PROVEN,
        count: int = 0,
    ) -> None:
        """Add one piece of evidence; the same kind, pair and place twice is one edge.

        Counts add up, and the stronger confidence (proven over observed over likely) stays.
        """
        key = (kind, source, target, self._intern(file), line)
        known = self._edge_ids.get(key)
        if known is not None:
            self._edge_count[known] += count
            self._edge_confidence[known] = min(self._edge_confidence[known], confidence)
            return
        self._edge_ids[key] = len(self._edge_kind)
        self._edge_kind.append(kind)
        self._edge_source.append(source)
        self._edge_target.append(target)
        self._edge_file.append(key[3])
        self._edge_line.append(line)
        self._edge_confidence.append(confidence)
        self._edge_count.append(count)
        self._out = self._in = self._by_pair = None

    def observe(self, kind: EdgeKind, source: int, target: int, count: int) -> bool:
        """Note that an edge was seen running `count` times; whether there is such an edge.

        The count goes to the first piece of its evidence; what was likely becomes observed.
        """
        found = False
        for edge in self._pairs().get((kind, source, target), ()):
            if not found:
                self._edge_count[edge] += count
            if self._edge_confidence[edge] == Confidence.LIKELY:
                self._edge_confidence[edge] = Confidence.OBSERVED
            found = True
        return found

    def _pairs(self) -> dict[tuple[int, int, int], list[int]]:
        if self._by_pair is None:
            self._by_pair = {}
            for index, key in enumerate(
                zip(self._edge_kind, self._edge_source, self._edge_target, strict=True)
            ):
                self._by_pair.setdefault(key, []).append(index)
        return self._by_pair

    def find(self, kind: NodeKind, name: str) -> int | None:
        """The id of a node, or None."""
        interned = self._string_ids.get(name)
        return None if interned is None else self._node_ids.get((kind, interned))

    def node(self, id: int) -> Node:
        """The view of one node."""
        return Node(
            id,
            NodeKind(self._node_kind[id]),
            self._strings[self._node_name[id]],
            self._strings[self._node_file[id]],
            self._node_line[id],
        )

    def nodes(self, kind: NodeKind | None = None) -> Iterator[Node]:
        """All nodes, or those of one kind, in order of creation."""
        for id, each in enumerate(self._node_kind):
            if kind is None or each == kind:
                yield self.node(id)

    def _edge(self, index: int) -> Edge:
        return Edge(
            EdgeKind(self._edge_kind[index]),
            self.node(self._edge_source[index]),
            self.node(self._edge_target[index]),
            self._strings[self._edge_file[index]],
            self._edge_line[index],
            Confidence(self._edge_confidence[index]),
            self._edge_count[index],
        )

    def edges(self, kind: EdgeKind | None = None) -> Iterator[Edge]:
        """All edges, or those of one kind, in order of creation."""
        for index, each in enumerate(self._edge_kind):
            if kind is None or each == kind:
                yield self._edge(index)

    def edges_from(self, node: int, kind: EdgeKind | None = None) -> Iterator[Edge]:
        """The edges that leave a node."""
        if self._out is None:
            self._out = _grouped(self._edge_source)
        return self._of_kind(self._out.get(node, ()), kind)

    def edges_to(self, node: int, kind: EdgeKind | None = None) -> Iterator[Edge]:
        """The edges that arrive at a node."""
        if self._in is None:
            self._in = _grouped(self._edge_target)
        return self._of_kind(self._in.get(node, ()), kind)

    def _of_kind(self, indices: Iterable[int], kind: EdgeKind | None) -> Iterator[Edge]:
        for index in indices:
            if kind is None or self._edge_kind[index] == kind:
                yield self._edge(index)

    def __len__(self) -> int:
        return len(self._node_kind)

    @property
    def edge_count(self) -> int:
        """The number of edges."""
        return len(self._edge_kind)

    def counts(self) -> Counter[tuple[EdgeKind, Confidence]]:
        """How many edges there are of each kind and confidence."""
        found = Counter(zip(self._edge_kind, self._edge_confidence, strict=True))
        return Counter({(EdgeKind(k), Confidence(c)): n for (k, c), n in sorted(found.items())})

    def to_columns(self) -> GraphColumns:
        """The graph as plain lists, for storing."""
        return GraphColumns(
            strings=self._strings,
            node_kind=self._node_kind.tolist(),
            node_name=self._node_name.tolist(),
            node_file=self._node_file.tolist(),
            node_line=self._node_line.tolist(),
            edge_kind=self._edge_kind.tolist(),
            edge_source=self._edge_source.tolist(),
            edge_target=self._edge_target.tolist(),
            edge_file=self._edge_file.tolist(),
            edge_line=self._edge_line.tolist(),
            edge_confidence=self._edge_confidence.tolist(),
            edge_count=self._edge_count.tolist(),
            program=self.program,
        )

    @classmethod
    def from_columns(cls, columns: GraphColumns) -> Graph:
        """The graph that `to_columns` stored."""
        graph = cls(columns.program)
        graph._strings = columns.strings
        graph._string_ids = {text: id for id, text in enumerate(columns.strings)}
        graph._node_kind = array("B", columns.node_kind)
        graph._node_name = array("I", columns.node_name)
        graph._node_file = array("I", columns.node_file)
        graph._node_line = array("I", columns.node_line)
        graph._node_ids = {
            key: id for id, key in enumerate(zip(columns.node_kind, columns.node_name, strict=True))
        }
        graph._edge_kind = array("B", columns.edge_kind)
        graph._edge_source = array("I", columns.edge_source)
        graph._edge_target = array("I", columns.edge_target)
        graph._edge_file = array("I", columns.edge_file)
        graph._edge_line = array("I", columns.edge_line)
        graph._edge_confidence = array("B", columns.edge_confidence)
        graph._edge_count = array("I", columns.edge_count)
        graph._edge_ids = {
            key: index
            for index, key in enumerate(
                zip(
                    columns.edge_kind,
                    columns.edge_source,
                    columns.edge_target,
                    columns.edge_file,
                    columns.edge_line,
                    strict=True,
                )
            )
        }
        return graph


def _grouped(ends: array[int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for index, end in enumerate(ends):
        groups.setdefault(end, []).append(index)
    return groups
