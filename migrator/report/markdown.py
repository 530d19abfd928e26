"""The report as a Markdown document."""

from __future__ import annotations

from migrator.generation import templating
from migrator.report.content import Content

SUFFIX = ".md"


def render(content: Content) -> str:
    """The content as Markdown."""
    return templating.render("report/report.md.j2", content=content)
