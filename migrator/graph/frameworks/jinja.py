"""Jinja templates: what rendering one reads, calls and renders along with it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.frameworks.jinja_rendering import Rendering, Scope
from migrator.graph.frameworks.jinja_templates import Templates
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site, StoreSite

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_RENDERS = frozenset({"render_template", "stream_template", "render_theme_template"})
ENVIRONMENT = "jinja:environment"
"""`app.jinja_env`."""
_REGISTRY = "jinja:registry"
_REGISTRIES = {"globals": "global", "filters": "filter", "tests": "test"}


class Jinja(Framework):
    """The plug-in: a call of `render_template` does what the template's expressions do."""

    name = "jinja"
    externals = (
        "flask.render_template",
        "flask.stream_template",
        "flask.templating",
        "flask_themes2",
    )

    def __init__(self, root: Path | None) -> None:
        self.templates = Templates(root)
        self._rendered: dict[str, set[str]] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.BOUND and engine.values.name(view.owner) == _REGISTRY:
            return self._update(engine, site, view.owner)
        if view.kind != Kind.EXTERNAL or view.name.rsplit(".", 1)[-1] not in _RENDERS:
            return None
        self.seen = True
        for processor in engine.points_to(engine.slot("jinja", "processor")):
            engine.invoke(site, processor, [])
        scope: Scope = {}
        for name in site.keywords:
            scope[name] = site.argument(-1, name)
        for value in site.merged:
            if engine.values.kind(value) == Kind.CONTAINER:
                for key in engine.keys(value):
                    held = engine.points_to(engine.item(site, value, key))
                    scope[str(key)] = (*scope.get(str(key), ()), *held)
        position = 1 if "theme" in view.name else 0
        for name in site.texts(position, "template_name_or_list"):
            rendering = Rendering(engine, site, self.templates)
            rendering.template(name, scope)
            site.effect("render")
            known = self._rendered.setdefault(site.function, set())
            known |= rendering.names
        return (engine.values.external_instance("builtins.str"),)

    # -- the environment --------------------------------------------------------------------------

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        if engine.values.name(receiver) == ENVIRONMENT and name in _REGISTRIES:
            return (engine.values.opaque(_REGISTRY, _REGISTRIES[name]),)
        return None

    def store_item(
        self, engine: Engine, site: StoreSite, receiver: int, key: Hashable | None
    ) -> bool | None:
        if engine.values.name(receiver) == _REGISTRY and isinstance(key, str):
            self._register(engine, site, receiver, key, site.variable)
        return None

    def _update(self, engine: Engine, site: CallSite, registry: int) -> Iterable[int]:
        """`environment.globals.update(name=function)`."""
        for name in site.keywords:
            variable = site.argument_variable(-1, name)
            if variable is not None:
                self._register(engine, site, registry, name, variable)
        for value in site.argument(0):
            if engine.values.kind(value) == Kind.CONTAINER:
                for key in engine.keys(value):
                    self._register(engine, site, registry, str(key), engine.item(site, value, key))
        return ()

    def _register(
        self, engine: Engine, site: Site, registry: int, name: str, variable: int
    ) -> None:
        what = engine.values.view(registry).parts[0]
        engine.flow(variable, engine.slot("jinja", what, name))
        for value in engine.points_to(variable):
            if engine.values.kind(value) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL):
                engine.invoke(site, value, [], edge=False)

    def finish(self, analysis: Analysis) -> None:
        root = analysis.root
        for name, files in self.templates.files().items():
            analysis.program.templates[name] = files[0].relative_to(root).as_posix()
        for function, names in self._rendered.items():
            analysis.rendered.setdefault(function, set()).update(names)
