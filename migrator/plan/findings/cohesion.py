"""Tables that everyone writes and classes that do everything, each with a suggested cut.

A table is cut by groups of columns that are updated together; a class by groups of methods that
share attributes or call each other: the components of M. Hitz, B. Montazeri, "Measuring coupling
and cohesion in object-oriented systems" (LCOM4, 1995), special methods left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from migrator.facts.inspection import FunctionText
from migrator.model.plan import Finding, Plan
from migrator.model.program import Program, Table
from migrator.plan.consequences.outline import Consequences
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.findings.kinds import GOD_CLASS, GOD_TABLE
from migrator.plan.wording import counted, enumerated, told_apart

_EVERYONE = 0.5
"""A table is written by everyone if at least this share of the services does, and three."""

_LEAST_SERVICES = 3
_MANY_METHODS = 8
_LEAST_APART = 3
"""Of its methods, those that the largest group has not, before a class is more than one thing."""


class ColumnGroup(NamedTuple):
    """Columns that are updated together, by whom, and for which services' entry points."""

    columns: frozenset[str]
    functions: frozenset[str]
    services: frozenset[str]


_MOST_GROUPS = 4
"""Of columns or methods that a finding names."""


def god_tables(evidence: Evidence, plan: Plan) -> list[Finding]:
    """Tables that code of many services' entry points writes, with groups of their columns."""
    reaching = _services_by_function(evidence.program, plan)
    writing: dict[str, set[str]] = {}
    for service, each in plan.services.items():
        for entry in each.entry_points:
            for access in evidence.program.entry_points[entry].writes:
                writing.setdefault(access.table, set()).add(service)
    found = []
    for name, table in sorted(evidence.program.tables.items()):
        owner = plan.owner_of(name) or ""
        writers = writing.get(name, set())
        if len(writers) < max(_LEAST_SERVICES, _EVERYONE * len(plan.services)):
            continue
        groups = column_groups(evidence.program, name, reaching)
        hint = _cut_of_table(evidence.program, table, owner, groups, reaching)
        if not hint:
            continue
        found.append(
            Finding(
                kind=GOD_TABLE,
                subject=name,
                message=f"entry points of {len(writers)} of"
                f" {counted(len(plan.services), 'service')} write it:"
                f" {_told(groups) or 'whole rows'}",
                at=f"{table.file}:{table.line}",
                hint=hint,
            )
        )
    return found


def column_groups(
    program: Program, table: str, reaching: Mapping[str, frozenset[str]]
) -> list[ColumnGroup]:
    """The columns of a table that are updated, in groups; those that most services write first."""
    groups: list[tuple[set[str], set[str]]] = []
    for function in sorted(reaching):
        known = program.functions.get(function)
        columns = {
            column
            for event in (known.events if known else ())
            if event.kind == "write" and event.target == table and event.operation == "update"
            for column in event.columns
        }
        if columns:
            together = [g for g in groups if g[0] & columns]
            merged = (
                columns.union(*(g[0] for g in together)),
                {function}.union(*(g[1] for g in together)),
            )
            groups = [g for g in groups if g not in together] + [merged]
    found = [
        ColumnGroup(
            frozenset(columns),
            frozenset(functions),
            frozenset().union(*(reaching[function] for function in functions)),
        )
        for columns, functions in groups
    ]
    return sorted(found, key=lambda group: (-len(group.services), sorted(group.columns)))


def _services_by_function(program: Program, plan: Plan) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for service, each in plan.services.items():
        run = set().union(*(program.entry_points[e].functions for e in each.entry_points))
        for function in run:
            found.setdefault(function, set()).add(service)
    return {function: frozenset(services) for function, services in found.items()}


def _told(groups: Sequence[ColumnGroup]) -> str:
    said = [
        f"{enumerated(sorted(group.columns))} by {enumerated(told_apart(sorted(group.functions)))}"
        f" for {_named(group.services)}"
        for group in groups[:_MOST_GROUPS]
    ]
    more = counted(len(groups) - _MOST_GROUPS, "more group of columns", "more groups of columns")
    return "; ".join([*said, more] if len(groups) > _MOST_GROUPS else said)


def _named(services: frozenset[str]) -> str:
    return counted(len(services), "service") if len(services) > 2 else enumerated(sorted(services))


def _cut_of_table(
    program: Program,
    table: Table,
    owner: str,
    groups: Sequence[ColumnGroup],
    reaching: Mapping[str, frozenset[str]],
) -> str:
    """A table of its own for what others write too; empty: one function writes it for all."""
    shared = [group for group in groups if group.services - {owner}]
    moved = frozenset().union(*(group.columns for group in shared))
    rest = {column.name for column in table.columns if not column.primary_key} - moved
    if moved and rest:
        functions = sorted(frozenset().union(*(group.functions for group in shared)))
        return (
            f"cut by columns: {enumerated(sorted(moved))} into a table of their own, which"
            f" {enumerated(told_apart(functions))} {'writes' if len(functions) == 1 else 'write'};"
            f" the rest of {table.name} is then written by {owner} alone"
        )
    writing = {
        name
        for name, services in reaching.items()
        if services - {owner} and name in program.functions
        for event in program.functions[name].events
        if event.kind == "write" and event.target == table.name
    }
    if len(writing) < 2:
        return ""
    return (
        f"cut by function: {enumerated(told_apart(sorted(writing)))} write it; let one function"
        f" of {owner} do it, which the others call"
    )


def god_classes(evidence: Evidence, plan: Plan, consequences: Consequences) -> list[Finding]:
    """Classes with many methods that fall into groups which share nothing, used by several."""
    program = evidence.program
    kept = {
        service: {evidence.reach.name(key) for key in walk.kept}
        for service, walk in consequences.walks.items()
    }
    found = []
    for name, (file, methods) in sorted(_classes(evidence).items()):
        if len(methods) < _MANY_METHODS:
            continue
        groups = method_groups(methods)
        users = [
            service
            for service in sorted(plan.services)
            if any(
                f"{name}.{method.name.rpartition('.')[2]}" in kept[service] for method in methods
            )
        ]
        apart = sum(map(len, groups)) - max(map(len, groups), default=0)
        if apart < _LEAST_APART or len(users) < 2:
            continue
        shown = [f"({enumerated(group)})" for group in groups[:_MOST_GROUPS]]
        more = [f"{len(groups) - len(shown)} more"] if len(groups) > len(shown) else []
        told = "; ".join([*shown, *more])
        first = min(method.line for method in methods)
        found.append(
            Finding(
                kind=GOD_CLASS,
                subject=name,
                message=f"{counted(len(methods), 'method')} in {len(groups)} groups that share"
                f" nothing, kept by {enumerated(users)}: {told}",
                at=f"{file}:{program.functions[name].line if name in program.functions else first}",
                hint="cut by function: a class for each group, so that a service keeps only the"
                " one that it needs",
            )
        )
    return found


def _classes(evidence: Evidence) -> dict[str, tuple[str, list[FunctionText]]]:
    """Dotted class to its file and methods, for classes whose methods entry points reach."""
    program = evidence.program
    live = {f for entry in evidence.entries.values() for f in entry.functions}
    found: dict[str, tuple[str, list[FunctionText]]] = {}
    for function in sorted(live & program.functions.keys()):
        scope = function.rpartition(".")[0]
        if scope not in program.classes or scope in found:
            continue
        file = program.functions[function].file
        module = next((m for m in _prefixes(scope) if program.modules.get(m) == file), "")
        if module:
            below = scope[len(module) + 1 :] + "."
            methods = [
                text
                for text in evidence.texts[file].functions
                if text.name.startswith(below) and "." not in text.name[len(below) :]
            ]
            found[scope] = (file, methods)
    return found


def _prefixes(dotted: str) -> Iterable[str]:
    while dotted:
        yield dotted
        dotted = dotted.rpartition(".")[0]


def method_groups(methods: Sequence[FunctionText]) -> list[list[str]]:
    """The names of methods that share attributes or call each other, in groups of two or more."""
    named = {method.name.rpartition(".")[2]: method for method in methods}
    groups: list[tuple[set[str], set[str]]] = []
    for name, method in sorted(named.items()):
        if (name.startswith("__") and name.endswith("__")) or not method.attributes:
            continue
        tied = {name, *method.attributes}
        together = [group for group in groups if group[1] & tied]
        merged = ({name}.union(*(g[0] for g in together)), tied.union(*(g[1] for g in together)))
        groups = [group for group in groups if group not in together] + [merged]
    return sorted((sorted(names) for names, _ in groups if len(names) > 1), key=lambda g: g[0])
