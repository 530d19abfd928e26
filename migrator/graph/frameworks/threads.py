"""Threads, timers and pools: code that goes on beside the requests, and where it is started."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine
from migrator.model.program import EntryPoint, StateFinding

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_STARTS = frozenset({"Thread", "Process", "Timer"})


class Threads(Framework):
    """The plug-in: a thread that no request starts is a schedule; all are state of the process."""

    name = "threads"
    externals = ("threading", "multiprocessing", "concurrent.futures", "_thread", "sched")

    def __init__(self) -> None:
        self._started: dict[tuple[Hashable, int], tuple[CallSite, int, str]] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.CLASS:
            self._subclass(engine, site, callee)
            return None
        name = engine.values.name(view.function) if view.kind == Kind.BOUND else view.name
        last = name.rsplit(".", 1)[-1]
        if last in _STARTS:
            position = 1
            keyword = "function" if last == "Timer" else "target"
            self._start(engine, site, last, position, keyword)
        elif last in {"submit", "start_new_thread", "apply_async"}:
            self._start(engine, site, "submit", 0, "fn")
        elif last == "map":
            for function in site.argument(0, "fn"):
                engine.invoke(site, function, [])
        return None

    def _start(
        self, engine: Engine, site: CallSite, kind: str, position: int, keyword: str
    ) -> None:
        arguments: list[int] = []
        if kind == "submit":
            for each in range(1, site.positional):
                variable = site.argument_variable(each)
                arguments.append(variable if variable is not None else self._nothing(engine))
        else:
            given = 3 if kind != "Timer" else 2
            for value in site.argument(given, "args"):
                arguments = self._spread(engine, value)
        for function in site.argument(position, keyword):
            if engine.values.kind(function) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL):
                self._started[(site.key, function)] = (site, function, kind)
                engine.invoke(site, function, arguments, edge=False)

    def _spread(self, engine: Engine, container: int) -> list[int]:
        """Every argument may be any element: the order inside of a tuple is not looked at."""
        if engine.values.kind(container) != Kind.CONTAINER:
            return []
        return [engine.element(container)] * 8

    def _nothing(self, engine: Engine) -> int:
        return engine.slot("threads", "nothing")

    def _subclass(self, engine: Engine, site: CallSite, class_: int) -> None:
        """An instance of a subclass of Thread: its `run` goes on beside the requests."""
        if engine.class_attribute(class_, "run") is None:
            return
        instance = engine.values.instance(class_)
        for function in engine.points_to(engine.attribute(site, instance, "run")):
            self._started[(site.key, function)] = (site, function, "Thread")
            engine.invoke(site, function, [], edge=False)

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        program = analysis.program
        for site, function, kind in self._started.values():
            called = engine.name_of(function)
            program.state.append(
                StateFinding(
                    kind="timer" if kind == "Timer" else "thread",
                    name=called,
                    file=site.file,
                    line=site.line,
                    detail=f"{kind} started in {site.function}",
                    writers=(site.function,),
                )
            )
            site.effect("call", called, via=kind.lower())
            file, line, _ = engine.file_of(function)
            name = f"schedule:{called}"
            program.entry_points[name] = EntryPoint(
                name=name,
                kind="schedule",
                handler=called,
                file=file or site.file,
                line=line or site.line,
                framework="threads",
                trigger=f"{kind} started in {site.function}",
            )
            analysis.handlers[name] = (function,)
            analysis.starters[name] = site.function
