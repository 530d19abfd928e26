"""What a plan says to its reader, on the terminal: the gravest first, and not all of hundreds."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from migrator.cli.terminal import print_hanging
from migrator.model.plan import Finding
from migrator.plan.findings.kinds import DECISION, KINDS, SPLIT

_MOST = 5
"""Of each kind; the report has them all."""

_LABELS = {SPLIT: "split", DECISION: "to decide"}
_GRAVITY = {"error": 0, "warning": 1, "note": 2}


def print_findings(findings: Sequence[Finding], out: Console) -> None:
    """Print findings, a few of each kind, and how many more there are of it."""
    kinds = sorted({each.kind for each in findings}, key=lambda kind: (_gravity(kind), kind))
    for kind in kinds:
        some = [each for each in findings if each.kind == kind]
        label = _LABELS.get(kind, kind.replace("-", " "))
        for number, finding in enumerate(shown := some[:_MOST], start=1):
            place = f" ({finding.at})" if finding.at else ""
            print_hanging(out, Text(f"{label}: {finding.subject}{place}: {finding.message}"))
            following = shown[number].hint if number < len(shown) else ""
            if finding.hint and finding.hint != following:
                print_hanging(out, Text(f"next: {finding.hint}"), 1)
        if len(some) > _MOST:
            more = f"{len(some) - _MOST} more of these: `migrator report` has them all"
            print_hanging(out, Text(f"{label}: {more}", style="dim"))


def _gravity(kind: str) -> int:
    return _GRAVITY[KINDS[kind].level] if kind in KINDS else len(_GRAVITY)
