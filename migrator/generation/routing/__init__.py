"""Which service answers which path: the monolith's URL rules as ordered regular expressions.

The gateway has to choose as the monolith's own router chose. Each framework has a file here that
turns one of its rules into patterns, each with a sort key: of all patterns that match a path, the
one with the least key is the one that the framework would take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from migrator.generation.routing import flask
from migrator.generation.routing.pattern import Pattern
from migrator.model.errors import Place, Refused
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.model.program import EntryPoint, Route

RULE_SYNTAX: dict[str, Callable[[Route], list[Pattern]]] = {"flask": flask.patterns}
"""Framework to the function that reads its rules."""


class RoutedPattern(NamedTuple):
    """A pattern with the service that answers it."""

    regex: str
    methods: tuple[str, ...]
    service: str
    endpoint: str
    rule: str
    note: str
    corrects_slash: bool


def routes_of(graph: Graph, plan: Plan) -> Iterator[tuple[str, EntryPoint]]:
    """(service, entry point) of every route in the plan, by the entry point's name."""
    for name, entry in sorted(graph.program.entry_points.items()):
        service = plan.service_of(name)
        if entry.kind == "route" and service is not None:
            yield service, entry


def routed_patterns(graph: Graph, plan: Plan) -> list[RoutedPattern]:
    """All patterns, in the order in which the framework would try them.

    Raises `Refused` for a route of a framework whose rules we cannot read.
    """
    found: list[tuple[Any, int, RoutedPattern]] = []
    for service, entry in routes_of(graph, plan):
        for route in entry.routes:
            for pattern in patterns_of(entry, route):
                found.append(
                    (
                        pattern.key,
                        len(found),
                        RoutedPattern(
                            pattern.regex,
                            answered_methods(route),
                            service,
                            entry.endpoint or entry.name,
                            route.rule,
                            pattern.note,
                            pattern.corrects_slash,
                        ),
                    )
                )
    return [routed for _, _, routed in sorted(found, key=lambda item: item[:2])]


def unsaid(graph: Graph, plan: Plan) -> list[str]:
    """What the patterns cannot say of their rules, once for each rule."""
    found = {
        f"{each.rule}: {each.note}": None for each in routed_patterns(graph, plan) if each.note
    }
    return list(found)


def patterns_of(entry: EntryPoint, route: Route) -> list[Pattern]:
    """The patterns of one rule; raises `Refused` with the rule's place."""
    syntax = RULE_SYNTAX.get(entry.framework or "flask")
    place = Place(entry.file, entry.line)
    if syntax is None:
        raise Refused(
            f"{entry.name}: the URL rules of {entry.framework} cannot be routed yet",
            place=place,
            hint=f"supported: {', '.join(sorted(RULE_SYNTAX))}",
        )
    try:
        return syntax(route)
    except ValueError as error:
        raise Refused(f"{entry.name}: {error}", place=place, hint="correct the rule") from error


def answered_methods(route: Route) -> tuple[str, ...]:
    """The methods of a rule with those that frameworks add by themselves, sorted."""
    methods = {*route.methods, "OPTIONS"}
    if "GET" in methods:
        methods.add("HEAD")
    return tuple(sorted(methods))
