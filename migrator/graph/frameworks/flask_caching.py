"""Caches of Flask-Caching (and Flask-Cache before it): who fills one, and who asks it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.analysis import ExtensionState
from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, class_among

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_CACHES = frozenset({"flask_caching.Cache", "flask_cache.Cache", "flask.ext.cache.Cache"})
"""What makes a cache object."""
_KEEPERS = frozenset({"cached", "memoize"})
"""Methods that give a decorator, or are one."""
_READS = frozenset({"get", "get_many", "get_dict", "has"})
_KEEPER = "flask_caching:keeper"


class FlaskCaching(Framework):
    """The plug-in: uses of cache objects, of which `graph/kept_results.py` makes findings."""

    name = "flask_caching"
    externals = ("flask_caching", "flask_cache", "flask.ext.cache")

    def __init__(self) -> None:
        self._writers: set[str] = set()
        self._readers: set[str] = set()

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.tag == _KEEPER:
            return self._keep(engine, site)
        if view.kind != Kind.BOUND or not class_among(engine, view.owner, _CACHES):
            return None
        method = engine.values.name(view.function).rpartition(".")[2]
        if method in _KEEPERS:
            if site.decorates:
                return self._keep(engine, site)
            return (engine.values.opaque(_KEEPER),)
        if method != "init_app":
            (self._readers if method in _READS else self._writers).add(site.function)
        return None

    def _keep(self, engine: Engine, site: CallSite) -> Iterable[int]:
        for each in site.argument(0):
            if engine.values.kind(each) == Kind.FUNCTION:
                self.seen = True
                self._writers.add(engine.name_of(each))
                self._readers.add(engine.name_of(each))
        return site.argument(0)

    def finish(self, analysis: Analysis) -> None:
        for name in _CACHES:
            analysis.extensions[name] = ExtensionState("cache", self._writers, self._readers)
