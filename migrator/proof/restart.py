"""What a restart alone changes in the monolith's answers: what it keeps in its process and loses.

A step back is a restart of whoever answers then. What the monolith forgets whenever it is started
again (tokens that were revoked, counters) is no loss of the step, and found by starting it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.operation.monolith import RunningMonolith
from migrator.proof.baseline import Baseline, Monolith
from migrator.proof.comparison import Difference, aligned
from migrator.proof.exchange import Exchange
from migrator.proof.reading import Asker, Reading, asker
from migrator.proof.traffic import record

Statuses = tuple[str, str]
"""That of an answer before and after; both empty where it is the same."""


@dataclass(frozen=True, slots=True)
class Restart:
    """The monolith, asked twice as on the way, and read before and after it was started again."""

    turns: tuple[Sequence[Exchange], ...]
    """All that was asked from the start state, and once more of the data as it was then."""
    changed: dict[Asker, Statuses]
    """The reads that it answers otherwise since it was started again."""

    def explained(
        self,
        turns: Sequence[Sequence[Exchange]],
        read: Reading,
        differences: Sequence[Difference],
    ) -> set[int]:
        """The ordinals in `read`, made of `turns`, whose differences come of a restart alone.

        The same request of the same turn has to differ on the monolith by itself, and with the
        same status before and after.
        """
        same = {
            asker(theirs): asker(own)
            for before, now in zip(self.turns, turns, strict=True)
            for own, theirs in aligned(list(before), list(now))[0]
        }
        return {
            ordinal
            for ordinal, statuses in _statuses(differences).items()
            if self.changed.get(same.get(asker(read.answers[ordinal]), ("", ()))) == statuses
        }


def restart(monolith: Monolith, baseline: Baseline) -> Restart:
    """Ask the monolith all its traffic twice, start it again at the same data, and compare."""
    proxy = monolith.proxy
    upstream = proxy.upstream
    with RunningMonolith(
        monolith.root,
        monolith.run,
        monolith.folder / "monolith-restarted",
        monolith.progress,
        outside_url=proxy.url,
        start_state=baseline.start_state,
    ) as running:
        turns = tuple(
            record(proxy, running, running.base_url, monolith.traffic).exchanges for _ in range(2)
        )
        read = Reading.of([each for turn in turns for each in turn], running.base_url)
        running.restart()
        found = read.compared(running.base_url, baseline.noise, proxy.url)
    proxy.upstream = upstream
    return Restart(
        turns,
        {
            asker(read.answers[ordinal]): statuses
            for ordinal, statuses in _statuses(found.differences).items()
        },
    )


def counted(read: Reading, ordinals: set[int]) -> dict[str, int]:
    """Method and path of these reads, and how many of them there are."""
    asked = (read.answers[ordinal] for ordinal in ordinals)
    return dict(Counter(f"{each.method} {each.path}" for each in asked).most_common())


def _statuses(differences: Sequence[Difference]) -> dict[int, Statuses]:
    """By the ordinal of each request that differs."""
    found: dict[int, Statuses] = {each.ordinal: ("", "") for each in differences}
    for each in differences:
        if each.field == "status":
            found[each.ordinal] = (each.monolith, each.services)
    return found
