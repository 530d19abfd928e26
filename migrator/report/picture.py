"""The map of services as a drawing: where each stands, and how the arrows run."""

from __future__ import annotations

import math

import msgspec

from migrator.report.content import Content

WIDTH, HEIGHT = 960, 620
BOX_WIDTH, BOX_HEIGHT = 168, 58


class Box(msgspec.Struct, kw_only=True):
    """A service on the map; x and y are its centre in SVG units."""

    name: str
    x: float
    y: float
    text: str
    remainder: bool


class Arrow(msgspec.Struct, kw_only=True):
    """A link as an SVG path, with the point where its label stands."""

    kind: str
    path: str
    title: str


class Picture(msgspec.Struct, kw_only=True):
    """Boxes on a circle and arrows between them."""

    width: int
    height: int
    boxes: list[Box]
    arrows: list[Arrow]


def draw(content: Content) -> Picture:
    """Place the services on an ellipse, in the order of the report."""
    count = len(content.services)
    boxes = []
    for number, service in enumerate(content.services):
        angle = 2 * math.pi * number / max(count, 1) - math.pi / 2
        spread = 0 if count == 1 else 1
        boxes.append(
            Box(
                name=service.name,
                x=round(WIDTH / 2 + spread * (WIDTH / 2 - BOX_WIDTH / 2 - 10) * math.cos(angle), 1),
                y=round(
                    HEIGHT / 2 + spread * (HEIGHT / 2 - BOX_HEIGHT / 2 - 10) * math.sin(angle), 1
                ),
                text=f"{len(service.tables)} tables, {len(service.entry_points)} entry points",
                remainder=service.remainder,
            )
        )
    at = {box.name: box for box in boxes}
    bends = {"replica": 0.10, "call": -0.06, "defer": 0.2}
    arrows = [
        Arrow(
            kind=link.kind,
            path=_curve(at[link.source], at[link.target], bends[link.kind]),
            title=f"{link.source} → {link.target} ({link.kind}): {', '.join(link.what)}",
        )
        for link in content.links
        if link.source in at and link.target in at
    ]
    return Picture(width=WIDTH, height=HEIGHT, boxes=boxes, arrows=arrows)


def _curve(source: Box, target: Box, bend: float) -> str:
    x1, y1 = _edge(source, target)
    x2, y2 = _edge(target, source)
    middle_x = (x1 + x2) / 2 - (y2 - y1) * bend
    middle_y = (y1 + y2) / 2 + (x2 - x1) * bend
    return f"M{x1:.1f},{y1:.1f} Q{middle_x:.1f},{middle_y:.1f} {x2:.1f},{y2:.1f}"


def _edge(box: Box, other: Box) -> tuple[float, float]:
    """Where the line from the centre of `box` to that of `other` leaves the box."""
    dx, dy = other.x - box.x, other.y - box.y
    reach = min(
        BOX_WIDTH / 2 / abs(dx) if dx else math.inf, BOX_HEIGHT / 2 / abs(dy) if dy else math.inf
    )
    return box.x + dx * reach, box.y + dy * reach
