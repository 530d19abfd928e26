"""Modules by a name that the program puts together, and names that it puts into modules."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable

from migrator.graph.framework import Framework
from migrator.graph.protocol import CallSite, Engine, Site, StoreSite

_BY_MODULE = frozenset({"importlib.import_module", "builtins.__import__"})
_BY_PATH = frozenset({"werkzeug.utils.import_string", "django.utils.module_loading.import_string"})
_LOADED = "sys.modules"
_GLOBALS = "builtins.globals"
_NAMES = "importing:names"
_HOLE = "{}"


class Importing(Framework):
    """The plug-in: what `importlib.import_module(name, package)` and its like give, and
    `sys.modules[name]`; `globals()[name] = value` is an attribute of the module.

    A name with a hole (`f"shop.plugins.{name}"`) stands for every module of the project that fits,
    where the package before the hole is known: which of them are there is decided by a folder or a
    setting, and all of them may be.
    """

    name = "importing"
    externals = (*sorted(_BY_MODULE), *sorted(_BY_PATH), _LOADED, _GLOBALS)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        name = engine.values.name(callee)
        if name in _BY_MODULE:
            packages = site.texts(1, "package") or (site.module,)
            found = [
                value
                for text in site.texts(0, "name")
                for package in (packages if text.startswith(".") else ("",))
                for value in _modules(engine, _absolute(text, package))
            ]
        elif name in _BY_PATH:
            found = [
                value
                for text in site.texts(0, "import_name")
                if _HOLE not in text
                for value in engine.resolve(text.replace(":", "."))
            ]
        elif name == _GLOBALS:
            return [engine.values.opaque(_NAMES, each) for each in engine.resolve(site.module)]
        else:
            return None
        return tuple(dict.fromkeys(found))

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        if view.name == _LOADED:
            return engine.resolve(str(key)) if str(key) in engine.modules() else None
        if view.name == _NAMES and isinstance(key, str):
            return engine.points_to(engine.attribute(site, int(str(view.parts[0])), key))
        return None

    def store_item(
        self, engine: Engine, site: StoreSite, receiver: int, key: Hashable | None
    ) -> bool | None:
        view = engine.values.view(receiver)
        if view.name == _NAMES and isinstance(key, str):
            engine.flow(site.variable, engine.field(int(str(view.parts[0])), key))
        return None


def _absolute(text: str, package: str) -> str:
    """The dotted name that a relative one means in a package."""
    level = len(text) - len(text.lstrip("."))
    if not level:
        return text
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - level + 1], text[level:]])


def _modules(engine: Engine, dotted: str) -> list[int]:
    known, hole, _ = dotted.partition(_HOLE)
    if not hole:
        return list(engine.resolve(dotted))
    if "." not in known:
        return []  # it may be any module there is
    pattern = re.compile(re.escape(dotted).replace(re.escape(_HOLE), "[^.]+"))
    return [
        value
        for name in engine.modules()
        if pattern.fullmatch(name)
        for value in engine.resolve(name)
    ]
