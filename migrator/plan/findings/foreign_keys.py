"""Foreign keys that the monolith's database enforces, and that lead to another owner's table."""

from __future__ import annotations

from migrator.model.plan import Finding, Plan
from migrator.model.program import Column, Program
from migrator.plan.findings.kinds import CUT_KEY


def cut_keys(program: Program, plan: Plan) -> list[Finding]:
    """A finding for each such key: what it refused goes through, each owner having its own tables.

    SQLite checks none unless it is told to; then nothing changes.
    """
    if not program.enforces_keys:
        return []
    owners = plan.owners()
    return [
        Finding(
            kind=CUT_KEY,
            subject=f"{name}.{column.name}",
            message=f"refers to {column.referred} of {owners[column.referred]}, and the monolith's"
            f" database enforces it (switched on at {program.enforces_keys}): {owners[name]}'s"
            f" cannot. {_consequence(name, column)}",
            at=f"{table.file}:{table.line}",
            hint=f"one service for both (`migrator propose --together {name},{column.referred}`),"
            " or check in the code what must not happen",
        )
        for name, table in sorted(program.tables.items())
        for column in table.columns
        if column.referred in owners and name in owners and owners[column.referred] != owners[name]
    ]


def _consequence(table: str, column: Column) -> str:
    """What happens from now on where the database would have said no, or more."""
    insert = f"A row of {table} that refers to nothing is accepted"
    action = column.on_delete.upper()
    if action in ("", "NO ACTION", "RESTRICT"):
        return f"{insert}, and a row of {column.referred} is deleted although it is referred to"
    return f"{insert}; ON DELETE {action} has to be done by the code"
