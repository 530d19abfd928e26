"""Files that the analysis could not read, as every verb that builds on the analysis says it."""

from __future__ import annotations

from migrator.model.graph import Graph
from migrator.model.progress import Progress

_MOST = 10


def warn_skipped(graph: Graph, progress: Progress) -> None:
    """Name the files that are in nothing that is made from this graph, each with the reason."""
    skipped = graph.program.skipped
    for each in skipped[:_MOST]:
        place = f"{each.file}:{each.line}" if each.line else each.file
        progress.warn(f"skipped {place}: {each.reason}; nothing of it is known")
    if len(skipped) > _MOST:
        progress.warn(f"skipped {len(skipped) - _MOST} more files: see `migrator analyze --json`")
    if skipped:
        progress.warn("mend them, or leave them out with `exclude` in [tool.migrator]")
