"""The figures of a score that people compare, in the order in which they read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from migrator.plan.score import Score, Whole

Figure = float | int | None


class Row(NamedTuple):
    """One figure of every score: what it is, how it is read off and written."""

    label: str
    read: Callable[[Score], Figure]
    written: str = "{:d}"
    better: int = -1
    """-1: less is better, 1: more is, 0: neither."""

    def shown(self, value: float) -> float:
        """The figure as precisely as it is shown, so that what is subtracted adds up."""
        if isinstance(value, int):
            return value
        return round(value, 2 if "%" in self.written else int(self.written[3]))

    def text(self, value: Figure) -> str:
        """The figure as it is shown; `-`: not known."""
        return "-" if value is None else self.written.format(value)


def _whole(read: Callable[[Whole], Figure]) -> Callable[[Score], Figure]:
    """A figure that is known only of a plan whose consequences are."""
    return lambda score: read(score.whole) if score.whole is not None else None


ROWS: tuple[Row, ...] = (
    Row("services", lambda s: len(s.services), better=0),
    Row("split transactions", lambda s: s.split_transactions),
    Row("crossings that need a decision", lambda s: s.undecided),
    Row("calls that cross", lambda s: s.calls),
    Row("routes that wait for a call", _whole(lambda w: w.latency.slowed)),
    Row("deferred commands", lambda s: s.deferred),
    Row("replicas", lambda s: s.replicas),
    Row("functions that feed replicas", lambda s: s.replica_feeds),
    Row("writes to replicas, observed", lambda s: s.replica_writes or None),
    Row(
        "largest blast radius",
        lambda s: max((each.blast_radius for each in s.services), default=0.0),
        "{:.0%}",
    ),
    Row("crossings that are generated", lambda s: s.automation, "{:.0%}", 1),
    Row("code in several services", _whole(lambda w: w.copied), "{:.0%}"),
    Row(
        "added latency, mean ms",
        _whole(lambda w: w.latency.mean_ms),
        "{:.1f}",
    ),
    Row(
        "added latency, worst ms",
        _whole(lambda w: w.latency.worst_ms),
        "{:.1f}",
    ),
    Row("SM (structural modularity)", _whole(lambda w: w.measures.sm), "{:.3f}", 1),
    Row("ICP (calls that cross)", _whole(lambda w: w.measures.icp), "{:.3f}"),
    Row("BCP (use cases of a service)", _whole(lambda w: w.measures.bcp), "{:.2f}"),
    Row("IFN (interfaces of a service)", _whole(lambda w: w.measures.ifn), "{:.2f}"),
    Row("NED (extreme sizes)", _whole(lambda w: w.measures.ned), "{:.2f}"),
    Row(
        "database purity",
        _whole(lambda w: w.measures.database_purity),
        "{:.2f}",
        1,
    ),
)
"""One table for proposals beside each other, for `check`, and for whoever else compares."""


class Change(NamedTuple):
    """A figure before and after as shown; `good`: 1 if that is better, -1 worse, 0 neither."""

    label: str
    before: str
    after: str
    difference: str
    good: int


def changes(before: Score, after: Score) -> list[Change]:
    """The figures that differ as they are shown; those that one of both lacks are left out."""
    found = []
    for row in ROWS:
        old, new = row.read(before), row.read(after)
        if old is None or new is None or row.text(old) == row.text(new):
            continue
        by = row.shown(new) - row.shown(old)
        if row.text(abs(by)) == row.text(type(by)(0)):
            continue
        signed = ("+" if by > 0 else "-") + row.text(abs(by))
        found.append(
            Change(
                row.label, row.text(old), row.text(new), signed, row.better * (1 if by > 0 else -1)
            )
        )
    return found


def figures(scores: Sequence[Score]) -> list[tuple[str, list[str]]]:
    """Every row for scores beside each other; rows that none of them knows are left out."""
    found = []
    for row in ROWS:
        values = [row.read(score) for score in scores]
        if any(value is not None for value in values):
            found.append((row.label, [row.text(value) for value in values]))
    return found
