"""Nodes and links as one JSON object."""

from __future__ import annotations

import json

from migrator.report.graph.links import Links


def render(links: Links) -> str:
    """`{"nodes": [...], "links": [...]}`; a link's ends are positions in `nodes`."""
    nodes = [
        {"kind": node.kind.name.lower(), "name": node.name, "file": node.file, "line": node.line}
        for node in links.nodes
    ]
    found = [
        {
            "kind": link.kind.name.lower(),
            "source": link.source,
            "target": link.target,
            "places": [f"{file}:{line}" for file, line in link.places],
            "confidence": link.confidence.name.lower(),
            "observed": link.observed,
        }
        for link in links.links
    ]
    return json.dumps({"nodes": nodes, "links": found}, indent=1) + "\n"
