"""What SQLAlchemy tells of a class that it maps: its mapper, and the names of its attributes."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.linking.values import Kind
from migrator.graph.orm.computed import HYBRID
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import CLASS_TABLE, MAPPER
from migrator.graph.protocol import CallSite, Engine

ATTRIBUTES_OF = "sqlalchemy:attributes_of"
ATTRIBUTE_OF = "sqlalchemy:attribute_of"

INSPECTS = frozenset({"inspect", "object_mapper", "class_mapper"})
_COLLECTIONS = frozenset({"iterate_properties", "attrs", "relationships", "all_orm_descriptors"})
_VIEWS = frozenset({"keys", "values", "items"})


class Introspection:
    """Attributes that are reached by names which the mapper gives are named: `getattr(obj, key)`.

    Only those of relationships and hybrids, since columns are read along with the row.
    """

    def __init__(self, declared: Declarations) -> None:
        self._declared = declared

    def inspect(self, engine: Engine, site: CallSite) -> list[int]:
        """`inspect(X)` of a class or an instance, which has the mapper's attributes, too."""
        views = [engine.values.view(each) for each in site.argument(0)]
        found = [each.owner if each.kind == Kind.INSTANCE else each.id for each in views]
        classes = [each for each in found if engine.values.kind(each) == Kind.CLASS]
        return [engine.values.opaque(MAPPER, each) for each in dict.fromkeys(classes)]

    def attribute(self, engine: Engine, receiver: int, name: str) -> Iterable[int] | None:
        """An attribute of a mapper, or of one of its properties."""
        view = engine.values.view(receiver)
        class_ = int(str(view.parts[0]))
        if view.name == ATTRIBUTE_OF:
            return self._names(engine, class_, str(view.parts[1])) if name == "key" else None
        if view.name != MAPPER:
            return None
        if name in _COLLECTIONS:
            return (engine.values.opaque(ATTRIBUTES_OF, class_, name),)
        if name in {"mapper", "class_", "entity"}:
            return (receiver if name == "mapper" else class_,)
        if name in {"local_table", "persist_selectable"}:
            return (engine.values.opaque(CLASS_TABLE, class_),)
        return None

    def call(self, engine: Engine, site: CallSite, receiver: int, method: str) -> Iterable[int]:
        """`mapper.attrs.keys()`, `.values()`, `.items()`."""
        class_, which = engine.values.view(receiver).parts
        if method not in _VIEWS:
            return ()
        names = self._names(engine, int(str(class_)), str(which))
        held = (engine.values.opaque(ATTRIBUTE_OF, class_, which),)
        if method == "items":
            pair = engine.container("builtins.list", site, *names, *held)
            return (engine.container("builtins.list", site, pair),)
        return (engine.container("builtins.list", site, *(names if method == "keys" else held)),)

    def iterate(self, engine: Engine, receiver: int) -> Iterable[int]:
        """The properties, one after the other."""
        return (engine.values.opaque(ATTRIBUTE_OF, *engine.values.view(receiver).parts),)

    def _names(self, engine: Engine, class_: int, which: str) -> list[int]:
        names = self._declared.relationship_names(engine, class_)
        if which == "all_orm_descriptors":
            names += (
                attribute.name
                for owner in engine.bases(class_)
                if engine.values.kind(owner) == Kind.CLASS
                for attribute in engine.class_view(owner).attributes
                for value in engine.points_to(attribute.variable)
                if engine.values.name(value) == HYBRID
            )
        return [engine.values.string(each) for each in dict.fromkeys(names)]
