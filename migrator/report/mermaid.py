"""The map of services as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from migrator.plan.wording import counted
from migrator.report.content import Content
from migrator.report.pairs import pairs

SUFFIX = ".mmd"


def render(content: Content, *, copies: bool = True) -> str:
    """Services as boxes; a thick arrow waits, a dotted one is deferred, a thin one is a copy."""
    lines = ["flowchart LR"]
    ids = {service.name: f"s{number}" for number, service in enumerate(content.services)}
    for service in content.services:
        counts = ", ".join(
            (counted(service.entry_points, "entry point"), counted(len(service.tables), "table"))
        )
        label = f"{_text(service.name)}<br/>{counts}"
        shape = f'(["{label}"])' if service.remainder else f'["{label}"]'
        lines.append(f"  {ids[service.name]}{shape}")
    for pair in pairs(content):
        ends = ids.get(pair.source), ids.get(pair.target)
        if None in ends:
            continue
        for what, arrow in ((pair.calls, "==>"), (pair.deferred, "-.->")):
            if what:
                names = ", ".join(_text(each.rpartition(".")[2]) for each in what)
                lines.append(f'  {ends[0]} {arrow}|"{names}"| {ends[1]}')
        if pair.copies and copies:
            lines.append(f'  {ends[1]} -->|"{", ".join(map(_text, pair.copies))}"| {ends[0]}')
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Text for a quoted label: Mermaid knows entities, and no escapes."""
    return text.replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;")
