"""What one function that nobody calls changes in the rest of a graph: it should be nothing.

    python benchmarks/stability.py FOLDER [--corpora django indico]

FOLDER keeps the wheels of `corpora.py`. Each corpus is analysed twice, the second time with a
function more in its first large file; counted are edges, functions and entry points that differ
anywhere else. That is also what an incremental analysis would have to reproduce.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from corpora import Unreachable, unpack

from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings

ADDED = "added_by_the_benchmark"


def differing(before: Graph, after: Graph, module: str) -> tuple[int, int, int]:
    """Edges, functions and entry points that differ, but for the module that was changed."""
    edges = _edges(before) ^ _edges(after)
    first, second = before.program, after.program
    names = {n for n, each in second.functions.items() if first.functions.get(n) != each}
    entries = {n for n, each in second.entry_points.items() if first.entry_points.get(n) != each}
    return len(edges), len(names - {module, f"{module}.{ADDED}"}), len(entries)


def _edges(graph: Graph) -> set[tuple[int, str, str, str, int]]:
    """What an edge says, without the numbers of its nodes."""
    return {(e.kind, e.source.name, e.target.name, e.file, e.line) for e in graph.edges()}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*", default=["django", "indico"])
    options = parser.parse_args()
    print("| | edges | functions | entry points that differ |\n|---|---|---|---|")
    for name in options.corpora:
        try:
            source = unpack(name, options.folder.resolve())
        except Unreachable as error:
            print(f"not reachable: {error}", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / name
            shutil.copytree(source, root)
            before = build_graph(root, Settings(), Silent())
            files = {file: module for module, file in before.program.modules.items()}
            file = next(f for f in sorted(files) if (root / f).stat().st_size > 5000)
            with open(root / file, "a") as text:
                text.write(f"\n\ndef {ADDED}():\n    return None\n")
            after = build_graph(root, Settings(), Silent())
        counts = " | ".join(map(str, differing(before, after, files[file])))
        print(f"| {name} | {counts} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
