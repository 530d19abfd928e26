"""Where a service keeps its tables, with the reason. Only what we generate is chosen yet."""

from __future__ import annotations

from collections.abc import Collection

from migrator.model.plan import Datastore
from migrator.plan.evidence import Evidence
from migrator.plan.wording import counted, sentence


def choose(evidence: Evidence, tables: Collection[str]) -> Datastore:
    """A relational store: generated services keep the monolith's queries and transactions."""
    if not tables:
        return Datastore(because="it owns no table; the store holds its replicas and its outbox")
    owned = set(tables)
    places = {
        (binding.transaction.file, binding.transaction.line)
        for binding in evidence.transactions
        if len(binding.tables & owned) > 1
    }
    keys = sum(
        column.references.partition(".")[0] in owned - {table}
        for table in owned
        if table in evidence.program.tables
        for column in evidence.program.tables[table].columns
        if column.references
    )
    joined = sum(len(reads & owned) > 1 for reads in evidence.reads.values())
    parts = [
        f"{counted(len(places), 'commit')} of several of its tables" if places else "",
        f"{counted(keys, 'foreign key')} within" if keys else "",
        f"{counted(joined, 'entry point')} reading several of its tables" if joined else "",
    ]
    reason = ", ".join(part for part in parts if part)
    return Datastore(because=sentence([reason or "queries by other columns than the key"]))
