"""GraphML (http://graphml.graphdrawing.org), as Gephi, yEd and networkx read it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from migrator.report.graph.links import Links

_NODE_KEYS = {"kind": "string", "label": "string", "file": "string", "line": "int"}
_EDGE_KEYS = {
    "kind": "string",
    "place": "string",
    "places": "int",
    "confidence": "string",
    "observed": "int",
}


def render(links: Links) -> str:
    """A directed multigraph: at most one edge of each kind between two nodes."""
    return "\n".join(_lines(links)) + "\n"


def _lines(links: Links) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for on, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for name, kind in keys.items():
            yield f'  <key id="{on}.{name}" for="{on}" attr.name="{name}" attr.type="{kind}"/>'
    yield '  <graph edgedefault="directed">'
    for number, node in enumerate(links.nodes):
        yield f'    <node id="n{number}">'
        yield from _data("node", (node.kind.name.lower(), node.name, node.file, node.line))
        yield "    </node>"
    for number, link in enumerate(links.links):
        source, target = f"n{link.source}", f"n{link.target}"
        yield f'    <edge id="e{number}" source={quoteattr(source)} target={quoteattr(target)}>'
        file, line = link.places[0]
        confidence = link.confidence.name.lower()
        details = (link.kind.name.lower(), f"{file}:{line}", len(link.places), confidence)
        yield from _data("edge", (*details, link.observed))
        yield "    </edge>"
    yield "  </graph>"
    yield "</graphml>"


def _data(on: str, values: tuple[str | int, ...]) -> Iterator[str]:
    keys = _NODE_KEYS if on == "node" else _EDGE_KEYS
    for name, value in zip(keys, values, strict=True):
        yield f'      <data key="{on}.{name}">{escape(_legal(str(value)))}</data>'


def _legal(text: str) -> str:
    """XML has no control characters, not even escaped."""
    return "".join(
        each if each >= " " or each in "\t\n" else "\N{REPLACEMENT CHARACTER}" for each in text
    )
