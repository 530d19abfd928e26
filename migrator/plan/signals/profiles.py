"""What the files of the code are about: the tables that they declare and touch."""

from __future__ import annotations

from collections import Counter
from math import log

from migrator.plan.evidence.evidence import Evidence

_BROAD_SHARE = 0.5
_BROAD_TABLES = 3


def tables_of_files(evidence: Evidence) -> dict[str, dict[str, float]]:
    """File to the tables that it is about, with shares that add up to 1.

    A table counts by the logarithm of how often the file's functions read or write it, and once
    more where it is declared. A file about half of all tables or more is about none.
    """
    touched: dict[str, Counter[str]] = {}
    for function in evidence.program.functions.values():
        for event in function.events:
            if event.kind in ("read", "write") and event.target in evidence.program.tables:
                touched.setdefault(function.file, Counter())[event.target] += 1
    for name, table in evidence.program.tables.items():
        touched.setdefault(table.file, Counter())[name] += 1
    most = max(_BROAD_TABLES, _BROAD_SHARE * len(evidence.program.tables))
    found = {}
    for file, counts in sorted(touched.items()):
        if len(counts) < most:
            weights = {name: log(1 + count) for name, count in sorted(counts.items())}
            total = sum(weights.values())
            found[file] = {name: weight / total for name, weight in weights.items()}
    return found
