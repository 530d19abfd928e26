"""Tables whose code is changed by the same commits.

H. Gall et al., "Detection of logical coupling based on product release history", ICSM 1998; large
commits are left out, as in T. Zimmermann et al., "Mining version histories to guide software
changes", IEEE Trans. Softw. Eng. 31 (6), 2005.
"""

from __future__ import annotations

from itertools import combinations

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals import Weights
from migrator.plan.signals.profiles import tables_of_files

_MOST_FILES = 30
_LEAST_COMMITS = 20


def weigh(evidence: Evidence) -> Weights:
    """A commit ties each file that it changes once to the others, and so what these are about."""
    profiles = tables_of_files(evidence)
    together: dict[tuple[str, str], float] = {}
    telling = 0
    for commit in evidence.history.commits:
        files = [file for file in commit.files if file in profiles]
        if len(commit.files) <= _MOST_FILES and len(files) > 1:
            telling += 1
            for pair in combinations(sorted(files), 2):
                together[pair] = together.get(pair, 0.0) + 1 / (len(files) - 1)
    weights: Weights = {}
    if telling < _LEAST_COMMITS:
        return weights
    for (one, other), weight in sorted(together.items()):
        for a, share in profiles[one].items():
            for b, part in profiles[other].items():
                pair = (min(a, b), max(a, b))
                weights[pair] = weights.get(pair, 0.0) + weight * share * part
    return weights


def absent(evidence: Evidence) -> str:
    """Why there are no weights."""
    few = f"fewer than {_LEAST_COMMITS} commits change code of several tables"
    return evidence.history.missing or few
