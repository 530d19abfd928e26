"""Tables that are used together by the same entry points."""

from __future__ import annotations

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights, cliques


def weigh(evidence: Evidence) -> Weights:
    """Each entry point ties all that it touches on its own account; hooks tie nothing."""
    return cliques(own | evidence.reads[name] for name, own in evidence.own.items())
