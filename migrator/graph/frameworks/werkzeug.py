"""Werkzeug's local proxies: `LocalProxy(find)` stands for what `find()` gives, at each use."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

_PROXY = "werkzeug:proxy"


class Werkzeug(Framework):
    """The plug-in: using a proxy calls its function."""

    name = "werkzeug"
    externals = ("werkzeug.local", "werkzeug.LocalProxy")

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name.rsplit(".", 1)[-1] == "LocalProxy":
            found = [
                engine.values.opaque(_PROXY, each)
                for each in site.argument(0, "local")
                if engine.values.kind(each) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL)
            ]
            return found or None
        if view.kind == Kind.BOUND and engine.values.name(view.owner) == _PROXY:
            return self._behind(engine, site, view.owner)
        return None

    def _behind(self, engine: Engine, site: Site, proxy: int) -> tuple[int, ...]:
        function = engine.values.view(proxy).parts[0]
        assert isinstance(function, int)
        return engine.points_to(engine.invoke(site, function, []))

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        if engine.values.name(receiver) != _PROXY:
            return None
        behind = self._behind(engine, site, receiver)
        if name == "_get_current_object":
            return None
        return [
            value
            for each in behind
            for value in engine.points_to(engine.attribute(site, each, name))
        ]

    def iterate(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        if engine.values.name(receiver) != _PROXY:
            return None
        return [
            value
            for each in self._behind(engine, site, receiver)
            for value in engine.points_to(engine.iterate(site, each))
        ]

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        if engine.values.name(receiver) != _PROXY:
            return None
        return [
            value
            for each in self._behind(engine, site, receiver)
            for value in engine.points_to(engine.item(site, each, key))
        ]
