"""Tables whose code calls one another."""

from __future__ import annotations

from collections import Counter
from math import sqrt

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights


def weigh(evidence: Evidence) -> Weights:
    """A call from a function that touches one table to one that touches another ties the two.

    It counts for less the more often either function is called or calls, so that small things that
    everything uses tie nothing together.
    """
    reach = evidence.reach
    touched = {
        name: {e.target for e in function.events if e.kind in ("read", "write")}
        for name, function in evidence.program.functions.items()
    }
    called = {
        (name, reach.name(site.callee)) for name in sorted(touched) for site in reach.sites(name)
    }
    degree: Counter[str] = Counter()
    for caller, callee in called:
        degree[caller] += 1
        degree[callee] += 1
    weights: Weights = {}
    for caller, callee in sorted(called):
        weight = 1 / sqrt(degree[caller] * degree[callee])
        for a in sorted(touched.get(caller, ())):
            for b in sorted(touched.get(callee, ())):
                pair = (min(a, b), max(a, b))
                weights[pair] = weights.get(pair, 0.0) + weight
    return weights
