"""The one table of report formats: adding one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from migrator.report import c4, dot, html, json, markdown, mermaid, sarif
from migrator.report.annotations import of_findings
from migrator.report.content import Content


class Format(NamedTuple):
    """How a report is written, and what its file's name ends with."""

    render: Callable[[Content], str]
    suffix: str
    meaning: str
    of_plan: bool = False
    """Without a plan there is nothing that it could tell."""


FORMATS: dict[str, Format] = {
    "html": Format(html.render, html.SUFFIX, "one page for a browser, self-contained"),
    "markdown": Format(markdown.render, markdown.SUFFIX, "a document to paste from"),
    "json": Format(json.render, json.SUFFIX, "for programs; report.schema.json says its shape"),
    "sarif": Format(
        lambda content: sarif.render(of_findings(content.findings)),
        sarif.SUFFIX,
        "the plan's findings, for code hosts and editors",
        of_plan=True,
    ),
    "mermaid": Format(mermaid.render, mermaid.SUFFIX, "the map for Markdown pages", of_plan=True),
    "dot": Format(dot.render, dot.SUFFIX, "the map for Graphviz", of_plan=True),
    "c4": Format(c4.render, c4.SUFFIX, "the map as a C4 model for Structurizr", of_plan=True),
}
