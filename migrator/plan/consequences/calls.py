"""The `calls` of a service: its crossings in words, with evidence for each."""

from __future__ import annotations

from migrator.model.plan import Crossing, Remedy
from migrator.plan.consequences.crossings import COST, Cut
from migrator.plan.consequences.outline import Consequences, cuts_by_function
from migrator.plan.evidence.evidence import Binding
from migrator.plan.evidence.reach import Reach
from migrator.plan.wording import enumerated, sentence, short


def crossings(reach: Reach, consequences: Consequences, service: str) -> list[Crossing]:
    """One crossing for each function and owner; its remedy is the dearest that a place needs."""
    found = []
    for (function, owner), cuts in cuts_by_function(consequences.walks[service]).items():
        splits = consequences.splits.get((service, function, owner), [])
        remedy: Remedy = max((cut.remedy for cut in cuts), key=lambda r: (COST[r], r))
        if splits:
            remedy = "merge"
        rows = any(cut.rows for cut in cuts)
        found.append(
            Crossing(
                function=function,
                owner=owner,
                remedy=remedy,
                unit="rows" if rows else "function",
                tables=sorted(frozenset().union(*(cut.tables for cut in cuts))),
                because=_because(reach, remedy, cuts, splits),
                at=list(dict.fromkeys(cut.place for cut in cuts)),
            )
        )
    return found


def _because(reach: Reach, remedy: Remedy, cuts: list[Cut], splits: list[Binding]) -> str:
    tables = enumerated(sorted(frozenset().union(*(cut.tables for cut in cuts))))
    callers = sorted({short(cut.caller) for cut in cuts if not cut.rows})
    parts = [f"it writes {tables}"]
    if callers:
        parts.append("called by " + enumerated(callers))
    if remedy == "call":
        parts += _travels(reach, cuts[0])
    parts += sorted({cut.reason for cut in cuts if cut.reason and cut.remedy == remedy})
    if remedy != "defer" and any(cut.looped for cut in cuts):
        parts.append("in a loop: one request for each round")
    for binding in splits[:1]:
        together = enumerated(sorted(binding.tables))
        place = f"{binding.transaction.file}:{binding.transaction.line}"
        parts.append(f"{together} are committed together ({place}): one service should own them")
    return sentence(parts)


def _travels(reach: Reach, cut: Cut) -> list[str]:
    function = reach.function(cut.key)
    models = {table.model for table in reach.program.tables.values() if table.model}
    taken = {t for p in function.parameters for t in p.types if t in models}
    given = {t for t in function.returns if t.rpartition("[")[2].rstrip("]") in models}
    parts = []
    if taken:
        parts.append("takes " + enumerated(sorted(map(short, taken))) + " by key")
    if given:
        parts.append("gives back " + enumerated(sorted(map(short, given))))
    raises = reach.raises(cut.key)
    if raises:
        parts.append("may raise " + enumerated(sorted(set(map(short, raises)))))
    return parts
