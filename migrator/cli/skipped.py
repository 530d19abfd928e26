"""Files that the analysis could not read, as every verb that builds on the analysis says it."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.model.program import Skipped
from migrator.model.progress import Progress

_MOST = 10


def warn_skipped(skipped: Sequence[Skipped], progress: Progress) -> None:
    """Name the files that are in nothing that is made from the graph, each with the reason."""
    for each in skipped[:_MOST]:
        place = f"{each.file}:{each.line}" if each.line else each.file
        progress.warn(f"skipped {place}: {each.reason}; nothing of it is known")
    if len(skipped) > _MOST:
        progress.warn(f"skipped {len(skipped) - _MOST} more files: see `migrator analyze --json`")
    if skipped:
        progress.warn("mend them, or leave them out with `exclude` in [tool.migrator]")
