"""Tables that the same entry points, or the same functions, are there to write."""

from __future__ import annotations

from migrator.plan.evidence import Evidence
from migrator.plan.signals import Weights, add_clique


def weigh(evidence: Evidence) -> Weights:
    """Each entry point ties what binds it; a function that writes several itself ties them too."""
    weights: Weights = {}
    for name in evidence.working:
        add_clique(weights, evidence.bound[name])
    reached = {f for entry in evidence.working.values() for f in entry.functions}
    for name in sorted(reached & set(evidence.program.functions)):
        events = evidence.program.functions[name].events
        add_clique(weights, (event.target for event in events if event.kind == "write"))
    return weights
