"""The one table of report formats: adding one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable

from migrator.report import html, json, markdown
from migrator.report.content import Content

FORMATS: dict[str, Callable[[Content], str]] = {
    "html": html.render,
    "markdown": markdown.render,
    "json": json.render,
}
SUFFIXES = {"html": html.SUFFIX, "markdown": markdown.SUFFIX, "json": json.SUFFIX}
