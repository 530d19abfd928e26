"""Tables whose names and code use the same words.

Term frequency and inverse document frequency as in G. Salton, C. Buckley, "Term-weighting
approaches in automatic text retrieval", Inf. Process. Manag. 24 (5), 1988. Words tie layers as
well as domains: with a full weight they do more harm than good.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log, sqrt

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights
from migrator.plan.wording import short

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LEAST_LETTERS = 3
_LEAST_LIKENESS = 0.05


def weigh(evidence: Evidence) -> Weights:
    """The cosine of two tables' words; words of a single table, and of most tables, say nothing."""
    words = _words(evidence)
    spread = Counter(word for counts in words.values() for word in counts)
    vectors: dict[str, dict[str, float]] = {}
    for table, counts in sorted(words.items()):
        vector = {
            word: (1 + log(count)) * log(len(words) / spread[word])
            for word, count in sorted(counts.items())
            if 1 < spread[word] < len(words)
        }
        length = sqrt(sum(weight * weight for weight in vector.values()))
        vectors[table] = {word: weight / length for word, weight in vector.items() if length}
    weights: Weights = {}
    tables = list(vectors)
    for position, a in enumerate(tables):
        for b in tables[position + 1 :]:
            likeness = sum(weight * vectors[b].get(w, 0.0) for w, weight in vectors[a].items())
            if likeness > _LEAST_LIKENESS:
                weights[a, b] = likeness
    return weights


def absent(_: Evidence) -> str:
    """Why there are no weights."""
    return "no two tables share a telling word"


def _words(evidence: Evidence) -> dict[str, Counter[str]]:
    """Table to the words of its name and model, and of functions that write it.

    Columns are left out: body, name, created are words of every domain.
    """
    program = evidence.program
    found = {
        name: Counter(word for text in (name, short(table.model)) for word in _split(text))
        for name, table in program.tables.items()
    }
    for name, function in sorted(program.functions.items()):
        for table in sorted({e.target for e in function.events if e.kind == "write"}):
            if table in found:
                found[table].update(_split(short(name)))
    return found


def _split(text: str) -> list[str]:
    return [w.lower() for w in _WORD.findall(text) if len(w) >= _LEAST_LETTERS]
