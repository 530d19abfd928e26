"""Named tuples: fields by name and by position, for `collections.namedtuple` and `NamedTuple`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

_CLASS = "namedtuple:class"
_ROW = "namedtuple:row"
_FACTORIES = frozenset({"collections.namedtuple", "typing.NamedTuple"})


class NamedTuples(Framework):
    """The plug-in: follows values into the fields and out of them."""

    name = "namedtuple"
    externals = tuple(sorted(_FACTORIES))

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name in _FACTORIES:
            return (engine.values.opaque(_CLASS, site.key, *_named(engine, site)),)
        fields = _fields(engine, callee)
        if fields is None:
            return None
        if view.kind == Kind.CLASS:
            row = engine.values.instance(callee)
        else:
            row = engine.values.opaque(_ROW, *view.parts)
        for position, name in enumerate(fields):
            variable = site.argument_variable(position, name)
            if variable is not None:
                engine.flow(variable, engine.field(row, name))
        return (row,)

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        fields = _fields(engine, receiver)
        if fields is None or name not in fields:
            return None
        return engine.points_to(engine.field(receiver, name))

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        fields = _fields(engine, receiver)
        if fields is None:
            return None
        if isinstance(key, int) and -len(fields) <= key < len(fields):
            return engine.points_to(engine.field(receiver, fields[key]))
        return self.iterate(engine, site, receiver)

    def iterate(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        fields = _fields(engine, receiver)
        if fields is None:
            return None
        found: dict[int, None] = {}
        for name in fields:
            found.update(dict.fromkeys(engine.points_to(engine.field(receiver, name))))
        return tuple(found)


def _named(engine: Engine, site: CallSite) -> tuple[str, ...]:
    """The names of the fields: one text, a list of texts, or a list of pairs of name and type."""
    texts = site.texts(1, "field_names")
    if len(texts) == 1:
        return tuple(texts[0].replace(",", " ").split())
    if texts:
        return texts
    names: list[str] = []
    for fields in (*site.argument(1), *site.argument(-1, "fields")):
        if engine.values.kind(fields) != Kind.CONTAINER:
            continue
        for pair in engine.points_to(engine.element(fields)):
            if engine.values.kind(pair) == Kind.CONTAINER:
                inner = engine.points_to(engine.element(pair))
                names += [t for each in inner if (t := engine.values.text(each)) is not None]
    return tuple(names)


def _fields(engine: Engine, value: int) -> tuple[str, ...] | None:
    """The fields of a class or a row of named tuples, in order; None for anything else."""
    view = engine.values.view(value)
    if view.kind == Kind.OPAQUE:
        parts = view.parts if view.name in (_CLASS, _ROW) else None
        return None if parts is None else tuple(map(str, parts[1:]))
    if view.kind == Kind.INSTANCE:
        return _fields(engine, view.owner)
    if view.kind != Kind.CLASS:
        return None
    declared: list[str] = []
    for base in engine.bases(value):
        known = engine.values.view(base)
        if known.kind == Kind.CLASS:
            body = engine.class_view(base)
            declared = [each.name for each in body.attributes if each.annotation] or declared
        elif known.name == "typing.NamedTuple":
            return tuple(declared)
        elif known.name == _CLASS:
            return _fields(engine, base)
    return None
