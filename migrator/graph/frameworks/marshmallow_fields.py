"""The fields of a schema, and which of them are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from migrator.graph.linking.values import Kind
from migrator.graph.protocol import Engine, Site

Part = tuple[frozenset[str] | None, frozenset[str]]
"""The fields of a schema that are asked for (None: all), and those that are left out; `"a.b"` is
field `b` of what is nested in `a`."""
WHOLE: Part = (None, frozenset())


class SchemaField(NamedTuple):
    name: str
    attribute: str
    nested: int
    """The slot of the schemas of a nested field."""
    called: int
    """The slot of validators and functions."""
    method: str
    """The schema's method that gives the value (`fields.Method`)."""
    one_way: str
    """`dump_only` or `load_only` where the field is one."""
    own: int | None = None
    """The field itself, where its class is one of the project's."""
    part: Part = WHOLE
    """What of the nested schema is asked for."""


def texts(engine: Engine, values: Iterable[int]) -> Iterator[str]:
    for value in values:
        if engine.values.kind(value) == Kind.CONTAINER:
            yield from texts(engine, engine.points_to(engine.element(value)))
        else:
            yield engine.values.text(value) or ""


def is_asked(part: Part, name: str) -> bool:
    only, left_out = part
    asked = only is None or any(each.partition(".")[0] == name for each in only)
    return asked and name not in left_out


def within(part: Part, name: str, own: Part) -> Part:
    """What is asked of the schema nested in a field, by the field itself and from outside."""
    only, left_out = (
        frozenset(
            rest for each in names or () for at, _, rest in (each.partition("."),) if at == name
        )
        for names in part
    )
    return (only - {""} or own[0]), (left_out - {""}) | own[1]


def reached(engine: Engine, site: Site, value: int, dotted: str) -> list[int]:
    """The values of an attribute, or along `attribute="host.ip"`."""
    found = [value]
    for name in dotted.split("."):
        found = [
            each
            for owner in dict.fromkeys(found)
            for each in engine.points_to(engine.attribute(site, owner, name))
        ]
    return found
