"""Tables that are declared in the same package or module."""

from __future__ import annotations

from math import log

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights, add_clique


def weigh(evidence: Evidence) -> Weights:
    """Each folder or file ties what it declares: by how much of all tables it leaves out.

    A single `models.py` for everything says nothing, and has no weight.
    """
    groups: dict[str, set[str]] = {}
    for name, table in evidence.program.tables.items():
        parts = table.file.split("/")
        for depth in range(1, len(parts) + 1):
            groups.setdefault("/".join(parts[:depth]), set()).add(name)
    count = len(evidence.program.tables)
    weights: Weights = {}
    for members in {frozenset(members) for members in groups.values()}:
        if len(members) < count:
            add_clique(weights, members, log(count / len(members)))
    return weights
