"""Tables that are used together by the same entry points."""

from __future__ import annotations

from migrator.plan.evidence import Evidence
from migrator.plan.signals import Weights, add_clique


def weigh(evidence: Evidence) -> Weights:
    """Each entry point ties all that it touches on its own account; hooks tie nothing."""
    weights: Weights = {}
    for name, bound in evidence.bound.items():
        add_clique(weights, bound | evidence.reads[name])
    return weights
