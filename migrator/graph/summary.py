"""The figures of a graph, as `analyze` prints them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from migrator.model.graph import Graph


def summarise(graph: Graph) -> dict[str, Any]:
    """The figures of a graph, as plain data."""
    program = graph.program
    edges: dict[str, dict[str, int]] = {}
    for (kind, confidence), count in graph.counts().items():
        edges.setdefault(kind.name.lower(), {})[confidence.name.lower()] = count
    return {
        "root": program.root,
        "source_roots": program.source_roots,
        "modules": len(program.modules),
        "lines": program.lines,
        "functions": len(program.functions),
        "classes": len(program.classes),
        "tables": len(program.tables),
        "entry_points": dict(Counter(entry.kind for entry in program.entry_points.values())),
        "url_rules": sum(len(entry.routes) for entry in program.entry_points.values()),
        "frameworks": program.frameworks,
        "edges": dict(sorted(edges.items())),
        "state": dict(Counter(finding.kind for finding in program.state)),
        "observed": msgspec.to_builtins(program.observed),
        "unresolved": dict(Counter(each.reason for each in program.unresolved)),
        "skipped": [
            {"file": each.file, "line": each.line, "reason": each.reason}
            for each in program.skipped
        ],
    }
