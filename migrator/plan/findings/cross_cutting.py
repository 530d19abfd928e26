"""What is written by the way all over the application, and which transactions only that splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from migrator.model.plan import Finding
from migrator.plan.evidence.evidence import Binding, Evidence
from migrator.plan.findings.kinds import CROSS_CUTTING
from migrator.plan.wording import counted, enumerated


def only_by_the_way(
    evidence: Evidence, torn: Sequence[Binding], owner: Mapping[str, str]
) -> list[Binding]:
    """Of the transactions that are split those that would be whole without what is written by
    the way."""
    return [
        binding
        for binding in torn
        if len({owner[table] for table in binding.tables & evidence.own[binding.entry_point]}) < 2
    ]


def cross_cutting(
    evidence: Evidence, torn: Sequence[Binding], owner: Mapping[str, str]
) -> list[Finding]:
    """Functions that write from everywhere in transactions that are split, those of most first."""
    found: list[tuple[int, Finding]] = []
    for each in evidence.intent.everywhere:
        split = Counter(
            table
            for binding in torn
            if binding.entry_point in each.entry_points
            for table in each.tables
            if table in binding.tables
            if len({owner[other] for other in binding.tables}) > 1
        )
        if not split:
            continue
        tables = [table for table, _ in split.most_common()]
        owners = sorted({owner[table] for table in tables})
        function = evidence.program.functions[each.function]
        most = max(split.values())
        finding = Finding(
            kind=CROSS_CUTTING,
            subject=each.function,
            message=f"it writes {enumerated(tables)} of {enumerated(owners)} for"
            f" {counted(len(each.entry_points), 'entry point')} in"
            f" {counted(each.packages, 'package')}, in {counted(most, 'transaction')} that the cut"
            " splits",
            at=f"{function.file}:{function.line}",
            hint="have it record what is to be written in an outbox, in the transaction that is"
            " open, and the owner write it a moment later",
        )
        found.append((most, finding))
    return [finding for _, finding in sorted(found, key=lambda f: (-f[0], f[1].subject))]
