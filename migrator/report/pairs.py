"""What ties each pair of services, and what a request pays for it."""

from __future__ import annotations

import msgspec

from migrator.plan.consequences.dependence import CALL_MS, CATCH_UP_MS
from migrator.report.content import Content


class Pair(msgspec.Struct, kw_only=True):
    """What one service needs of another."""

    source: str
    target: str
    calls: list[str] = []
    deferred: list[str] = []
    copies: list[str] = []

    @property
    def cost(self) -> str:
        """What it costs, in words; from what was measured of generated pairs of services."""
        said = []
        if self.calls:
            said.append(f"{CALL_MS:.0f} ms a call")
        if self.copies:
            said.append(f"{CATCH_UP_MS} ms to catch up")
        return ", ".join(said) or "nothing: it is done later"


def pairs(content: Content) -> list[Pair]:
    """All pairs that are tied, those with most calls first."""
    found: dict[tuple[str, str], Pair] = {}
    for link in content.links:
        ends = link.source, link.target
        if link.kind == "replica":
            ends = link.target, link.source
        pair = found.setdefault(ends, Pair(source=ends[0], target=ends[1]))
        if link.kind == "replica":
            pair.copies = link.what
        elif link.kind == "call":
            pair.calls = link.what
        else:
            pair.deferred = link.what
    return sorted(
        found.values(),
        key=lambda p: (-len(p.calls), -len(p.deferred), -len(p.copies), p.source, p.target),
    )
