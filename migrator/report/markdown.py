"""The report as a Markdown document."""

from __future__ import annotations

from migrator.generation.templating import environment
from migrator.report.content import Content

SUFFIX = ".md"


def render(content: Content) -> str:
    """The content as Markdown."""
    return environment().get_template("report/report.md.j2").render(content=content)
