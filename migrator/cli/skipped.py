"""Files that the analysis could not read, as every verb that builds on the analysis says it."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.model.program import Skipped
from migrator.model.progress import Progress
from migrator.plan.wording import enumerated

_MOST = 10


def warn_skipped(skipped: Sequence[Skipped], progress: Progress) -> None:
    """Name the files that are in nothing that is made from the graph, each reason once."""
    places: dict[str, list[str]] = {}
    for each in skipped:
        place = f"{each.file}:{each.line}" if each.line else each.file
        places.setdefault(each.reason, []).append(place)
    for reason, listed in list(places.items())[:_MOST]:
        known = "it" if len(listed) == 1 else "them"
        progress.warn(f"skipped {enumerated(listed)}: {reason}; nothing of {known} is known")
    more = sum(map(len, list(places.values())[_MOST:]))
    if more:
        progress.warn(f"skipped {more} more: see `migrator analyze --json`")
    if skipped:
        progress.warn("mend what should be read; `exclude` in [tool.migrator] leaves out the rest")
