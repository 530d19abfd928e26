"""marshmallow: dumping an object reads the attributes that its schema names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from migrator.graph.frameworks import CallSite, Engine, Framework, Site
from migrator.graph.values import Kind

_FIELD = "marshmallow:field"
_MARSHALS = "marshmallow:marshals"
_NESTS = frozenset({"Nested", "Pluck", "List", "Dict"})
_DEEPEST = 4


class Marshmallow(Framework):
    """The plug-in: `schema.dump(x)` reads `x.field` for every field, and so on inside."""

    name = "marshmallow"
    externals = ("marshmallow", "flask_marshmallow", "marshmallow_sqlalchemy", "flask_apispec")

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and ".fields." in view.name:
            inner = site.argument(0, "nested") if view.name.rsplit(".", 1)[-1] in _NESTS else ()
            slot = engine.slot("marshmallow", "nested", site.key)
            engine.add(slot, *inner)
            attribute = site.text(-1, "attribute") or ""
            return (engine.values.opaque(_FIELD, attribute, slot),)
        if view.kind == Kind.EXTERNAL and view.name.endswith(".marshal_with"):
            schemas = [engine.values.view(each) for each in site.argument(0, "schema")]
            return [
                engine.values.opaque(
                    _MARSHALS, each.owner if each.kind == Kind.INSTANCE else each.id
                )
                for each in schemas
                if each.kind in (Kind.INSTANCE, Kind.CLASS)
            ]
        if view.name == _MARSHALS:
            return self._marshalled(engine, site, view.parts[0])
        if view.kind != Kind.BOUND or engine.values.kind(view.owner) != Kind.INSTANCE:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if method not in {"dump", "dumps", "jsonify"}:
            return None
        self.seen = True
        self._dump(engine, site, engine.values.view(view.owner).owner, site.argument(0, "obj"), 0)
        return None

    def _marshalled(self, engine: Engine, site: CallSite, schema: Hashable) -> Iterable[int]:
        """What a view returns is dumped in its name."""
        views = site.argument(0)
        for view in views:
            place = engine.inside(view)
            if place is not None and isinstance(schema, int):
                returned = engine.points_to(engine.invoke(site, view, [], edge=False))
                self._dump(engine, place, schema, returned, 0)
        return views

    def _dump(
        self, engine: Engine, site: Site, schema: int, objects: Iterable[int], depth: int
    ) -> None:
        if depth > _DEEPEST:
            return
        single: list[int] = []
        for each in objects:
            single += [each, *engine.points_to(engine.iterate(site, each))]
        for name, field in self._fields(engine, schema):
            attribute, slot = engine.values.view(field).parts
            found: list[int] = []
            for each in dict.fromkeys(single):
                if engine.values.kind(each) == Kind.INSTANCE:
                    variable = engine.attribute(site, each, str(attribute) or name)
                    found += engine.points_to(variable)
            assert isinstance(slot, int)
            for inner in self._schemas(engine, schema, slot):
                self._dump(engine, site, inner, found, depth + 1)

    def _fields(self, engine: Engine, schema: int) -> Iterator[tuple[str, int]]:
        for owner in engine.bases(schema):
            if engine.values.kind(owner) == Kind.CLASS:
                for attribute in engine.class_view(owner).attributes:
                    for value in engine.points_to(attribute.variable):
                        if engine.values.name(value) == _FIELD:
                            yield attribute.name, value

    def _schemas(self, engine: Engine, schema: int, slot: int) -> Iterator[int]:
        """The schema classes of a nested field: a class, an instance, a name, or itself."""
        for value in engine.points_to(slot):
            view = engine.values.view(value)
            if view.kind == Kind.CLASS:
                yield value
            elif view.kind == Kind.INSTANCE:
                yield view.owner
            elif view.kind == Kind.STRING:
                yield from (schema,) if view.name == "self" else engine.class_named(view.name)
            elif view.name == _FIELD:
                inner = view.parts[1]
                assert isinstance(inner, int)
                yield from self._schemas(engine, schema, inner)
