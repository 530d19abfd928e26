"""What runs when a framework calls a handler or a hook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migrator.graph.analysis import Analysis
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import Engine

_HTTP_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")


def started(engine: Engine, value: int, methods: Iterable[str] = ()) -> tuple[int, ...]:
    """The functions, bound or not, that run for a handler or hook: those of a view's class.

    `methods` are the HTTP methods that reach it; none: all may.
    """
    if engine.values.kind(value) not in (Kind.CLASS, Kind.INSTANCE):
        return (value,)
    is_class = engine.values.kind(value) == Kind.CLASS
    instance = engine.values.instance(value) if is_class else value
    class_ = engine.values.view(instance).owner
    found: list[int] = []
    asked = {each.lower() for each in methods}
    served = [each for each in _HTTP_METHODS if not asked or each in asked]
    if "get" in served and "head" not in served:
        served.append("head")
    for method in (*served, "dispatch_request", "__call__"):
        for function in _of_class(engine, class_, method):
            found.append(engine.values.bound(instance, function))
    return tuple(dict.fromkeys(found))


def _of_class(engine: Engine, class_: int, name: str) -> Iterator[int]:
    """The functions under a name of a class: what was set on it, and what its body binds."""
    for base in engine.bases(class_):
        if engine.values.kind(base) == Kind.CLASS:
            yield from engine.points_to(engine.field(base, name))
    variable = engine.class_attribute(class_, name)
    if variable is not None:
        yield from engine.points_to(variable)


def methods_of(analysis: Analysis, name: str) -> tuple[str, ...]:
    """The HTTP methods of the routes of an entry point; none for others."""
    entry = analysis.program.entry_points.get(name)
    routes = entry.routes if entry is not None else ()
    return tuple({method for route in routes for method in route.methods})


def roots_of(analysis: Analysis, value: int, methods: Iterable[str] = ()) -> tuple[str, ...]:
    """The keys of the functions or variants that run when a handler or hook is called."""
    engine = analysis.engine
    assert engine is not None
    found = (key for each in started(engine, value, methods) for key in engine.runs(each))
    return tuple(dict.fromkeys(found))


def handlers_of(analysis: Analysis, name: str) -> tuple[str, ...]:
    """The keys of what an entry point starts with."""
    methods = methods_of(analysis, name)
    found = (
        root
        for value in analysis.handlers.get(name, ())
        for root in roots_of(analysis, value, methods)
    )
    return tuple(dict.fromkeys(found))


def all_started(analysis: Analysis) -> list[int]:
    """All that runs for entry points, and around them."""
    engine = analysis.engine
    assert engine is not None
    found: dict[int, None] = {}
    for name, values in analysis.handlers.items():
        methods = methods_of(analysis, name)
        found.update(dict.fromkeys(e for v in values for e in started(engine, v, methods)))
    for values in analysis.around.values():
        found.update(dict.fromkeys(e for v in values for e in started(engine, v)))
    return list(found)
