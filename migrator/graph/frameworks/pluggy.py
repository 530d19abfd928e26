"""Hooks of plug-ins: what pluggy's hook callers run."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

_HOOK = "pluggy:hook"
_CALLER = "pluggy:caller"
_MARKED = "pluggy:marked"


class Pluggy(Framework):
    """The plug-in: a hook caller runs every function of that name that is marked as one."""

    name = "pluggy"
    externals = ("pluggy",)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if engine.values.is_instance_of(callee, "pluggy.HookimplMarker") or view.name == _MARKED:
            functions = site.argument(0)
            if not site.decorates:
                return (engine.values.opaque(_MARKED),)
            for function in functions:
                if engine.values.kind(function) == Kind.FUNCTION:
                    self.seen = True
                    name = engine.name_of(function).rsplit(".", 1)[-1]
                    engine.add(engine.slot("pluggy", "hook", name), function)
            return functions
        if view.name == _CALLER:
            return self._run(engine, site, str(view.parts[0]))
        return None

    def _run(self, engine: Engine, site: CallSite, name: str) -> Iterable[int]:
        keywords = {}
        for keyword in site.keywords:
            variable = site.argument_variable(-1, keyword)
            if variable is not None:
                keywords[keyword] = variable
        found: list[int] = []
        for function in engine.points_to(engine.slot("pluggy", "hook", name)):
            found += engine.points_to(engine.invoke(site, function, [], keywords))
        return (engine.container("builtins.list", site, *found),)

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        if engine.values.view(receiver).name == _HOOK:
            return (engine.values.opaque(_CALLER, name),)
        if name == "hook" and engine.values.name(base) == "pluggy.PluginManager":
            return (engine.values.opaque(_HOOK),)
        return None
