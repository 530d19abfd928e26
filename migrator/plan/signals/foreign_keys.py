"""Tables that refer to each other, and rows that are parts of others."""

from __future__ import annotations

from migrator.model.program import Program, Table
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights

_PART = 2.0
_REFERENCE = 1.0


def weigh(evidence: Evidence) -> Weights:
    """A foreign key ties by 1; a part that is deleted with its whole, or an association, by 2 more.

    An association table belongs to the model that declares the relationship over it first.
    """
    program = evidence.program
    tables = {table.model: name for name, table in program.tables.items() if table.model}
    weights: Weights = {}

    def tie(a: str, b: str, weight: float) -> None:
        if a != b and a in program.tables and b in program.tables:
            pair = (min(a, b), max(a, b))
            weights[pair] = weights.get(pair, 0.0) + weight

    for name, table in sorted(program.tables.items()):
        for column in table.columns:
            if column.references:
                tie(name, column.referred, _REFERENCE)
                if column.on_delete.upper() == "CASCADE":
                    tie(name, column.referred, _PART)
        for relationship in table.relationships:
            if "delete-orphan" in relationship.cascades or "delete" in relationship.cascades:
                tie(name, tables.get(relationship.target, ""), _PART)
    for association, owner in sorted(_associations(program).items()):
        tie(association, owner, _PART)
    return weights


def _associations(program: Program) -> dict[str, str]:
    """Tables without a model to the table whose model's file they stand in."""
    owners: dict[str, str] = {}

    def nearness(association: Table, name: str) -> tuple[bool, int, str]:
        table = program.tables[name]
        return (table.file != association.file, abs(table.line - association.line), name)

    for name, table in program.tables.items():
        if table.model:
            continue
        users = [
            user
            for user, other in program.tables.items()
            if any(relationship.secondary == name for relationship in other.relationships)
        ]
        if users:
            owners[name] = min(users, key=lambda user: nearness(table, user))
    return owners
