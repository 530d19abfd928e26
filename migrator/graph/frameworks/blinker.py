"""Signals in the process: blinker's, and those that Flask sends."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine
from migrator.model.program import EntryPoint

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_SIGNAL = "blinker:signal"
_CONNECT = "blinker:connect"
_NAMESPACE = "blinker:namespace"
_BY_FLASK = frozenset(
    {
        "request_started", "request_finished", "request_tearing_down", "got_request_exception",
        "appcontext_tearing_down", "appcontext_pushed", "appcontext_popped", "template_rendered",
        "before_render_template", "message_flashed",
    }
)  # fmt: skip
_AROUND_REQUESTS = _BY_FLASK - {"message_flashed", "template_rendered", "before_render_template"}
_OF_PRINCIPAL = frozenset({"flask_principal.identity_changed", "flask_principal.identity_loaded"})
_ALL = ...
_CAUSED = {"identity_changed": ("identity_loaded",)}
"""Signals that a package sends when it gets one: Flask-Principal loads the identity anew."""


class Blinker(Framework):
    """The plug-in: `send` calls every receiver, inside the sender's own transaction."""

    name = "blinker"
    externals = (
        "blinker",
        "flask.signals",
        *(f"flask.{name}" for name in sorted(_BY_FLASK)),
        *sorted(_OF_PRINCIPAL),
    )

    def __init__(self) -> None:
        self._receivers: dict[tuple[str, int], CallSite] = {}

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        last = name.rsplit(".", 1)[-1]
        if last in _BY_FLASK or name in _OF_PRINCIPAL:
            return (engine.values.opaque(_SIGNAL, last),)
        return None

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            last = view.name.rsplit(".", 1)[-1]
            if last == "Namespace":
                return (engine.values.opaque(_NAMESPACE, site.key),)
            if last in {"signal", "Signal", "NamedSignal"}:
                return (self._signal(engine, site),)
            return None
        if view.kind == Kind.OPAQUE and view.name == _CONNECT:
            for function in site.argument(0):
                wanted = view.parts[1]
                assert isinstance(wanted, tuple)
                self._connect(engine, site, str(view.parts[0]), function, wanted)
            return site.argument(0)
        if view.kind != Kind.BOUND:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        receiver = engine.values.view(view.owner)
        if receiver.name == _NAMESPACE and method == "signal":
            return (self._signal(engine, site),)
        if receiver.name != _SIGNAL:
            return None
        name = str(receiver.parts[0])
        if method == "connect":
            functions = site.argument(0, "receiver")
            wanted = self._texts(engine, site, 1, "sender")
            for function in functions:
                self._connect(engine, site, name, function, wanted)
            return functions
        if method == "connect_via":
            wanted = self._texts(engine, site, 0, "sender")
            return (engine.values.opaque(_CONNECT, name, wanted, site.key),)
        if method == "send":
            self._send(engine, site, name)
            return ()
        return None

    def _signal(self, engine: Engine, site: CallSite) -> int:
        self.seen = True
        name = site.text(0, "name")
        return engine.values.opaque(_SIGNAL, name or f"{site.function}#{site.ordinal}")

    @staticmethod
    def _texts(engine: Engine, site: CallSite, position: int, name: str) -> tuple[str, ...]:
        """The texts that a sender can only be; none where it may be anything."""
        given = site.argument(position, name)
        texts = [engine.values.name(e) for e in given if engine.values.kind(e) == Kind.STRING]
        return tuple(sorted(texts)) if len(texts) == len(given) else ()

    def _connect(
        self,
        engine: Engine,
        site: CallSite,
        name: str,
        function: int,
        wanted: tuple[Hashable, ...],
    ) -> None:
        if engine.values.kind(function) not in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL):
            return
        self._receivers[(name, function)] = site
        for each in (_ALL, *(wanted or (None,))):
            engine.add(engine.slot("blinker", "receivers", name, each), function)

    def _send(self, engine: Engine, site: CallSite, name: str) -> None:
        site.effect("emit", name, via="signal")
        sender = site.argument_variable(0)
        keywords = {}
        for keyword in site.keywords:
            variable = site.argument_variable(-1, keyword)
            if variable is not None:
                keywords[keyword] = variable
        arguments = [sender if sender is not None else engine.slot("blinker", "nobody")]
        if site.given(0) and not site.argument(0) and engine.wait():
            return
        texts = self._texts(engine, site, 0, "sender")
        for sent in (None, *texts) if texts else (_ALL,):
            for function in engine.points_to(engine.slot("blinker", "receivers", name, sent)):
                engine.invoke(site, function, arguments, keywords)
        for caused in _CAUSED.get(name, ()):
            self._send(engine, site, caused)

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        around: set[int] = set()
        for (name, function), site in self._receivers.items():
            called = engine.name_of(function)
            if name in _AROUND_REQUESTS:
                around.add(function)
                continue
            file, line, _ = engine.file_of(function)
            analysis.program.entry_points[f"signal:{called}"] = EntryPoint(
                name=f"signal:{called}",
                kind="signal",
                handler=called,
                file=file or site.file,
                line=line or site.line,
                framework="blinker",
                trigger=name,
            )
            analysis.handlers[f"signal:{called}"] = (function,)
        if around:
            names = {engine.name_of(each) for each in around}
            analysis.program.hooks = tuple(sorted({*analysis.program.hooks, *names}))
            for entry in analysis.program.entry_points.values():
                if entry.kind == "route":
                    known = analysis.around.get(entry.name, ())
                    analysis.around[entry.name] = (*known, *sorted(around, key=engine.name_of))
