"""The map of services as two drawings: wide on an ellipse, narrow as one column with arcs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from migrator.plan.consequences.dependence import CALL_MS
from migrator.plan.wording import counted
from migrator.report.content import Content, Link, ServiceView

Point = tuple[float, float]

BOX_WIDTH, BOX_HEIGHT = 176, 66
_LEAST_WIDTH, _LEAST_HEIGHT = 1040, 620
_NARROW_WIDTH, _ROW = 390, 92
_LETTER, _LABEL_HEIGHT = 7.2, 16
"""The size of a label, by which it is seen whether two lie on each other."""
_MOST_LETTERS = 26
"""What a line in a box may have."""
_CLEAR = 100.0
"""How far curves keep from a service in the middle that they do not lead to."""
_MOST_LABELS = 16
_HUB_SHARE = 0.75
_LEAST_AROUND = 5
_WEIGHT = {"call": 4, "defer": 2, "replica": 1}
_SIDE = {"call": 0, "defer": 16, "replica": -14}
"""How far the arrows of a kind bend aside, so that kinds do not hide each other."""


class Box(msgspec.Struct, kw_only=True):
    """A service on the map; x and y are its centre in SVG units."""

    name: str
    x: float
    y: float
    lines: list[str]
    remainder: bool


class Arrow(msgspec.Struct, kw_only=True):
    """A link of so many calls, commands or copies as an SVG path, with the point of its label."""

    source: str
    target: str
    kind: str
    path: str
    label: str
    x: float
    y: float
    title: str
    count: int
    faint: bool = False
    """Others weigh more in a dense drawing: it is plain only when one of its ends is chosen."""


class Drawing(msgspec.Struct, kw_only=True):
    """Boxes and the arrows between them."""

    width: int
    height: int
    boxes: list[Box]
    arrows: list[Arrow]
    dense: bool
    """There are too many calls for a label on each: it shows when one of its ends is chosen."""


def wide(content: Content) -> Drawing:
    """The services on an ellipse, those that are tied most beside each other.

    One that nearly all others are tied to stands in the middle.
    """
    names = [service.name for service in content.services]
    hub = _hub(names, content.links)
    ring = _ring([name for name in names if name != hub], content.links)
    count = len(ring)
    width = max(_LEAST_WIDTH, round(_LEAST_WIDTH * count / 12))
    height = max(_LEAST_HEIGHT, round(_LEAST_HEIGHT * count / 14))
    services = {service.name: service for service in content.services}
    boxes = []
    for number, name in enumerate(ring):
        angle = 2 * math.pi * number / max(count, 1) - math.pi / 2
        spread = 0 if count == 1 else 1
        x = width / 2 + spread * (width / 2 - BOX_WIDTH / 2 - 8) * math.cos(angle)
        y = height / 2 + spread * (height / 2 - BOX_HEIGHT / 2 - 8) * math.sin(angle)
        boxes.append(_box(services[name], x, y))
    centre = width / 2, height / 2
    if hub:
        boxes.append(_box(services[hub], *centre))
    at = {box.name: box for box in boxes}
    arrows = []
    for link in _drawn(content.links, at):
        source, target = at[link.source], at[link.target]
        if hub in (source.name, target.name):
            control = _aside(source, target, _SIDE[link.kind])
        else:
            control = _towards(source, target, _SIDE[link.kind], centre, _CLEAR if hub else 0.0)
        arrows.append(_curve(link, source, target, control))
    return _drawing(width, height, boxes, arrows)


def narrow(content: Content) -> Drawing:
    """The services one below the other, with arcs at their side: for a phone."""
    boxes = [
        _box(service, BOX_WIDTH / 2 + 2, _ROW * number + BOX_HEIGHT / 2 + 8)
        for number, service in enumerate(content.services)
    ]
    at = {box.name: box for box in boxes}
    arrows = [
        _within(_arc(link, at[link.source], at[link.target], len(boxes)), _NARROW_WIDTH)
        for link in _drawn(content.links, at)
    ]
    return _drawing(_NARROW_WIDTH, _ROW * len(boxes) + 8, boxes, arrows)


def _drawing(width: int, height: int, boxes: list[Box], arrows: list[Arrow]) -> Drawing:
    dense = sum(arrow.kind == "call" for arrow in arrows) > _MOST_LABELS
    arrows = _apart(arrows)
    if dense:
        heaviest = sorted((each.count for each in arrows if each.kind == "call"), reverse=True)
        least = heaviest[_MOST_LABELS - 1]
        arrows = [
            msgspec.structs.replace(each, faint=each.kind == "call" and each.count < least)
            for each in arrows
        ]
    return Drawing(width=width, height=height, boxes=boxes, arrows=arrows, dense=dense)


def _box(service: ServiceView, x: float, y: float) -> Box:
    return Box(
        name=service.name,
        x=round(x, 1),
        y=round(y, 1),
        lines=[
            _contents(service),
            f"{service.blast_radius:.0%} of routes need it"
            if service.routes or service.blast_radius
            else "answers no route",
        ],
        remainder=service.remainder,
    )


def _contents(service: ServiceView) -> str:
    """What a service has, in words that fit its box."""
    tables = counted(len(service.tables), "table")
    said = f"{counted(service.entry_points, 'entry point')}, {tables}"
    return said if len(said) <= _MOST_LETTERS else f"{service.entry_points} entries, {tables}"


def _drawn(links: Sequence[Link], at: dict[str, Box]) -> list[Link]:
    """Copies first, calls last and so on top."""
    known = [link for link in links if link.source in at and link.target in at]
    return sorted(known, key=lambda link: (_WEIGHT[link.kind], link.source, link.target))


def _hub(names: list[str], links: Sequence[Link]) -> str:
    """The one service that calls, or is called by, nearly all others; empty: there is none."""
    ties: dict[str, set[str]] = {name: set() for name in names}
    for link in links:
        if link.kind != "replica" and link.source in ties and link.target in ties:
            ties[link.source].add(link.target)
            ties[link.target].add(link.source)
    ranked = sorted(names, key=lambda name: (-len(ties[name]), name))
    if len(names) <= _LEAST_AROUND or len(ties[ranked[0]]) < _HUB_SHARE * (len(names) - 1):
        return ""
    return "" if len(ties[ranked[1]]) == len(ties[ranked[0]]) else ranked[0]


def _ring(names: list[str], links: Sequence[Link]) -> list[str]:
    """The order on the ellipse: swaps of two, while the weighed length of all links shrinks."""
    weight: Counter[tuple[str, str]] = Counter()
    for link in links:
        pair = min(link.source, link.target), max(link.source, link.target)
        weight[pair] += _WEIGHT[link.kind] * (1 + len(link.what).bit_length())
    ring = list(names)

    def length() -> int:
        at = {name: number for number, name in enumerate(ring)}
        apart = ((abs(at[a] - at[b]), each) for (a, b), each in weight.items() if {a, b} <= {*at})
        return sum(each * min(steps, len(ring) - steps) for steps, each in apart)

    best, improved = length(), len(ring) <= 40
    while improved:
        improved = False
        for i in range(len(ring)):
            for j in range(i + 1, len(ring)):
                ring[i], ring[j] = ring[j], ring[i]
                now = length()
                if now < best:
                    best, improved = now, True
                else:
                    ring[i], ring[j] = ring[j], ring[i]
    return ring


def _aside(source: Box, target: Box, side: float) -> Point:
    """Beside the middle between two boxes, on the left for whoever walks along the arrow."""
    dx, dy = target.x - source.x, target.y - source.y
    far = math.hypot(dx, dy) or 1.0
    shift = 2 * (side + 10)
    return (
        (source.x + target.x) / 2 - dy / far * shift,
        (source.y + target.y) / 2 + dx / far * shift,
    )


def _towards(source: Box, target: Box, side: float, centre: Point, clear: float) -> Point:
    """Bent towards the centre of the map, but so that the curve stays `clear` of it."""
    x, y = _aside(source, target, side)
    x, y = x + (centre[0] - x) * 0.3, y + (centre[1] - y) * 0.3
    middle = (source.x + target.x) / 2, (source.y + target.y) / 2
    passes = (middle[0] + x) / 2 - centre[0], (middle[1] + y) / 2 - centre[1]
    near = math.hypot(*passes)
    if near >= clear:
        return x, y
    if near < 1:
        dx, dy = target.x - source.x, target.y - source.y
        passes, near = (-dy, dx), math.hypot(dx, dy) or 1.0
    pushed = centre[0] + passes[0] / near * clear, centre[1] + passes[1] / near * clear
    return 2 * pushed[0] - middle[0], 2 * pushed[1] - middle[1]


def _curve(link: Link, source: Box, target: Box, control: Point) -> Arrow:
    start, end = _edge(source, *control), _edge(target, *control)
    path = "M{:.0f},{:.0f} Q{:.0f},{:.0f} {:.0f},{:.0f}".format(*start, *control, *end)
    return _arrow(link, path, _on_quadratic(start, control, end, 0.55))


def _on_quadratic(start: Point, control: Point, end: Point, t: float) -> Point:
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
    return (
        a * start[0] + b * control[0] + c * end[0],
        a * start[1] + b * control[1] + c * end[1],
    )


def _arc(link: Link, source: Box, target: Box, rows: int) -> Arrow:
    side = {"call": 6, "defer": 16, "replica": -8}[link.kind]
    start = source.x + BOX_WIDTH / 2, source.y + side
    end = target.x + BOX_WIDTH / 2, target.y + side - 6
    steps = abs(source.y - target.y) / _ROW
    room = _NARROW_WIDTH - start[0] - 10
    reach = start[0] + room * 4 / 3 * (0.25 + 0.75 * steps / max(rows - 1, 1))
    path = (
        f"M{start[0]:.0f},{start[1]:.0f} C{reach:.0f},{start[1]:.0f}"
        f" {reach:.0f},{end[1]:.0f} {end[0]:.0f},{end[1]:.0f}"
    )
    return _arrow(link, path, (start[0] + (reach - start[0]) * 0.75, (start[1] + end[1]) / 2))


def _arrow(link: Link, path: str, label_at: Point) -> Arrow:
    count = len(link.what)
    one, several = {"call": ("call", "calls"), "defer": ("deferred",) * 2,
                    "replica": ("copy", "copies")}[link.kind]  # fmt: skip
    said = f"{count} {one if count == 1 else several}"
    cost = f", {CALL_MS:.0f} ms{' each' if count > 1 else ''}" if link.kind == "call" else ""
    return Arrow(
        source=link.source,
        target=link.target,
        kind=link.kind,
        path=path,
        label="" if link.kind == "replica" else said + cost,
        x=round(label_at[0], 1),
        y=round(label_at[1], 1),
        title=f"{link.source} to {link.target}, {said}: " + ", ".join(link.what),
        count=count,
    )


def _apart(arrows: list[Arrow]) -> list[Arrow]:
    """The arrows with labels of calls that do not lie on each other."""
    placed: list[Arrow] = []
    for arrow in sorted(arrows, key=lambda each: (each.y, each.x)):
        if arrow.kind == "call" and arrow.label:
            while any(_touch(arrow, other) for other in placed):
                arrow = msgspec.structs.replace(arrow, y=round(arrow.y + _LABEL_HEIGHT, 1))
            placed.append(arrow)
    moved = {(each.source, each.target): each for each in placed}
    return [
        moved.get((each.source, each.target), each) if each.kind == "call" else each
        for each in arrows
    ]


def _within(arrow: Arrow, width: int) -> Arrow:
    """The arrow with a label that does not leave the drawing."""
    most = width - len(arrow.label) * _LETTER / 2 - 2
    return msgspec.structs.replace(arrow, x=round(min(arrow.x, most), 1))


def _touch(a: Arrow, b: Arrow) -> bool:
    wide = (len(a.label) + len(b.label)) / 2 * _LETTER
    return abs(a.x - b.x) < wide and abs(a.y - b.y) < _LABEL_HEIGHT


def _edge(box: Box, x: float, y: float) -> Point:
    """Where the line from the centre of a box towards a point leaves it."""
    dx, dy = x - box.x, y - box.y
    reach = min(
        BOX_WIDTH / 2 / abs(dx) if dx else math.inf, BOX_HEIGHT / 2 / abs(dy) if dy else math.inf
    )
    return box.x + dx * reach, box.y + dy * reach
