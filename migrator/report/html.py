"""The report as one page that opens from disk: no script, style or picture from elsewhere."""

from __future__ import annotations

from migrator.generation import templating
from migrator.report.content import Content
from migrator.report.picture import BOX_HEIGHT, BOX_WIDTH, draw

SUFFIX = ".html"


def render(content: Content) -> str:
    """The content as an HTML page."""
    return templating.render(
        "report/report.html.j2",
        content=content,
        picture=draw(content),
        box_width=BOX_WIDTH,
        box_height=BOX_HEIGHT,
    )
