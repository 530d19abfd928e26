"""Tables whose code has the same owners: those that CODEOWNERS names, else its authors in git."""

from __future__ import annotations

from collections import Counter
from math import log, sqrt
from pathlib import Path

from migrator.facts.codeowners import CodeOwners, read_code_owners
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights
from migrator.plan.signals.profiles import tables_of_files


def weigh(evidence: Evidence) -> Weights:
    """How alike the people of two tables are (cosine); who is everywhere counts for nothing.

    An author counts by the logarithm of the commits of each file that touches a table.
    """
    owners = _code_owners(evidence)
    people: dict[str, dict[str, float]] = {}
    for file, shares in tables_of_files(evidence).items():
        for person, count in _people(evidence, owners, file).items():
            for table, share in shares.items():
                of = people.setdefault(table, {})
                of[person] = of.get(person, 0.0) + share * log(1 + count)
    spread = Counter(person for of in people.values() for person in of)
    rare = {person: log(len(people) / count) for person, count in spread.items()}
    vectors = {
        table: {person: weight * rare[person] for person, weight in sorted(of.items())}
        for table, of in sorted(people.items())
    }
    length = {table: sqrt(sum(w * w for w in of.values())) for table, of in vectors.items()}
    weights: Weights = {}
    tables = [table for table in vectors if length[table] > 0]
    for position, a in enumerate(tables):
        for b in tables[position + 1 :]:
            dot = sum(weight * vectors[b].get(person, 0.0) for person, weight in vectors[a].items())
            if dot > 0:
                weights[a, b] = dot / (length[a] * length[b])
    return weights


def absent(evidence: Evidence) -> str:
    """Why there are no weights."""
    if not _code_owners(evidence).lines and evidence.history.missing:
        return f"there is no CODEOWNERS, and {evidence.history.missing}"
    return "the same people own the code of all tables"


def _code_owners(evidence: Evidence) -> CodeOwners:
    root = evidence.program.root
    return read_code_owners(Path(root)) if root and Path(root).is_dir() else CodeOwners()


def _people(evidence: Evidence, owners: CodeOwners, file: str) -> Counter[str]:
    named = owners.of(file)
    return Counter(named) if named else evidence.history.authors(file)
