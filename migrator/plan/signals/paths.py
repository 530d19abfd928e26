"""Tables that are served under the same blueprint or the same first part of the URL."""

from __future__ import annotations

from collections import Counter
from math import sqrt

from migrator.model.program import EntryPoint
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights


def weigh(evidence: Evidence) -> Weights:
    """How alike the groups of entry points are that use two tables (cosine of their counts).

    A table is used by the entry points that are bound to it; if nobody is, by those that read it.
    """
    writers: dict[str, Counter[str]] = {}
    readers: dict[str, Counter[str]] = {}
    for name, entry in sorted(evidence.entries.items()):
        for group in groups(entry):
            for table in evidence.own[name]:
                writers.setdefault(table, Counter())[group] += 1
            for table in evidence.reads[name]:
                readers.setdefault(table, Counter())[group] += 1
    use = {t: writers.get(t) or readers.get(t) or Counter() for t in evidence.program.tables}
    tables = sorted(use)
    weights: Weights = {}
    for position, a in enumerate(tables):
        for b in tables[position:]:
            likeness = _cosine(use[a], use[b])
            if likeness > 0:
                weights[(a, b)] = likeness
    return weights


def groups(entry: EntryPoint) -> set[str]:
    """The blueprint and the first telling part of the URLs of an entry point."""
    found = set()
    blueprint = entry.endpoint.rpartition(".")[0]
    if blueprint:
        found.add("blueprint " + blueprint)
    for route in entry.routes:
        resource = first_part(route.rule)
        if resource:
            found.add("path /" + resource)
    return found


def first_part(rule: str) -> str:
    """The first part of a URL rule that says what it is about; empty if there is none."""
    for part in rule.split("/"):
        if "<" in part:
            break
        if part and part.lower() not in _PREFIXES:
            return part
    return ""


_PREFIXES = {"api", "rest", "v1", "v2", "v3", "v4"}


def _cosine(a: Counter[str], b: Counter[str]) -> float:
    dot = sum(count * b[group] for group, count in a.items())
    if not dot:
        return 0.0
    return dot / sqrt(sum(c * c for c in a.values()) * sum(c * c for c in b.values()))
