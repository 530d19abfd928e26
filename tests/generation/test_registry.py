"""Rules of an extension's pages are those of the version that the monolith has."""

from __future__ import annotations

from migrator.generation.registry import as_served
from migrator.model.program import EntryPoint, Program, Route
from migrator.model.registered import Registered, ServedRule


def entry(endpoint: str, *rules: str) -> EntryPoint:
    return EntryPoint(
        name=f"route:{endpoint}",
        kind="route",
        endpoint=endpoint,
        handler="",
        file="",
        line=0,
        routes=tuple(Route(rule=each, methods=("GET",)) for each in rules),
    )


def served(**rules: str) -> Registered:
    return Registered(
        rules=[
            ServedRule(rule=rule, endpoint=endpoint, file="", line=0)
            for endpoint, rule in rules.items()
        ]
    )


def rules_of(program: Program) -> dict[str, list[str]]:
    return {
        each.endpoint: [route.rule for route in each.routes]
        for each in program.entry_points.values()
    }


def test_the_page_of_an_extension_stands_where_the_monolith_has_it() -> None:
    entries = (entry("kit", "/static/kit/<path:f>"), entry("shop", "/a", "/b"), entry("late", "/l"))
    program = Program(entry_points={each.name: each for each in entries})
    assert as_served(program, None) is program
    now = as_served(program, served(kit="/kit/<path:f>", shop="/b"))
    # One rule of a page that is not there yet (it may come with the first request) stays.
    assert rules_of(now) == {"kit": ["/kit/<path:f>"], "shop": ["/a", "/b"], "late": ["/l"]}
    assert now.entry_points["route:kit"].routes[0].methods == ("GET",)
