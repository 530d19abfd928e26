"""The map of services in Graphviz's DOT language (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from migrator.plan.wording import counted
from migrator.report.content import Content

SUFFIX = ".dot"

_STYLES = {
    "call": 'color="#b3261e", penwidth=2',
    "defer": 'color="#8a5a00", style=dashed',
    "replica": 'color="#0757b8"',
}


def render(content: Content) -> str:
    """A directed graph; copies point from the owner to the reader, as the data flows."""
    lines = [
        f"digraph {_quoted(content.application)} {{",
        '  graph [rankdir=LR, fontname="sans"];',
        '  node [shape=box, style=rounded, fontname="sans"];',
        '  edge [fontname="sans", fontsize=10];',
    ]
    for service in content.services:
        counts = ", ".join(
            (counted(service.entry_points, "entry point"), counted(len(service.tables), "table"))
        )
        style = ', style="rounded,dashed"' if service.remainder else ""
        label = _quoted(f"{service.name}\n{counts}")
        lines.append(f"  {_quoted(service.name)} [label={label}{style}];")
    for link in content.links:
        short = [name.rpartition(".")[2] for name in link.what]
        shown = "\n".join([*short[:4], *([f"{len(short) - 4} more"] if len(short) > 4 else [])])
        lines.append(
            f"  {_quoted(link.source)} -> {_quoted(link.target)}"
            f" [{_STYLES[link.kind]}, label={_quoted(shown)}, tooltip={_quoted(link.kind)}];"
        )
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
