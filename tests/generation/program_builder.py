"""Programs and plans made by hand, so that generation can be tested without the stages before."""

from __future__ import annotations

from migrator.model.graph import Graph
from migrator.model.plan import Plan, Service
from migrator.model.program import EntryPoint, Program, Route


def route_entry(
    endpoint: str, *rules: tuple[str, str], slashes: bool = True, templates: tuple[str, ...] = ()
) -> EntryPoint:
    """A Flask route: `rules` are pairs of a rule and its methods in one string."""
    return EntryPoint(
        name=f"route:{endpoint}",
        kind="route",
        handler=f"shop.views.{endpoint}",
        file="shop/views.py",
        line=1,
        framework="flask",
        endpoint=endpoint,
        routes=tuple(
            Route(rule=rule, methods=tuple(methods.split()), strict_slashes=slashes)
            for rule, methods in rules
        ),
        templates=templates,
    )


def routed(**services: list[EntryPoint]) -> tuple[Graph, Plan]:
    """A graph and plan of services that have nothing but routes."""
    entries = [entry for each in services.values() for entry in each]
    plan = Plan(
        services={
            name: Service(entry_points=[entry.name for entry in each])
            for name, each in services.items()
        }
    )
    return Graph(Program(entry_points={entry.name: entry for entry in entries})), plan
