"""Whether rows of another owner that code changes can be sent to it while the ORM flushes."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.model.plan import Crossing
from migrator.model.program import Event, Program
from migrator.plan.wording import enumerated

_STATEMENTS = (
    "insert()",
    "update()",
    "delete()",
    "query.update",
    "query.delete",
    "session.bulk_save_objects",
    "session.bulk_insert_mappings",
    "session.bulk_update_mappings",
    "to_sql",
    "sql",
    "sql keywords",
)
"""How writes are known (`Event.via`) that the ORM does not do object by object."""


def obstacle(program: Program, events: Iterable[Event]) -> str:
    """Why the rows of these writes cannot travel, in words; empty: they can.

    Rows travel as changes of objects that a session flushes, each mapped to one table.
    """
    events = list(events)
    loose = sorted({e.target for e in events if not _model(program, e.target)})
    if loose:
        return f"no class is mapped to {enumerated(loose)}, and only objects' rows can be sent"
    joined = sorted({e.target for e in events if _is_joined(program, e.target)})
    if joined:
        return f"objects of {enumerated(joined)} have rows in several tables: these cannot be sent"
    at_once = [e for e in events if e.via in _STATEMENTS]
    if at_once:
        first = at_once[0]
        return f"line {first.line} changes {first.target} by a statement ({first.via}), no object"
    return ""


def obstacle_of(program: Program, crossing: Crossing) -> str:
    """The same of the rows that a crossing's own function changes."""
    function = program.functions.get(crossing.function)
    events = function.events if function else ()
    return obstacle(
        program, [e for e in events if e.kind == "write" and e.target in crossing.tables]
    )


def _model(program: Program, table: str) -> str:
    known = program.tables.get(table)
    return known.model if known else ""


def _is_joined(program: Program, table: str) -> bool:
    """Whether the class of a table inherits from one that has a table of its own."""
    elsewhere = {t.model for name, t in program.tables.items() if t.model and name != table}
    return bool(elsewhere.intersection(program.classes.get(_model(program, table), ())))
