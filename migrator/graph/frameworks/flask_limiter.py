"""Flask-Limiter: what was asked so far is counted in the process, unless it is told where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.analysis import ExtensionState
from migrator.graph.framework import Framework
from migrator.graph.protocol import CallSite, Engine

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_LIMITER = "flask_limiter.Limiter"


class FlaskLimiter(Framework):
    """The plug-in: whoever answers a route counts for the limiter."""

    name = "flask_limiter"
    externals = ("flask_limiter",)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        self.seen = self.seen or engine.values.name(callee) == _LIMITER
        return None

    def finish(self, analysis: Analysis) -> None:
        if self.seen:
            entries = analysis.program.entry_points.values()
            handlers = {each.handler for each in entries if each.kind == "route" and each.handler}
            analysis.extensions[_LIMITER] = ExtensionState("rate-limit", handlers)
