"""Where a service keeps its tables, with the reason, and what would be better kept elsewhere."""

from __future__ import annotations

from collections.abc import Collection

from migrator.model.plan import Datastore, StoreAdvice
from migrator.plan.datastores.kinds import KINDS, WHOLE_TABLES, relational
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.evidence.table_usage import TableUse


def choose(
    evidence: Evidence, tables: Collection[str], entry_points: Collection[str] = ()
) -> Datastore:
    """A relational store, which is what is generated: the monolith's queries run on in it.

    `advice` names what the evidence speaks for keeping in a store of another kind.
    """
    used = evidence.usage.tables
    uses = {name: used[name] for name in sorted(tables) if name in used}
    advice = _advice(evidence, uses, entry_points)
    if not tables:
        because = "it owns no table; the store holds its replicas and its outbox"
    else:
        because = _why_relational(evidence, uses) or "rows are changed in place, by key"
    return Datastore(because=because, advice=advice)


def _advice(
    evidence: Evidence, uses: dict[str, TableUse], entry_points: Collection[str]
) -> list[StoreAdvice]:
    reached = {f for e in entry_points for f in evidence.program.entry_points[e].functions}
    files = [
        finding
        for finding in evidence.program.state
        if finding.kind == "local-file" and reached & set(finding.writers)
    ]
    bound = {table for bond in evidence.bonds for table in bond}
    return [
        each
        for kind in KINDS
        for each in kind(uses, files)
        if each.kind not in WHOLE_TABLES or bound.isdisjoint(each.tables)
    ]


def _why_relational(evidence: Evidence, uses: dict[str, TableUse]) -> str:
    owned = set(uses)
    commits = {
        (binding.transaction.file, binding.transaction.line)
        for binding in evidence.transactions
        if len(binding.tables & owned) > 1
    }
    keys = sum(
        column.referred in owned - {name}
        for name, use in uses.items()
        for column in use.table.columns
        if column.references
    )
    joined = sum(len(reads & owned) > 1 for reads in evidence.reads.values())
    compared = {
        (name, column)
        for name, use in uses.items()
        for column, how in use.compared
        if how in ("equal", "range") and column not in use.keys
    }
    return relational(
        {"commits": len(commits), "keys": keys, "joined": joined, "columns": len(compared)}
    )
