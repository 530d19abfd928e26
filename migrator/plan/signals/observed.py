"""Tables that were seen to be used by the same requests while the application ran."""

from __future__ import annotations

from math import log

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights, add_clique


def weigh(evidence: Evidence) -> Weights:
    """Each entry point ties what it was seen to touch, by the logarithm of how often it did."""
    weights: Weights = {}
    for entry in evidence.working.values():
        seen: dict[str, int] = {}
        for access in (*entry.reads, *entry.writes):
            if access.count and not access.in_hook:
                seen[access.table] = max(seen.get(access.table, 0), access.count)
        if seen:
            add_clique(weights, seen, log(1 + max(seen.values())))
    return weights


def absent(evidence: Evidence) -> str:
    """Why there are no weights."""
    never = "nothing was ever observed (`migrator observe` records a run)"
    return never if evidence.program.observed is None else "no entry point was seen to use a table"
