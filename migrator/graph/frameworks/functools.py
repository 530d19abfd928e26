"""`functools.wraps`, and `__name__` set by hand: under which name a wrapped function goes on."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_WRAPS = "functools:wraps"
_ORIGINAL = "functools:original"
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
                for wrapped in site.argument(1):
                    _rename(engine, site, wrapper, wrapped)
            return site.argument(0)
        if view.name == _WRAPS:
            inner = view.parts[0]
            assert isinstance(inner, int)
            for wrapper in site.argument(0):
                _rename(engine, site, wrapper, inner)
            return site.argument(0)
        return None


def _rename(engine: Engine, site: CallSite, wrapper: int, wrapped: int) -> None:
    name = engine.values.opaque(_ORIGINAL, wrapped, len(site.variant))
    engine.add(engine.slot("functools", "original", wrapper), name)


def original(engine: Engine, function: int) -> int:
    """The function that a chain of wrappers stands for, or the function itself.

    Of several names that a wrapper was given, the outermost call gave the last: that of the
    shortest variant.
    """
    seen = {function}
    while True:
        names = [
            engine.values.view(each).parts
            for each in engine.points_to(engine.slot("functools", "original", function))
        ]
        if not names:
            names = [
                (each, 0) for each in (*_decorated(engine, function), *_named(engine, function))
            ]
        inner = sorted(
            (depth, wrapped)
            for wrapped, depth in names
            if isinstance(depth, int) and isinstance(wrapped, int) and wrapped not in seen
        )
        if not inner:
            return function
        function = inner[0][1]
        seen.add(function)


def _decorated(engine: Engine, instance: int) -> Iterable[int]:
    """The functions that an instance was made of where its class stands as their decorator."""
    if engine.values.kind(instance) != Kind.INSTANCE:
        return ()
    given = engine.points_to(engine.slot("decorated", instance))
    return (each for each in given if engine.values.kind(each) in (Kind.FUNCTION, Kind.INSTANCE))


def _named(engine: Engine, wrapper: int) -> Iterable[int]:
    """The function of the scope around a wrapper whose name the wrapper was given by hand."""
    texts = _given_names(engine, wrapper)
    return (
        each
        for each in (engine.captured(wrapper) if texts else ())
        if engine.values.kind(each) == Kind.FUNCTION and original_name(engine, each) in texts
    )


def _given_names(engine: Engine, function: int) -> list[str]:
    """What a function's `__name__` was set to."""
    if engine.values.kind(function) != Kind.FUNCTION:
        return []
    given = engine.points_to(engine.field(function, "__name__"))
    return [text for each in given if (text := engine.values.text(each)) is not None]


def wrapped_functions(engine: Engine, function: int) -> list[int]:
    """A function and all that it wraps: it has the attributes that those were given."""
    found = [function]
    for each in found:
        for name in engine.points_to(engine.slot("functools", "original", each)):
            inner = engine.values.view(name).parts[0]
            if isinstance(inner, int) and inner not in found:
                found.append(inner)
    return found


def original_name(engine: Engine, function: int) -> str:
    """The `__name__` of a function, as `functools.wraps` hands it on, or as it was set."""
    inner = original(engine, function)
    given = _given_names(engine, inner)
    return given[0] if given else engine.name_of(inner).rsplit(".", 1)[-1]
