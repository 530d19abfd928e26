"""What a started service must have registered: what the running monolith has of what is kept.

Where the monolith could not be asked, what analysis found.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from migrator.generation.mapping import Mapping
from migrator.generation.names import Project
from migrator.generation.source import Unit
from migrator.model.manifest import Registry
from migrator.model.program import EntryPoint, Program, Route, Table
from migrator.model.registered import Registered


def expected_registry(
    project: Project,
    live: frozenset[Unit] | set[Unit],
    entries: Iterable[EntryPoint],
    registered: Registered | None,
) -> Registry:
    """The registry of a service whose units are `live` and that answers `entries`."""
    mapping = Mapping(project)
    tables = [
        table
        for table in project.program.tables.values()
        if any(unit in live for unit in mapping.units_of(table))
    ]
    hooks = {each for entry in entries for each in entry.hooks} | set(project.program.hooks)
    rules = {f"{e.endpoint} {route.rule}" for e in entries for route in e.routes if e.endpoint}
    if registered is not None:
        hooks &= set(registered.held)
        rules &= {f"{each.endpoint} {each.rule}" for each in registered.rules}

    def kept(function: str) -> bool:
        return any(unit in live for unit in project.unit_of(function))

    return Registry(
        tables=sorted({each.name for each in tables}),
        relationships=sorted(_relationships(tables, registered)),
        rules=sorted(rules),
        hooks=sorted(filter(kept, hooks)),
        application_wide=[
            each
            for each in (registered.application_wide if registered else ())
            if kept(each.rpartition(" ")[2])
        ],
    )


def _relationships(tables: list[Table], registered: Registered | None) -> set[str]:
    models = {each.model: each for each in tables if each.model}
    if registered is not None and any(each.relationships for each in registered.classes):
        return {
            f"{each.name.rpartition('.')[2]}.{relationship}"
            for each in registered.classes
            if each.name in models
            for relationship in each.relationships
        }
    return {
        f"{name.rpartition('.')[2]}.{each.name}({','.join(sorted(each.cascades))})"
        for name, table in models.items()
        for each in table.relationships
    }


def as_served(program: Program, registered: Registered | None) -> Program:
    """The program with the rules that the monolith really has for endpoints of packages.

    Analysis knows an extension's pages as one version of it has them.
    """
    rules: dict[str, list[str]] = {}
    for each in registered.rules if registered else ():
        rules.setdefault(each.endpoint, []).append(each.rule)
    entries = {
        name: msgspec.structs.replace(entry, routes=routes)
        for name, entry in program.entry_points.items()
        if (routes := _served(entry.routes, rules.get(entry.endpoint, []))) != entry.routes
    }
    return (
        msgspec.structs.replace(program, entry_points={**program.entry_points, **entries})
        if entries
        else program
    )


def _served(routes: tuple[Route, ...], rules: list[str]) -> tuple[Route, ...]:
    """The routes, where one of them is served; else the first of them at the rules that are."""
    if not routes or not rules or any(each.rule in rules for each in routes):
        return routes
    return tuple(msgspec.structs.replace(routes[0], rule=rule) for rule in rules)
