"""How many tables each route reads and writes, as analysis predicts it.

    python benchmarks/tables_of_routes.py PROJECT...

Analyses the projects and prints for each the number of routes, and the least, the quartiles and the
most of the tables that one route reads and writes: with its hooks, and by its handler alone.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable
from pathlib import Path

from migrator.facts.settings import load_settings
from migrator.graph.build import build_graph
from migrator.model.program import Access
from migrator.model.progress import Silent


def main() -> None:
    """One line of a table a project."""
    print("| project | routes | read | written | read by the handler | written by the handler |")
    print("|---|---|---|---|---|---|")
    for project in (Path(each).resolve() for each in sys.argv[1:]):
        print(line(project))


def line(project: Path) -> str:
    """The figures of one project."""
    program = build_graph(project, load_settings(project), Silent()).program
    routes = [each for each in program.entry_points.values() if each.kind == "route"]
    columns = [
        _spread(_tables(accesses, hooks=hooks) for accesses in chosen)
        for hooks in (True, False)
        for chosen in ([each.reads for each in routes], [each.writes for each in routes])
    ]
    return f"| {project.name} | {len(routes)} | {' | '.join(columns)} |"


def _tables(accesses: Iterable[Access], *, hooks: bool) -> int:
    return len({each.table for each in accesses if hooks or not each.in_hook})


def _spread(counts: Iterable[int]) -> str:
    """Least, quartiles, most."""
    found = sorted(counts)
    if len(found) < 2:
        return "/".join(map(str, found))
    quartiles = statistics.quantiles(found, n=4, method="inclusive")
    return "/".join(f"{each:.0f}" for each in (found[0], *quartiles, found[-1]))


if __name__ == "__main__":
    main()
