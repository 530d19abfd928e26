"""Tables that are written in one transaction."""

from __future__ import annotations

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights, cliques


def weigh(evidence: Evidence) -> Weights:
    """Each transaction ties once what it writes."""
    return cliques(
        set(transaction.tables) & evidence.own[name]
        for name, entry in evidence.working.items()
        for transaction in entry.transactions
    )
