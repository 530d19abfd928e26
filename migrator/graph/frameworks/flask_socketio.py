"""Flask-SocketIO: handlers of the messages that clients send over a connection they hold open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, class_among
from migrator.graph.web.views import is_code
from migrator.model.program import EntryPoint

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_SERVERS = frozenset({"flask_socketio.SocketIO", "socketio.Server", "socketio.AsyncServer"})
_NAMESPACES = frozenset(
    {"flask_socketio.Namespace", "flask_socketio.namespace.Namespace", "socketio.Namespace"}
)
_DECORATOR = "flask_socketio:handler"
_MAIN = "/"


class FlaskSocketIO(Framework):
    """The plug-in: `@socketio.on(...)`, `@socketio.event`, `on_event`, and classes of handlers."""

    name = "flask_socketio"
    externals = ("flask_socketio", "socketio")

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], None] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.name == _DECORATOR:
            event, namespace = view.parts
            for function in site.argument(0):
                name = str(event) or engine.name_of(function).rpartition(".")[2]
                self._handle(engine, site, str(namespace), name, function)
            return site.argument(0)
        if view.kind != Kind.BOUND or not class_among(engine, view.owner, _SERVERS):
            return None
        method = engine.values.name(view.function).rpartition(".")[2]
        namespace = site.text(-1, "namespace") or _MAIN
        if method == "event" and any(is_code(engine, each) for each in site.argument(0)):
            for function in site.argument(0):
                name = engine.name_of(function).rpartition(".")[2]
                self._handle(engine, site, _MAIN, name, function)
            return site.argument(0)
        if method in ("on", "event"):
            event = site.text(0, "message") or "" if method == "on" else ""
            return (engine.values.opaque(_DECORATOR, event, namespace),)
        if method == "on_event":
            for function in site.argument(1, "handler"):
                name = site.text(0, "message") or ""
                self._handle(engine, site, site.text(2, "namespace") or _MAIN, name, function)
        elif method in ("on_namespace", "register_namespace"):
            for instance in site.argument(0):
                self._handle_class(engine, site, instance)
        return None

    def _handle_class(self, engine: Engine, site: CallSite, instance: int) -> None:
        """The methods `on_...` of a class of handlers, each for the message of that name."""
        if engine.values.kind(instance) != Kind.INSTANCE:
            return
        for base in engine.bases(engine.values.view(instance).owner):
            if engine.values.kind(base) != Kind.CLASS:
                continue
            for each in engine.class_view(base).attributes:
                if each.name.startswith("on_"):
                    for method in engine.points_to(engine.attribute(site, instance, each.name)):
                        owner = engine.values.name(engine.values.view(instance).owner)
                        self._handle(engine, site, owner, each.name[3:], method)

    def _handle(
        self, engine: Engine, site: CallSite, namespace: str, event: str, function: int
    ) -> None:
        if is_code(engine, function):
            self.seen = True
            self._found[namespace, event, function] = None
            engine.invoke(site, function, [], edge=False)

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        for namespace, event, function in self._found:
            name = f"message:{'' if namespace == _MAIN else f'{namespace} '}{event}"
            file, line, _ = engine.file_of(function)
            analysis.program.entry_points[name] = EntryPoint(
                name=name,
                kind="message",
                handler=engine.name_of(function),
                file=file,
                line=line,
                framework="flask_socketio",
                trigger=event,
            )
            analysis.handlers[name] = (*analysis.handlers.get(name, ()), function)
