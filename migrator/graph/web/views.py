"""View functions and view classes: how they are called, and by what methods."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.frameworks.functools import original_name
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site, with_elements

VIEW = "flask:view"
"""What `View.as_view("name")` gives: the class, the name, where, and what a request makes of it."""
VIEW_CLASSES = frozenset(
    {
        "flask.views.View",
        "flask.views.MethodView",
        "apiflask.views.MethodView",
        "flask_restful.Resource",
        "flask_restx.Resource",
        "flask_restplus.Resource",
    }
)
_ENUM = "http.HTTPMethod."
_HTTP_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")


def is_view_class(engine: Engine, class_: int) -> bool:
    """Whether a `CLASS` is one of views, as Flask and its extensions know them."""
    return any(engine.values.name(base) in VIEW_CLASSES for base in engine.bases(class_))


def construct_view(engine: Engine, site: CallSite, class_: int) -> int:
    """`View.as_view("name", *args, **kwargs)`: each request makes an instance with these."""
    nothing = engine.slot("flask", "nothing")
    given = [site.argument_variable(position) for position in range(1, site.positional)]
    keywords = {
        name: variable
        for name in site.keywords
        if name != "name" and (variable := site.argument_variable(-1, name)) is not None
    }
    arguments = [nothing if each is None else each for each in given]
    engine.invoke(site, class_, arguments, keywords, edge=False)
    instance = engine.new_instance(site, class_)
    return engine.values.opaque(VIEW, class_, site.text(0, "name") or "", site.key, instance)


def handler_of(engine: Engine, view: int) -> int:
    """What answers for a view: a function, or the instances of a view class that requests make."""
    seen = engine.values.view(view)
    if seen.name == VIEW:
        instance = seen.parts[3]
        assert isinstance(instance, int)
        return instance
    return engine.values.instance(view) if seen.kind == Kind.CLASS else view


def endpoint_of(engine: Engine, view: int) -> str:
    """The endpoint of a view that gives none: its function's own name."""
    seen = engine.values.view(view)
    if seen.name == VIEW:
        return str(seen.parts[1])
    return original_name(engine, view)


def methods_in(engine: Engine, values: Iterable[int]) -> tuple[str, ...]:
    """HTTP methods among values and in containers: texts, or members of `http.HTTPMethod`."""
    found: dict[str, None] = {}
    for value in with_elements(engine, values):
        name = engine.values.name(value)
        text = engine.values.text(value)
        if text is not None:
            found[text] = None
        elif name.startswith(_ENUM):
            found[name.removeprefix(_ENUM).partition(".")[0]] = None
    return tuple(found)


def methods_of(engine: Engine, view: int) -> tuple[str, ...]:
    """The methods of a view class; none for a function."""
    seen = engine.values.view(view)
    class_ = seen.parts[0] if seen.name == VIEW else view
    if not isinstance(class_, int) or engine.values.kind(class_) != Kind.CLASS:
        return ()
    variable = engine.class_attribute(class_, "methods")
    if variable is not None:
        texts = methods_in(engine, engine.points_to(variable))
        if texts:
            return texts
    return tuple(
        method.upper()
        for method in _HTTP_METHODS
        if engine.class_attribute(class_, method) is not None
    )


def methods_attribute(engine: Engine, site: Site, receiver: int) -> tuple[int, ...] | None:
    """What `cls.methods` and `self.methods` hold, which Flask fills when a view class is made."""
    seen = engine.values.view(receiver)
    class_ = seen.owner if seen.kind == Kind.INSTANCE else receiver
    if engine.values.kind(class_) != Kind.CLASS or not is_view_class(engine, class_):
        return None
    texts = (engine.values.string(method) for method in methods_of(engine, class_))
    return (engine.container("builtins.set", site, *texts),)


def serve(engine: Engine, site: CallSite, view: int) -> None:
    """Values flow into a view as if a request had come."""
    instance = handler_of(engine, view)
    if engine.values.kind(instance) == Kind.INSTANCE:
        class_ = engine.values.view(instance).owner
        methods = engine.slot("flask", "methods", instance)
        for method in (*_HTTP_METHODS, "dispatch_request", "__call__"):
            if engine.class_attribute(class_, method) is not None:
                for bound in engine.points_to(engine.attribute(site, instance, method)):
                    engine.invoke(site, bound, [], edge=False)
                    engine.add(methods, bound)
        decorate_view(engine, site, class_, instance)
    elif is_code(engine, view):
        for each in engine.captured(view):
            if engine.values.kind(each) == Kind.CLASS:
                engine.tell_apart(each)
        engine.invoke(site, view, [], edge=False)


def decorate_view(engine: Engine, site: CallSite, class_: int, view: int) -> None:
    """What `decorators` of a view class (`method_decorators` of a resource) make runs first.

    `view` is an instance of the class, or one of its methods.
    """
    methods = engine.slot("flask", "methods", view)
    for name in ("decorators", "method_decorators"):
        variable = engine.class_attribute(class_, name)
        for value in engine.points_to(variable) if variable is not None else ():
            if engine.values.kind(value) != Kind.CONTAINER:
                continue
            for decorator in engine.points_to(engine.element(value)):
                made = engine.invoke(site, decorator, [methods], edge=False)
                for wrapper in engine.points_to(made):
                    if is_code(engine, wrapper):
                        engine.invoke(site, wrapper, [], edge=False)
                        engine.add(engine.slot("flask", "wrappers", view), wrapper)


def is_code(engine: Engine, value: int) -> bool:
    """Whether a value is a function of the project, bound or not."""
    return engine.values.kind(value) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL)


def texts_of(engine: Engine, values: Iterable[int]) -> tuple[str, ...]:
    """All strings among values, also inside of containers."""
    texts = (engine.values.text(value) for value in with_elements(engine, values))
    return tuple(dict.fromkeys(text for text in texts if text is not None))
