"""What the database changes by itself, and cannot where the rows are another owner's."""

from __future__ import annotations

import re

from migrator.generation.names import Project
from migrator.model.errors import Place, Refused
from migrator.model.plan import Crossing

_ENFORCES = re.compile(rb"(?i)PRAGMA\s+foreign_keys\s*(=|\()\s*['\"]?(on|1|true|yes)")


def changed_unseen(project: Project, service: str, crossing: Crossing) -> Refused | None:
    """A refusal where `ON DELETE` changes the rows that this crossing would send to their owner.

    SQLite enforces foreign keys only when it is told to; without, nothing follows a delete.
    """
    known = project.program.functions.get(crossing.function)
    changed = [
        each
        for each in (known.events if known else ())
        if each.kind == "write" and each.target in crossing.tables and " ON DELETE " in each.via
    ]
    if known is None or not changed or not (enforced := _enforced(project)):
        return None
    first = changed[0]
    return Refused(
        f"{service}: {crossing.function} deletes what rows of {first.target} refer to, and the"
        f" database changes those by itself ({first.via.removeprefix('cascade ')}; foreign keys are"
        f" switched on at {enforced}): {crossing.owner} has them in a database of its own",
        place=Place(known.file, first.line),
        hint="one service for both tables, or delete these rows in the code, such as by a"
        ' relationship with cascade="all, delete" and without passive_deletes',
    )


def _enforced(project: Project) -> Place | None:
    """Where the monolith lets SQLite enforce foreign keys."""
    for _, module in sorted(project.modules.items()):
        if found := _ENFORCES.search(module.text):
            return Place(module.file, module.text.count(b"\n", 0, found.start()) + 1)
    return None
