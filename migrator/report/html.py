"""The report as one page that opens from disk: no script, style or picture from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import jinja2
import msgspec
from markupsafe import Markup, escape

from migrator.generation.templating import template_folder
from migrator.plan.findings.kinds import KINDS
from migrator.plan.score import Score
from migrator.plan.scorecard import ROWS
from migrator.plan.wording import told_apart
from migrator.report import service_map
from migrator.report.content import Content
from migrator.report.matrix import matrix
from migrator.report.pairs import pairs

SUFFIX = ".html"

_FIRST = (
    "calls that cross",
    "deferred commands",
    "replicas",
    "split transactions",
    "crossings that need a decision",
    "largest blast radius",
    "added latency, mean ms",
)


def render(content: Content) -> str:
    """The content as an HTML page."""
    scores = content.score.services if content.score else []
    return (
        _environment()
        .get_template("report/report.html.j2")
        .render(
            content=content,
            sections=_sections(content),
            broad=service_map.wide(content),
            narrow=service_map.narrow(content),
            pairs=pairs(content),
            calls_of={each.name: each.calls for each in scores},
            deferred_of={each.name: each.deferred for each in scores},
            matrix=_embedded(matrix(content)) if content.dependencies else "",
            tiles=_tiles(content.score) if content.score else [],
            figures=_figures([each.score for each in content.proposals])
            or _figures([content.score] if content.score else []),
            kinds=KINDS,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    """Markup is escaped in HTML templates; style and script are taken in as they are."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=lambda name: bool(name) and str(name).endswith(".html.j2"),
    )
    environment.globals.update(
        dotted=_dotted,
        told_apart=told_apart,
        box_width=service_map.BOX_WIDTH,
        box_height=service_map.BOX_HEIGHT,
    )
    return environment


class _Figure(NamedTuple):
    """A row of the scorecard; `best`: which of the plans are, if they are not all alike."""

    label: str
    shown: list[str]
    best: set[int]
    better: int


def _figures(scores: Sequence[Score]) -> list[_Figure]:
    found = []
    for row in ROWS:
        values = [row.read(score) for score in scores]
        known = [value * row.better for value in values if value is not None]
        if not known:
            continue
        alike = not row.better or min(known) == max(known)
        best = {
            number
            for number, value in enumerate(values)
            if not alike and value is not None and value * row.better == max(known)
        }
        found.append(_Figure(row.label, [row.text(value) for value in values], best, row.better))
    return found


def _tiles(score: Score) -> list[tuple[str, str]]:
    """The figures that a reader asks for first."""
    shown = {each.label: each.shown[0] for each in _figures([score])}
    return [(label, shown[label]) for label in _FIRST if label in shown]


def _sections(content: Content) -> set[str]:
    """The parts of the page of which there is something to say."""
    there = {
        "map": content.services,
        "matrix": content.dependencies,
        "services": content.services,
        "crossings": content.services and content.crossings,
        "tables": content.tables,
        "datastores": content.services,
        "state": content.state,
        "findings": content.findings,
        "roadmap": content.roadmap,
        "blast": content.services,
        "proposals": content.proposals or content.score,
        "proof": content.proof,
        "entries": content.entry_points,
        "analysis": True,
    }
    return {name for name, something in there.items() if something}


def _embedded(value: object) -> Markup:
    """A value as JSON that may stand in a script element."""
    text = json.dumps(msgspec.to_builtins(value), separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def _dotted(name: str) -> Markup:
    """A dotted name or path that may break after its parts, and is copied without breaks."""
    return Markup(re.sub(r"([./:])(?=\w)", r"\1<wbr>", str(escape(name))))
