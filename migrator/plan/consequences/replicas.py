"""Which tables of others a service needs a copy of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migrator.model.program import EntryPoint, Program
from migrator.plan.consequences.crossings import Walk
from migrator.plan.evidence.reach import Reach


def foreign_tables(
    reach: Reach,
    service: str,
    owner: Mapping[str, str],
    walk: Walk,
    entries: Iterable[EntryPoint],
    served: Iterable[str],
) -> list[str]:
    """The tables that `service` reads, or touches through an object, and does not own; sorted.

    That is: whatever its own copy of the code reads, and every process as it starts; what the
    graph knows an entry point to read by a way that no crossing cuts; rows that are sent to an
    owner; entities that travel with calls, in and out; and what a delete loads to cascade.
    """
    program = reach.program
    needed = set(reach.start.reads) if reach.start is not None else set()
    for key in walk.kept:
        for event in reach.function(key).events:
            if event.kind == "read":
                needed.add(event.target)
            elif event.kind == "write" and event.operation == "delete":
                needed |= _loaded_by_delete(program, event.target)
    gone = {cut.function for cut in walk.cuts if not cut.rows}
    for entry in entries:
        needed |= {a.table for a in entry.reads if not gone & set(a.path[1:])}
    for cut in walk.cuts:
        needed |= cut.tables if cut.rows else _travelling(reach, cut.key, cut.remedy != "defer")
    for key in served:
        needed |= _travelling(reach, key)
    return sorted(t for t in needed if t in program.tables and owner.get(t, service) != service)


def _travelling(reach: Reach, key: str, answered: bool = True) -> set[str]:
    """Tables of the entities that a function takes and, if it is `answered`, gives back."""
    function = reach.function(key)
    types = [t for p in function.parameters for t in p.types]
    if answered:
        types += function.returns
    scope = reach.name(key).rpartition(".")[0]
    if scope in reach.program.classes:
        types.append(scope)
    models = {table.model: name for name, table in reach.program.tables.items() if table.model}
    return {
        models[t] for t in (each.rpartition("[")[2].rstrip("]") for each in types) if t in models
    }


def _loaded_by_delete(program: Program, table: str) -> set[str]:
    """Tables that the ORM loads when it deletes a row, to cascade or to unlink."""
    models = {t.model: name for name, t in program.tables.items() if t.model}
    loaded = set()
    for relationship in program.tables[table].relationships if table in program.tables else ():
        if not relationship.passive_deletes and relationship.many:
            loaded |= {relationship.secondary, models.get(relationship.target, "")}
    return loaded - {""}
