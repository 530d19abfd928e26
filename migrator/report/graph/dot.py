"""Graphviz's DOT language."""

from __future__ import annotations

from migrator.model.graph import EdgeKind, NodeKind
from migrator.report.graph.links import Links

_SHAPES = {
    NodeKind.MODULE: "folder",
    NodeKind.CLASS: "component",
    NodeKind.FUNCTION: "box",
    NodeKind.ENTRY_POINT: "cds",
    NodeKind.TABLE: "cylinder",
    NodeKind.COLUMN: "plaintext",
    NodeKind.TOPIC: "larrow",
    NodeKind.TEMPLATE: "note",
    NodeKind.EXTERNAL: "ellipse",
}
_STYLES = {EdgeKind.IMPORTS: "dashed", EdgeKind.INHERITS: "dotted", EdgeKind.READS: "dashed"}


def render(links: Links) -> str:
    """A directed graph; the tooltip of an edge says where it is in the code."""
    lines = ["digraph dependencies {", "  rankdir=LR;", "  node [fontname=sans, fontsize=10];"]
    for number, node in enumerate(links.nodes):
        kind = node.kind.name.lower()
        lines.append(
            f"  n{number} [label={_quoted(node.name)}, shape={_SHAPES[node.kind]},"
            f" class={kind}, tooltip={_quoted(f'{kind} {node.file}:{node.line}')}];"
        )
    for link in links.links:
        kind = link.kind.name.lower()
        file, line = link.places[0]
        lines.append(
            f"  n{link.source} -> n{link.target} [class={kind},"
            f" style={_STYLES.get(link.kind, 'solid')}, weight={len(link.places)},"
            f" tooltip={_quoted(f'{kind} {file}:{line}')}];"
        )
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
