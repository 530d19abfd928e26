"""What a registry of classes gives: mappers of all that is mapped, and the classes by name."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import BASE, CLASS_TABLE
from migrator.graph.protocol import Engine, Site

REGISTRY = "sqlalchemy:registry"
MAPPER = "sqlalchemy:mapper"
"""Of any mapped class: it is not known which."""

_CLASSES = ("sqlalchemy", "mapped classes")
_BY_NAME = frozenset({"_class_registry", "_decl_class_registry"})


def mapped(engine: Engine, class_: int) -> None:
    """A class is mapped: registries have it."""
    engine.add(engine.slot(*_CLASSES), class_)


def of_a_base(engine: Engine, site: Site, name: str) -> Iterable[int] | None:
    """An attribute that a declarative base and its classes have; None for others."""
    if name == "registry":
        return (engine.values.opaque(REGISTRY, BASE),)
    return _by_name(engine, site) if name in _BY_NAME else None


def of_a_registry(engine: Engine, site: Site, name: str) -> Iterable[int] | None:
    """An attribute of a registry; None for those that give no class."""
    if name == "mappers":
        mapper = engine.values.opaque(MAPPER, BASE)
        return (engine.container("builtins.list", site, mapper),)
    return _by_name(engine, site) if name in _BY_NAME else None


def of_a_mapper(engine: Engine, name: str) -> Iterable[int] | None:
    """An attribute of a mapper of some class."""
    classes = engine.points_to(engine.slot(*_CLASSES))
    if name in ("class_", "entity"):
        return classes
    if name in ("local_table", "mapped_table", "persist_selectable"):
        return [engine.values.opaque(CLASS_TABLE, each) for each in classes]
    return None


def _by_name(engine: Engine, site: Site) -> tuple[int]:
    classes = engine.points_to(engine.slot(*_CLASSES))
    known = [each for each in classes if engine.values.kind(each) == Kind.CLASS]
    return (engine.container("builtins.dict", site, *known),)
