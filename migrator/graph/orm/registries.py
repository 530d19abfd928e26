"""What a registry of classes gives: mappers of all that is mapped, and the classes by name."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import BASE, MAPPER
from migrator.graph.protocol import Engine, Site

REGISTRY = "sqlalchemy:registry"
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
        mappers = [engine.values.opaque(MAPPER, each) for each in _classes(engine)]
        return (engine.container("builtins.list", site, *mappers),)
    return _by_name(engine, site) if name in _BY_NAME else None


def _classes(engine: Engine) -> list[int]:
    classes = engine.points_to(engine.slot(*_CLASSES))
    return [each for each in classes if engine.values.kind(each) == Kind.CLASS]


def _by_name(engine: Engine, site: Site) -> tuple[int]:
    return (engine.container("builtins.dict", site, *_classes(engine)),)
