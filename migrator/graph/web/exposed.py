"""View classes whose methods are marked by an `expose` decorator: Flask-AppBuilder, Flask-Admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migrator.graph.frameworks.functools import wrapped_functions
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine
from migrator.graph.web.views import methods_in


class Marked(NamedTuple):
    """A method of a class that answers a URL below that of the class."""

    method: str
    url: str
    methods: tuple[str, ...]


class Exposed:
    """The decorator, and the methods that it marked. `tag` is that of its plug-in's own value."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def decorator(self, engine: Engine, site: CallSite) -> tuple[int, ...]:
        """What `expose("/url", methods=["GET"])` gives, as soon as its arguments are known."""
        urls, methods = site.texts(0, "url"), methods_in(engine, site.argument(1, "methods"))
        if (site.given(0, "url") and not urls) or (site.given(1, "methods") and not methods):
            return ()
        return (engine.values.opaque(self.tag, urls or ("/",), methods or ("GET",), site.key),)

    def mark(self, engine: Engine, site: CallSite, decorator: int) -> tuple[int, ...]:
        """It is applied; the function is given back."""
        functions = site.argument(0)
        for function in functions:
            engine.add(engine.slot(self.tag, function), decorator)
        return functions

    def methods_of(self, engine: Engine, class_: int) -> Iterator[Marked]:
        """The marked methods of a class and its bases in the project; what overrides counts."""
        for name in self.names_of(engine, class_):
            variable = engine.class_attribute(class_, name)
            for value in engine.points_to(variable) if variable is not None else ():
                for each in wrapped_functions(engine, value):
                    marks = engine.points_to(engine.slot(self.tag, each))
                    found = {engine.values.view(mark).parts[:2] for mark in marks}
                    for urls, methods in sorted(found, key=repr):
                        assert isinstance(urls, tuple) and isinstance(methods, tuple)
                        for url in urls:
                            yield Marked(name, url, methods)

    @staticmethod
    def names_of(engine: Engine, class_: int) -> list[str]:
        """All names that the bodies of a class and of its bases in the project bind."""
        names: dict[str, None] = {}
        for owner in engine.bases(class_):
            if engine.values.kind(owner) == Kind.CLASS:
                for attribute in engine.class_view(owner).attributes:
                    names[attribute.name] = None
        return list(names)


def below(prefix: str | None, url: str) -> str:
    """A rule of a blueprint with that prefix, as Flask puts it together."""
    if prefix is None:
        return url
    return "/".join((prefix.rstrip("/"), url.lstrip("/"))) if url else prefix
