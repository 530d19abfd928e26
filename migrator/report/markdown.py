"""The report as a Markdown document, in the dialect that code hosts show."""

from __future__ import annotations

from itertools import groupby

from migrator.generation import templating
from migrator.plan.findings.kinds import KINDS
from migrator.plan.scorecard import figures
from migrator.report import mermaid
from migrator.report.content import Content
from migrator.report.pairs import pairs

SUFFIX = ".md"

_MOST_PAIRS = 12
"""Beyond so many pairs the drawing leaves the copies out."""


def render(content: Content) -> str:
    """The content as Markdown."""
    scores = [each.score for each in content.proposals]
    if not scores and content.score:
        scores = [content.score]
    tied = pairs(content)
    return templating.render(
        "report/report.md.j2",
        content=content,
        pairs=tied,
        drawing=mermaid.render(content, copies=len(tied) <= _MOST_PAIRS) if tied else "",
        copies_drawn=len(tied) <= _MOST_PAIRS,
        figures=figures(scores),
        names=[each.name + (" (this plan)" if each.chosen else "") for each in content.proposals]
        or ["this plan"],
        findings=[
            (KINDS[kind].title if kind in KINDS else kind, list(some))
            for kind, some in groupby(
                sorted(content.findings, key=lambda finding: finding.kind),
                key=lambda finding: finding.kind,
            )
        ],
        cell=_cell,
        listed=_listed,
    )


def _cell(text: object) -> str:
    """Text as it may stand in the cell of a table."""
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _listed(names: list[str], most: int = 8) -> str:
    """Names for a cell; beyond `most` their number."""
    shown = names if len(names) <= most + 1 else [*names[:most], f"{len(names) - most} more"]
    return _cell(", ".join(shown))
