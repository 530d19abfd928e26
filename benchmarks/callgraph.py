"""PyCG's benchmarks: how many of its call graphs come out exactly, and how much of five projects.

    python benchmarks/callgraph.py PATH_OF_pycg-evaluation [--misses] [--projects FOLDER]
                                   [--peer FOLDER]
    python benchmarks/callgraph.py --cases FOLDER [--misses]

The micro-benchmark is run as it is, and in disguise: with all names exchanged and independent
definitions in the opposite order. The macro-benchmark is run when `--projects` names a folder with
checkouts of the five projects (commits: `git -C PATH ls-tree HEAD data/macro-benchmark/projects/`).
It counts calls of functions of the project, first against the ground truth as it was published,
then with the corrections of `callgraph_errata.txt`, each of which has its reason there. `--peer`
names a folder with PROJECT.json of another tool in the same format, counted in the same way; for
PyCG, run in each project's folder: `pycg --package $PWD $(find . -name '*.py' | cut -c3-)`, over
the files that the artifact's own script names. `--cases` runs whatever folders below one have a
`callgraph.json` beside their files, as benchmarks of others do. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from migrator.graph.build import CALL_PASSES, build_graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings
from migrator.report.graph.pycg import adjacency

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "graph"))

from disguise import Disguise  # noqa: E402

Edges = set[tuple[str, str]]

PROJECTS = {
    "Sublist3r": "**/*.py",
    "asciinema": "asciinema/**/*.py",
    "autojump": "bin/*.py",
    "fabric": "**/*.py",
    "face_classification": "src/**/*.py",
}
"""Project to the files that the artifact's own script gives to the tools."""
_ROOTS = {"autojump": "bin", "face_classification": "src"}


class Score(NamedTuple):
    """Edges that are right, that were found, that were wanted."""

    right: int
    found: int
    wanted: int

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}, recall {self.recall:.3f}"

    @property
    def precision(self) -> float:
        return self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.wanted, 1)


def callgraph(folder: Path) -> dict[str, set[str]]:
    """The call graph of a folder in the benchmark's naming, as `migrator export --as pycg`."""
    graph = build_graph(folder, Settings(sources=["."]), Silent(), CALL_PASSES)
    return {caller: set(callees) for caller, callees in adjacency(graph).items()}


def _edges(graph: dict[str, set[str]] | dict[str, list[str]]) -> Edges:
    return {(caller, callee) for caller, callees in graph.items() for callee in callees}


# -- micro-benchmark ------------------------------------------------------------------------------


def micro(benchmark: Path, *, disguised: bool, misses: bool) -> int:
    """Run all cases and print the figures; gives the number of cases that are not exact."""
    complete = sound = exact = total = 0
    totals = [0, 0, 0]
    for case, files, wanted in _cases(benchmark):
        total += 1
        if disguised:
            disguise = Disguise(files)
            wanted = {(disguise.name(a), disguise.name(b)) for a, b in wanted}
            files = disguise.files(files)
        with tempfile.TemporaryDirectory() as scratch:
            for path, text in files.items():
                (Path(scratch) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(scratch) / path).write_text(text, encoding="utf-8")
            found = _edges(callgraph(Path(scratch)))
        extra, missing = found - wanted, wanted - found
        totals = [totals[0] + len(wanted & found), totals[1] + len(found), totals[2] + len(wanted)]
        complete += not extra
        sound += not missing
        exact += not extra and not missing
        if misses and (extra or missing):
            print(f"  {case}: extra {sorted(extra)}, missing {sorted(missing)}")
    print(f"  cases {total}: complete {complete}, sound {sound}, exact {exact}; {Score(*totals)}")
    return total - exact


def _cases(benchmark: Path) -> Iterator[tuple[str, dict[str, str], Edges]]:
    for expected in sorted(benchmark.rglob("callgraph.json")):
        folder = expected.parent
        files = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*.py"))
        }
        yield "/".join(folder.parts[-2:]), files, _edges(json.loads(expected.read_text()))


# -- macro-benchmark ------------------------------------------------------------------------------


def macro(truths: Path, projects: Path, peer: Path | None, *, misses: bool) -> None:
    """Print precision and recall for every project and all of them together."""
    tools = ["migrator", *(["peer"] if peer else [])]
    sums: dict[tuple[str, bool], list[Score]] = {}
    for project, pattern in PROJECTS.items():
        published = _edges(json.loads((truths / f"{project}.json").read_text()))
        with tempfile.TemporaryDirectory() as scratch:
            folder = _laid_out(projects / project, Path(scratch), pattern, _ROOTS.get(project, ""))
            inside = {path.relative_to(folder).parts[0] for path in folder.rglob("*.py")}
            inside = {name.removesuffix(".py") for name in inside}
            found = {"migrator": _edges(callgraph(folder))}
        if peer:
            found["peer"] = _edges(json.loads((peer / f"{project}.json").read_text()))
        added, removed = _errata(project)
        for corrected in (False, True):
            truth = (published | added) - removed if corrected else published
            wanted = {edge for edge in truth if edge[1].partition(".")[0] in inside}
            for tool in tools:
                calls = {edge for edge in found[tool] if edge[1].partition(".")[0] in inside}
                score = Score(len(calls & wanted), len(calls), len(wanted))
                sums.setdefault((tool, corrected), []).append(score)
                print(f"  {project:20} {_against(corrected)} {tool:9} {score}")
                if misses and corrected and tool == "migrator":
                    _print_misses(calls - wanted, wanted - calls)
    for (tool, corrected), scores in sums.items():
        whole = Score(*(sum(each) for each in zip(*scores, strict=True)))
        print(f"  {'all':20} {_against(corrected)} {tool:9} {whole}")


def _against(corrected: bool) -> str:
    return "corrected" if corrected else "published"


def _print_misses(extra: Edges, missing: Edges) -> None:
    for name, edges in (("extra", extra), ("missing", missing)):
        for caller, callee in sorted(edges):
            print(f"    {name} {caller} -> {callee}")


def _laid_out(project: Path, scratch: Path, pattern: str, root: str) -> Path:
    """A copy of the files that the artifact analyses, without tests and set-up scripts."""
    for path in sorted(project.glob(pattern)):
        relative = path.relative_to(project / root)
        skipped = project.name == "fabric" and (
            "tests" in path.relative_to(project).as_posix() or path.name == "setup.py"
        )
        if path.is_file() and not skipped:
            (scratch / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, scratch / relative)
    return scratch


def _errata(project: str) -> tuple[Edges, Edges]:
    """What is added to and removed from a ground truth: `+ PROJECT CALLER CALLEE  # reason`."""
    added: Edges = set()
    removed: Edges = set()
    for line in (HERE / "callgraph_errata.txt").read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        if len(words) == 4 and words[1] == project:
            (added if words[0] == "+" else removed).add((words[2], words[3]))
    return added, removed


def main() -> int:
    """Run what was asked for; exit code 1 when a case of the micro-benchmark is not exact."""
    parser = argparse.ArgumentParser(description="PyCG's benchmarks")
    parser.add_argument("path", type=Path, nargs="?", help="a checkout of vitsalis/pycg-evaluation")
    parser.add_argument("--cases", type=Path, help="other cases, each with its callgraph.json")
    parser.add_argument("--misses", action="store_true", help="print every edge that differs")
    parser.add_argument("--projects", type=Path, help="checkouts of the macro-benchmark's projects")
    parser.add_argument("--peer", type=Path, help="call graphs of another tool")
    options = parser.parse_args()
    if options.cases:
        return 1 if micro(options.cases, disguised=False, misses=options.misses) else 0
    if options.path is None:
        parser.error("PATH or --cases")
    benchmark = options.path / "data" / "micro-benchmark"
    print("micro-benchmark as it is")
    missed = micro(benchmark, disguised=False, misses=options.misses)
    print("micro-benchmark in disguise")
    micro(benchmark, disguised=True, misses=options.misses)
    if options.projects:
        print("macro-benchmark, calls inside the project")
        truths = options.path / "data" / "macro-benchmark" / "ground-truth-cgs"
        macro(truths, options.projects, options.peer, misses=options.misses)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
