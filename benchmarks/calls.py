"""PyCG's micro-benchmark: how many of its 112 call graphs come out exactly.

    python benchmarks/calls.py PATH_OF_pycg-evaluation

Prints complete, sound and exact cases, precision and recall over all edges, and every miss.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from migrator.facts.project import read_project
from migrator.graph.linker import Linker
from migrator.model.progress import Silent
from migrator.model.settings import Settings

_RECEIVERS = {
    "builtins.str": "<**PyStr**>",
    "builtins.list": "<**PyList**>",
    "builtins.dict": "<**PyDict**>",
}

_MARKERS = ("builtins.staticmethod", "builtins.classmethod", "builtins.property")


def callgraph(folder: Path) -> dict[str, set[str]]:
    """The call graph of a folder in the benchmark's naming."""
    facts = read_project(folder, Settings(sources=["."]), Silent())
    linker = Linker(facts, ())
    linker.run()
    graph: dict[str, set[str]] = {function.name: set() for function in linker.functions}
    for variant in linker.variants:
        callees = graph[variant.function.name]
        for called in variant.calls.values():
            callees.update(linker.variants[each].function.name for each in called)
        for outside in variant.externals.values():
            callees.update(_outside(name) for name in outside if name not in _MARKERS)
    return graph


def _outside(name: str) -> str:
    for prefix, written in _RECEIVERS.items():
        if name.startswith(f"{prefix}."):
            return f"{written}.{name[len(prefix) + 1 :]}"
    return name.replace("builtins.", "<builtin>.", 1) if name.startswith("builtins.") else name


def main(arguments: list[str]) -> int:
    """Run all cases; exit code 1 when one is not exact."""
    benchmark = Path(arguments[0]) / "data" / "micro-benchmark"
    complete = sound = exact = total = 0
    true = made = expected_edges = 0
    for expected_file in sorted(benchmark.glob("*/*/callgraph.json")):
        total += 1
        case = "/".join(expected_file.parts[-3:-1])
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "case"
            shutil.copytree(expected_file.parent, folder)
            found = callgraph(folder)
        wanted = {name: set(to) for name, to in json.loads(expected_file.read_text()).items()}
        extra = {(a, b) for a, to in found.items() if a in wanted for b in to - wanted[a]}
        missing = {(a, b) for a, to in wanted.items() for b in to - found.get(a, set())}
        edges = sum(len(to) for to in wanted.values())
        expected_edges += edges
        true += edges - len(missing)
        made += edges - len(missing) + len(extra)
        complete += not extra
        sound += not missing
        exact += not extra and not missing
        if extra or missing:
            print(f"{case}: extra {sorted(extra)}, missing {sorted(missing)}")
    print(f"cases {total}: complete {complete}, sound {sound}, exact {exact}")
    print(f"precision {true / made:.3f}, recall {true / expected_edges:.3f}")
    return 0 if exact == total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
