"""What analysis predicts of what runs, and what `migrator observe` costs.

    python benchmarks/observation.py rates PROJECT...
    python benchmarks/observation.py cost [--rounds 3] [--folder PROJECT] -- COMMAND...

`rates` analyses projects that were recorded by `migrator observe -- COMMAND` and prints for each
how many of the observed table accesses (entry point, table, read or written) were predicted, how
many of those predicted for fully covered entry points were observed, how many of the observed
accesses to folders of files were predicted, and how many pairs of functions that called each other
are edges. `cost` runs a command in a project's folder, plain and
under `migrator observe`, by turns, and prints CPU seconds of all its processes and wall seconds.
Nothing is downloaded; records of earlier runs stay.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from migrator.facts.settings import load_settings
from migrator.graph.build import build_graph
from migrator.model.progress import Silent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    rates_verb = verbs.add_parser("rates")
    rates_verb.add_argument("projects", type=Path, nargs="+")
    cost_verb = verbs.add_parser("cost")
    cost_verb.add_argument("--rounds", type=int, default=3)
    cost_verb.add_argument("--folder", type=Path, default=Path())
    cost_verb.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if given.verb == "rates":
        print("| project | ran | predicted of observed | observed of predicted | files | calls |")
        print("|---|---|---|---|---|---|")
        for project in given.projects:
            print(rates(project.resolve()))
    else:
        command = given.command[1:] if given.command[:1] == ["--"] else given.command
        cost(given.folder.resolve(), command, given.rounds)


def rates(project: Path) -> str:
    """One line of a table."""
    observed = build_graph(project, load_settings(project), Silent()).program.observed
    if observed is None:
        return f"| {project.name} | nothing recorded | | | |"
    writes = sum(hole.kind == "write" and not hole.folder for hole in observed.holes)
    seen = _share(observed.covered_seen, observed.covered_accesses)
    return (
        f"| {project.name} | {len(observed.ran)} entry points, {observed.statements} statements "
        f"| {_share(observed.predicted, observed.accesses)}, {writes} writes missed "
        f"| {seen} over {len(observed.covered)} "
        f"| {_share(observed.files_predicted, observed.files)} "
        f"| {_share(observed.calls_predicted, observed.calls)} |"
    )


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} ({part / max(whole, 1):.1%})"


def cost(folder: Path, command: list[str], rounds: int) -> None:
    """CPU and wall seconds of a command, plain and observed; the least of all rounds counts."""
    observed = [sys.executable, "-m", "migrator", "observe", "--", *command]
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "observed": []}
    for _ in range(rounds):
        for name, line in (("plain", command), ("observed", observed)):
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(line, cwd=folder, capture_output=True, check=False)
            after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found[name].append((cpu, wall))
            print(f"{name} {cpu:.1f} CPU s, {wall:.1f} s", file=sys.stderr)
    plain, under = min(found["plain"]), min(found["observed"])
    print(f"plain {plain[0]:.1f} CPU s, observed {under[0]:.1f} CPU s: {under[0] / plain[0]:.2f} x")


if __name__ == "__main__":
    main()
