"""argparse: what `set_defaults`, `default=` and `type=` put into the namespace of parsed arguments.

All parsers that hang together (subcommands, groups) share the namespace of the first.
"""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

_PARSER = "argparse:parser"
_SUBCOMMANDS = "argparse:subcommands"
_NAMESPACE = "argparse:namespace"
_CLASSES = {
    _PARSER: "argparse.ArgumentParser",
    _SUBCOMMANDS: "argparse._SubParsersAction",
    _NAMESPACE: "argparse.Namespace",
}
_GROUPS = frozenset({"add_argument_group", "add_mutually_exclusive_group"})
_PARSES = frozenset({"parse_args", "parse_intermixed_args"})
_PARSES_SOME = frozenset({"parse_known_args", "parse_known_intermixed_args"})


class Argparse(Framework):
    """The plug-in: follows values from the declaration of arguments to their use."""

    name = "argparse"
    externals = ("argparse",)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            if view.name != "argparse.ArgumentParser":
                return None
            return (engine.values.opaque(_PARSER, site.key),)
        if view.kind != Kind.BOUND:
            return None
        whole = _root(engine, view.owner)
        method = view.name.rpartition(".")[2]
        if method in _GROUPS or method == "add_parser":
            return (engine.values.opaque(_PARSER, whole),)
        if method == "add_subparsers":
            return (engine.values.opaque(_SUBCOMMANDS, whole),)
        namespace = engine.values.opaque(_NAMESPACE, whole)
        if method == "set_defaults":
            for keyword in site.keywords:
                _keep(engine, site, namespace, keyword, keyword)
        elif method == "add_argument":
            _declare(engine, site, namespace)
        elif method in _PARSES or method in _PARSES_SOME:
            self._convert(engine, site, namespace)
            if method in _PARSES:
                return (namespace,)
            return (engine.container("builtins.tuple", site, namespace),)
        return None

    def _convert(self, engine: Engine, site: Site, namespace: int) -> None:
        """Parsing calls the functions given as `type=` with the text of an argument."""
        for kind in engine.points_to(engine.slot("argparse", "types", namespace)):
            if engine.values.kind(kind) in (Kind.FUNCTION, Kind.CLASS, Kind.BOUND):
                made = engine.invoke(site, kind, [_text(engine)])
                for dest in engine.points_to(engine.slot("argparse", "dest", namespace, kind)):
                    engine.flow(made, engine.field(namespace, engine.values.name(dest)))

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        view = engine.values.view(base)
        if view.kind != Kind.OPAQUE:
            return None
        if view.name == _NAMESPACE:
            return engine.points_to(engine.field(base, name))
        function = engine.values.external(f"{_CLASSES[view.name]}.{name}")
        return (engine.values.bound(receiver, function),)


def _root(engine: Engine, value: int) -> object:
    """What tells parsers that hang together from others."""
    view = engine.values.view(value)
    return view.parts[0] if view.kind == Kind.OPAQUE else value


def _declare(engine: Engine, site: CallSite, namespace: int) -> None:
    named = site.texts(-1, "dest")
    if not named:
        flags = [flag for position in range(site.positional) for flag in site.texts(position)]
        named = tuple(flag for flag in flags if flag.startswith("--")) or tuple(flags)
    for name in named[:1]:
        dest = name.lstrip("-").replace("-", "_")
        _keep(engine, site, namespace, dest, "default")
        for kind in site.argument(-1, "type"):
            engine.add(engine.slot("argparse", "types", namespace), kind)
            text = engine.values.string(dest)
            engine.add(engine.slot("argparse", "dest", namespace, kind), text)


def _keep(engine: Engine, site: CallSite, namespace: int, attribute: str, argument: str) -> None:
    variable = site.argument_variable(-1, argument)
    if variable is not None:
        engine.flow(variable, engine.field(namespace, attribute))


def _text(engine: Engine) -> int:
    variable = engine.slot("argparse", "text")
    engine.add(variable, engine.values.external_instance("builtins.str"))
    return variable
