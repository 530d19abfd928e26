"""Tables that the same entry points, or the same functions, are there to write."""

from __future__ import annotations

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights, cliques


def weigh(evidence: Evidence) -> Weights:
    """Each entry point ties what binds it; a function that writes several itself ties them too."""
    reached = {f for entry in evidence.working.values() for f in entry.functions}
    functions = evidence.program.functions
    written = [
        [event.target for event in functions[name].events if event.kind == "write"]
        for name in sorted(reached & set(functions))
    ]
    return cliques([*(evidence.own[name] for name in evidence.working), *written])
