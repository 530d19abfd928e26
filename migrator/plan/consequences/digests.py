"""Digests of the facts that a plan relies on, so that it is stale only when one of them changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from migrator.facts.version import engine
from migrator.model.graph import Graph
from migrator.model.plan import Origin, Plan
from migrator.model.program import EntryPoint, Function, Program, StateFinding, Table
from migrator.plan.consequences.folders import by_path

_LENGTH = 12

_OTHER_ENGINE = (
    "the code has changed, and another version of migrator made the plan: what each entry point"
    " does cannot be compared"
)


def origin(program: Program, plan: Plan) -> Origin:
    """The digests of all that `plan` names: entry points, tables, crossing functions, folders."""
    entries = [e for s in plan.services.values() for e in s.entry_points]
    tables = [t for s in plan.services.values() for t in s.tables]
    functions = [c.function for s in plan.services.values() for c in s.calls]
    return Origin(
        program=program.digest,
        engine=engine(),
        decisions=decisions(plan),
        entry_points={
            name: _entry_point(program.entry_points[name])
            for name in sorted(entries)
            if name in program.entry_points
        },
        tables={
            name: _table(program.tables[name]) for name in sorted(tables) if name in program.tables
        },
        functions={
            name: _function(program.functions[name])
            for name in sorted(set(functions))
            if name in program.functions
        },
        folders={
            path: _digest([[f.kind, sorted(f.writers), sorted(f.readers)] for f in findings])
            for path, findings in sorted(by_path(program).items())
        },
    )


def decisions(plan: Plan) -> str:
    """A digest of what people decide: which service has which tables and entry points."""
    homes = [
        [name, service.remainder, sorted(service.tables), sorted(service.entry_points)]
        for name, service in sorted(plan.services.items())
    ]
    return _digest(homes)


class Change(NamedTuple):
    """Something that the plan relies on and that is not as it was; `at` is where it stands."""

    what: str
    at: str

    def __str__(self) -> str:
        return self.what


def changes(graph: Graph, plan: Plan) -> list[str]:
    """What has changed in the code since the plan was made that the plan relies on, in words.

    Empty: the plan still fits; if only `made_from.program` differs it may be stamped anew.
    """
    return [each.what for each in changed(graph, plan)]


def changed(graph: Graph, plan: Plan) -> list[Change]:
    """The same as `changes`, each with its place in the code; what is gone has none."""
    program = graph.program
    made = plan.made_from
    if not made.program or made.program == program.digest:
        return []
    now = origin(program, plan)
    comparable = made.engine == now.engine
    found: list[Change] = []
    if not comparable:
        found.append(Change(_OTHER_ENGINE, ""))
    folders = {path: findings[0] for path, findings in by_path(program).items()}
    for what, before, after, known in (
        ("entry point", made.entry_points, now.entry_points, program.entry_points),
        ("table", made.tables, now.tables, program.tables),
        ("function", made.functions, now.functions, program.functions),
        ("folder", made.folders, now.folders, folders),
    ):
        found += _differences(what, before, after, known, comparable)
    taken = set(made.entry_points) | {f.subject for f in plan.findings if f.kind == "left-out"}
    for what, names, there in (
        ("entry point", set(program.entry_points) - taken, program.entry_points),
        ("table", set(program.tables) - set(made.tables), program.tables),
        ("folder", set(folders) - set(made.folders) if comparable else set(), folders),
    ):
        found += [Change(f"{what} {name} is new", _place(there[name])) for name in sorted(names)]
    return found


def stamped(graph: Graph, plan: Plan) -> Plan:
    """The plan as made from the graph's program."""
    return msgspec.structs.replace(plan, made_from=origin(graph.program, plan))


def _differences(
    what: str,
    before: Mapping[str, str],
    now: Mapping[str, str],
    known: Mapping[str, EntryPoint | Table | Function | StateFinding],
    comparable: bool,
) -> list[Change]:
    found = []
    for name, digest in before.items():
        if name not in now:
            found.append(Change(f"{what} {name} is gone", ""))
        elif comparable and now[name] != digest:
            found.append(Change(f"{what} {name} has changed", _place(known[name])))
    return found


def _place(known: EntryPoint | Table | Function | StateFinding) -> str:
    return f"{known.file}:{known.line}"


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:_LENGTH]


def _entry_point(entry: EntryPoint) -> str:
    return _digest(
        [
            entry.kind,
            entry.handler,
            entry.trigger,
            sorted(entry.hooks),
            sorted([r.rule, sorted(r.methods), sorted(r.defaults.items())] for r in entry.routes),
            sorted({(a.table, a.in_hook) for a in entry.reads}),
            sorted({(a.table, a.operation, a.in_hook) for a in entry.writes}),
            sorted({tuple(sorted(t.tables)) for t in entry.transactions}),
        ]
    )


def _table(table: Table) -> str:
    relationships = sorted(table.relationships, key=lambda relationship: relationship.name)
    return _digest([table.model, table.columns, relationships])


def _function(function: Function) -> str:
    events = [
        (e.kind, e.target, e.operation, e.columns, e.in_loop, e.result_used, e.line - function.line)
        for e in function.events
    ]
    signature = [function.parameters, function.returns, function.raises]
    context = [function.context_reads, function.context_writes, function.is_generator]
    return _digest([signature, context, events])
