"""Tables that are written in one transaction."""

from __future__ import annotations

from migrator.plan.evidence import Evidence
from migrator.plan.signals import Weights, add_clique


def weigh(evidence: Evidence) -> Weights:
    """Each transaction ties once what it writes."""
    weights: Weights = {}
    for name, entry in evidence.working.items():
        for transaction in entry.transactions:
            add_clique(weights, set(transaction.tables) & evidence.bound[name])
    return weights
