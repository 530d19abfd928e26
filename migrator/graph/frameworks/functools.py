"""`functools.wraps`: under which name a wrapped function goes on."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.frameworks import CallSite, Engine, Framework
from migrator.graph.values import Kind

_WRAPS = "functools:wraps"
_NAMES = frozenset({"functools.wraps", "wrapt.decorator", "decorator.decorator"})


class Functools(Framework):
    """The plug-in: remembers which function a wrapper stands for."""

    name = "functools"
    externals = ("functools", "wrapt", "decorator")

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name in _NAMES:
            return (engine.values.opaque(_WRAPS, wrapped) for wrapped in site.argument(0))
        if view.kind == Kind.EXTERNAL and view.name == "functools.update_wrapper":
            for wrapper in site.argument(0):
                engine.add(_original(engine, wrapper), *site.argument(1))
            return site.argument(0)
        if view.name == _WRAPS:
            wrapped = view.parts[0]
            assert isinstance(wrapped, int)
            for wrapper in site.argument(0):
                engine.add(_original(engine, wrapper), wrapped)
            return site.argument(0)
        return None


def _original(engine: Engine, wrapper: int) -> int:
    return engine.slot("functools", "original", wrapper)


def original(engine: Engine, function: int) -> int:
    """The function that a chain of wrappers stands for, or the function itself."""
    seen = {function}
    while True:
        inner = [
            each
            for each in engine.points_to(_original(engine, function))
            if each not in seen and engine.values.kind(each) != Kind.OPAQUE
        ]
        if not inner:
            return function
        function = inner[0]
        seen.add(function)


def original_name(engine: Engine, function: int) -> str:
    """The `__name__` of a function, as `functools.wraps` hands it on."""
    return engine.name_of(original(engine, function)).rsplit(".", 1)[-1]
