"""A Mermaid flowchart of modules, tables and entry points, for Markdown pages."""

from __future__ import annotations

from collections import Counter

from migrator.model.graph import NodeKind
from migrator.report.graph.links import Links

_BRACKETS = {
    NodeKind.MODULE: ("[", "]"),
    NodeKind.ENTRY_POINT: ("([", "])"),
    NodeKind.TABLE: ("[(", ")]"),
    NodeKind.TOPIC: (">", "]"),
    NodeKind.TEMPLATE: ("[/", "/]"),
}
_OTHERS = ("(", ")")


def render(links: Links) -> str:
    """One arrow for all links between two nodes, labelled with their kinds and numbers."""
    arrows: dict[tuple[int, int], Counter[str]] = {}
    for link in links.links:
        if link.source != link.target and links.nodes[link.target].kind != NodeKind.EXTERNAL:
            kinds = arrows.setdefault((link.source, link.target), Counter())
            kinds[link.kind.name.lower()] += len(link.places)
    used = {end for pair in arrows for end in pair}
    lines = ["flowchart LR"]
    for number, node in enumerate(links.nodes):
        if number in used or node.kind == NodeKind.MODULE:
            start, end = _BRACKETS.get(node.kind, _OTHERS)
            lines.append(f'  n{number}{start}"{_escaped(node.name)}"{end}')
    for (source, target), kinds in arrows.items():
        label = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        lines.append(f"  n{source} -->|{label}| n{target}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace("\n", " ")
