"""Registrations of other services' entry points inside functions that are kept.

An application factory is kept whole, but for the statements that only register a foreign route,
command or schedule, and the foreign handlers that are defined inside of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from migrator.generation.pruning import Edit
from migrator.generation.registrations import Registrations, functions_in
from migrator.generation.scopes import Reference, last_name
from migrator.generation.source import DefinitionNode, FunctionNode, Module, Unit
from migrator.model.program import EntryPoint

_SCHEDULED = frozenset({"schedule", "process"})
_KINDS = frozenset({"route", "command", "schedule"})
# Calls that use the function they are given, and do not register it.
_USING = frozenset(
    {"enqueue", "enqueue_in", "enqueue_at", "delay", "apply_async", "submit", "send", "invoke",
     "forward", "call_later", "run"}
)  # fmt: skip


class Foreign(NamedTuple):
    """A function whose work another service does, since its schedule or process is there."""

    entry: EntryPoint
    unit: Unit
    node: FunctionNode


def foreign_registrations(registrations: Registrations, unit: Unit) -> list[ast.stmt]:
    """The statements inside a unit that register only what belongs to other services."""
    if unit.alias is not None or not registrations.has_foreign:
        return []
    found: list[ast.stmt] = []
    references: list[Reference] | None = None
    for suite in _suites(unit.node):
        for statement in suite:
            if isinstance(statement, DefinitionNode):
                entries = registrations.nested.get(id(statement), [])
                if _all_foreign(registrations, entries) and not _is_named(unit, statement):
                    found.append(statement)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                if references is None:
                    references = registrations.project.references_of(unit).names
                entries = _registered(registrations, unit, statement, references)
                if _all_foreign(registrations, entries):
                    found.append(statement)
    return [*found, *_left_over(unit, found)] if found else found


def _left_over(unit: Unit, removed: list[ast.stmt]) -> list[ast.stmt]:
    """Assignments of plain values that only the removed statements used."""
    gone = {id(each) for statement in removed for each in ast.walk(statement)}
    found: list[ast.stmt] = []
    for suite in _suites(unit.node):
        for statement in suite:
            if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
                continue
            target = statement.targets[0]
            plain = not any(isinstance(e, ast.Call | ast.Await) for e in ast.walk(statement))
            if plain and isinstance(target, ast.Name) and isinstance(unit.node, FunctionNode):
                uses = [
                    each
                    for each in ast.walk(unit.node)
                    if isinstance(each, ast.Name) and each.id == target.id and each is not target
                ]
                if uses and all(id(each) in gone for each in uses):
                    found.append(statement)
    return found


def foreign_work(registrations: Registrations, unit: Unit) -> Iterator[Foreign]:
    """The functions of a unit that only the schedule or process of another service runs."""
    if not isinstance(unit.node, DefinitionNode) or not registrations.has_foreign:
        return
    functions = dict(functions_in(unit.node, unit.name))
    if isinstance(unit.node, FunctionNode):
        functions[unit.name] = unit.node
    for name, node in functions.items():
        entries = [
            *registrations.nested.get(id(node), ()),
            *(each for each in registrations.handlers.get(unit, ()) if each.handler == name),
        ]
        scheduled = all(each.kind in _SCHEDULED for each in entries)
        if _all_foreign(registrations, entries) and scheduled and not registrations.calls(unit):
            yield Foreign(entries[0], unit, node)


def _all_foreign(registrations: Registrations, entries: list[EntryPoint]) -> bool:
    return bool(entries) and not any(map(registrations.is_own, entries))


def _registered(
    registrations: Registrations, unit: Unit, statement: ast.Expr, references: list[Reference]
) -> list[EntryPoint]:
    """The entry points whose handlers a statement passes to a call."""
    passed: set[int] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            if last_name(node.func) in _USING:
                return []
            for argument in (*node.args, *(each.value for each in node.keywords)):
                passed.update(id(each) for each in ast.walk(argument))
    entries: list[EntryPoint] = []
    for reference in references:
        if id(reference.node) in passed:
            for each in registrations.project.origins_of(unit.module, reference):
                entries.extend(registrations.handlers.get(each, ()))
    return [each for each in entries if each.kind in _KINDS]


def _suites(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value
            for child in value:
                yield from _suites(child)
        elif isinstance(value, list):
            for child in value:
                if isinstance(child, ast.ExceptHandler | ast.match_case):
                    yield from _suites(child)


def _is_named(unit: Unit, definition: DefinitionNode) -> bool:
    return any(
        isinstance(each, ast.Name) and each.id == definition.name for each in ast.walk(unit.node)
    )


def remove_statements(unit: Unit, statements: list[ast.stmt]) -> list[Edit]:
    """The edits that take statements out of a unit; an emptied suite gets a `pass`."""
    module = unit.module
    gone = {id(each) for each in statements}
    edits: list[Edit] = []
    for suite in _suites(unit.node):
        leaving = [each for each in suite if id(each) in gone]
        emptied = bool(leaving) and len(leaving) == len(suite)
        done = 0
        for position, statement in enumerate(leaving):
            start, end = _lines(module, suite, statement)
            start, done = max(start, done), end
            text = b""
            if emptied and position == 0:
                line = module.line(statement.lineno)
                text = line[: statement.col_offset] + b"pass" + module.newline.encode()
            edits.append(Edit(start, end, text))
    return edits


def _lines(module: Module, suite: list[ast.stmt], statement: ast.stmt) -> tuple[int, int]:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(each.lineno for each in decorators)])
    last = statement.end_lineno or statement.lineno
    while first > 1 and module.line(first - 1).lstrip().startswith(b"#"):
        first -= 1
    index = suite.index(statement)
    if index + 1 < len(suite) and not module.line(last + 1).strip():
        # The blank lines before it remain as those before the next.
        while not module.line(last + 1).strip() and last + 1 < suite[index + 1].lineno:
            last += 1
    elif index + 1 == len(suite):
        while first > 1 and not module.line(first - 1).strip():
            first -= 1
    return module.offset(first), module.offset(last + 1)
