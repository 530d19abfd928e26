"""What a service keeps of the monolith, and the functions whose bodies leave it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from migrator.generation.inner import Foreign
from migrator.generation.loading import Loading
from migrator.generation.registrations import Registrations, functions_in
from migrator.generation.source import FunctionNode, Module, Unit
from migrator.model.plan import Crossing, Service


@dataclass(frozen=True)
class Cut:
    """A function whose body runs at another service."""

    crossing: Crossing
    unit: Unit
    node: FunctionNode
    leaving: tuple[ast.expr, ...] = ()
    """Decorators that run at the owner, around the body."""


@dataclass
class Slice:
    """What a service keeps of the monolith."""

    live: set[Unit] = field(default_factory=set)
    modules: set[Module] = field(default_factory=set)
    """Kept as files, some of them perhaps empty."""
    cuts: dict[str, Cut] = field(default_factory=dict)
    stripped: dict[Unit, list[ast.expr]] = field(default_factory=dict)
    """Decorators that would register a foreign handler here."""
    removed: dict[Unit, list[ast.stmt]] = field(default_factory=dict)
    """Statements inside a unit that would register a foreign handler here."""
    elsewhere: dict[str, Foreign] = field(default_factory=dict)
    """Functions whose work is scheduled at another service, by their dotted name."""
    registrations: Registrations | None = None
    loading: Loading | None = None
    unreached: list[Module] = field(default_factory=list)
    """Kept modules that the monolith itself imported by a computed name only, or not at all."""


def cut_functions(registrations: Registrations, service: Service) -> dict[str, Cut]:
    """The functions of the plan's crossings whose bodies leave this service."""
    found: dict[str, Cut] = {}
    for crossing in service.calls:
        if crossing.remedy not in ("call", "defer") or crossing.unit != "function":
            continue
        for unit in registrations.project.unit_of(crossing.function):
            functions = dict(functions_in(unit.node, unit.name))
            if isinstance(unit.node, FunctionNode):
                functions[unit.name] = unit.node
            node = functions.get(crossing.function)
            if node is not None:
                leaving = registrations.decorators_of_the_owner(unit.module, node)
                found[crossing.function] = Cut(crossing, unit, node, tuple(leaving))
    return found
