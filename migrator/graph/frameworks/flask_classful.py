"""Flask-Classful and Flask-Classy: classes that register a rule for each of their methods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.functools import original, wrapped_functions
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, ClassView, Engine
from migrator.graph.web.exposed import Exposed
from migrator.graph.web.views import decorate_view, is_code, texts_of

_PACKAGES = ("flask_classful", "flask_classy")
_BASES = frozenset(f"{each}.FlaskView" for each in _PACKAGES)
_SPECIAL = {
    "get": "GET",
    "put": "PUT",
    "patch": "PATCH",
    "post": "POST",
    "delete": "DELETE",
    "index": "GET",
}
_OWN = frozenset(
    {
        "register", "parse_options", "make_proxy_method", "build_rule", "get_route_base",
        "default_route_base", "build_route_name",
    }
)  # fmt: skip
_CONVERTERS = {"str": "string", "int": "int", "float": "float", "UUID": "uuid", "uuid.UUID": "uuid"}
_IN_RULES = re.compile(r"<(?:[^:<>]*:)?([^<>]*)>")


class _Base(NamedTuple):
    """Where the rules of a class stand."""

    prefix: str
    slash: bool
    arguments: frozenset[str]
    """Those in the prefix, which are no part of its methods' rules."""


class FlaskClassful(Framework):
    """The plug-in: gives the rules of all views to the Flask plug-in."""

    name = "flask_classful"
    externals = _PACKAGES

    def __init__(self, flask: Flask) -> None:
        self.flask = flask
        self.marks = Exposed("flask_classful:route")

    def call(self, engine: Engine, site: CallSite, callee: int) -> tuple[int, ...] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name.rsplit(".", 1)[-1] == "route":
            return self.marks.decorator(engine, site)
        if view.name == self.marks.tag:
            return self.marks.mark(engine, site, callee)
        if view.kind != Kind.BOUND or engine.values.kind(view.owner) != Kind.CLASS:
            return None
        if engine.values.name(view.function).rsplit(".", 1)[-1] == "register":
            self.seen = True
            self._register(engine, site, view.owner)
            return ()
        return None

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        self.seen = True

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return any(engine.values.name(base) in _BASES for base in engine.bases(class_))

    # -- rules ----------------------------------------------------------------------------------

    def _register(self, engine: Engine, site: CallSite, class_: int) -> None:
        """`SomeView.register(app, route_base="/some")`, as `FlaskView.register` does it."""
        base = _base(engine, site, class_)
        name = engine.name_of(class_).rsplit(".", 1)[-1]
        engine.invoke(site, class_, [], edge=False)
        instance = engine.values.instance(class_)
        for method, function in _routed(engine, class_):
            bound = engine.points_to(engine.attribute(site, instance, method))
            for each in bound:
                decorate_view(engine, site, class_, each)  # without the method, which runs anyway
            hooks = tuple(_hooks(engine, site, instance, class_, method))
            rules = list(self._rules(engine, class_, method, function, base))
            for index, (rule, methods) in enumerate(rules):
                endpoint = f"{name}:{method}" + (f"_{index}" if len(rules) > 1 else "")
                given: dict[str, object] = {"endpoint": endpoint, "methods": methods}
                given["hooks"] = hooks
                for receiver in site.argument(0, "app"):
                    for each in bound:
                        self.flask.add_view_rule(engine, site, receiver, rule, each, given)

    def _rules(
        self, engine: Engine, class_: int, method: str, function: int, base: _Base
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        marks = {
            mark
            for each in wrapped_functions(engine, function)
            for mark in engine.points_to(engine.slot(self.marks.tag, each))
        }
        if marks:
            # The decorator that stands next to the function was applied first.
            places = [engine.values.view(mark).parts for mark in marks]
            for urls, methods, _ in sorted(places, key=lambda each: repr(each[2]), reverse=True):
                assert isinstance(urls, tuple) and isinstance(methods, tuple)
                yield _joined(base.prefix, urls[0]), methods
            return
        own = () if method in _SPECIAL else (method,)
        arguments = _arguments(engine, function, base)
        rule = _joined(base.prefix, *(own or ("/",)), *arguments)
        rule = rule.rstrip("/") + "/" if base.slash else rule.rstrip("/") or "/"
        if method in _SPECIAL:
            yield rule, (_SPECIAL[method],)
            return
        variable = engine.class_attribute(class_, "default_methods")
        texts = texts_of(engine, engine.points_to(variable)) if variable is not None else ()
        yield rule, texts or ("GET",)


def _routed(engine: Engine, class_: int) -> Iterator[tuple[str, int]]:
    """The methods that get a rule: public functions of the class and its bases in the project."""
    left_out = set(_class_texts(engine, class_, "excluded_methods")) | _OWN
    for name in Exposed.names_of(engine, class_):
        if name in left_out or name.startswith(("_", "before_", "after_")):
            continue
        variable = engine.class_attribute(class_, name)
        for value in engine.points_to(variable) if variable is not None else ():
            if engine.values.kind(value) == Kind.FUNCTION:
                yield name, value
                break


def _hooks(
    engine: Engine, site: CallSite, instance: int, class_: int, method: str
) -> Iterator[int]:
    for name in ("before_request", f"before_{method}", f"after_{method}", "after_request"):
        if engine.class_attribute(class_, name) is not None:
            for bound in engine.points_to(engine.attribute(site, instance, name)):
                if is_code(engine, bound):
                    engine.invoke(site, bound, [], edge=False)
                    yield bound


def _class_texts(engine: Engine, class_: int, name: str) -> tuple[str, ...]:
    variable = engine.class_attribute(class_, name)
    return texts_of(engine, engine.points_to(variable)) if variable is not None else ()


def _base(engine: Engine, site: CallSite, class_: int) -> _Base:
    def given(position: int, name: str) -> str | None:
        texts = site.texts(position, name) or _class_texts(engine, class_, name)
        return texts[0] if texts else None

    base = given(1, "route_base")
    if base is None:
        name = engine.name_of(class_).rsplit(".", 1)[-1].removesuffix("View")
        base = re.sub("([a-z0-9])([A-Z])", r"\1-\2", re.sub("(.)([A-Z][a-z]+)", r"\1-\2", name))
        base = base.lower()
    prefix = _joined(given(3, "route_prefix") or "", base)
    slash = site.constant(4, "trailing_slash")
    if not isinstance(slash, bool):
        variable = engine.class_attribute(class_, "trailing_slash")
        values = engine.points_to(variable) if variable is not None else ()
        slash = not any(engine.values.view(each).parts[:1] == (False,) for each in values)
    ignored = (*_class_texts(engine, class_, "base_args"), *_IN_RULES.findall(base))
    return _Base(prefix, slash, frozenset(ignored))


def _arguments(engine: Engine, function: int, base: _Base) -> Iterator[str]:
    for name, optional, annotation in engine.parameters(original(engine, function)):
        if name != "self" and not optional and name not in base.arguments:
            converter = _CONVERTERS.get(annotation)
            yield f"<{converter}:{name}>" if converter else f"<{name}>"


def _joined(*parts: str) -> str:
    return re.sub("/+", "/", "/" + "/".join(each for each in parts if each))
