"""Import edges between the modules of an application, beside those that grimp and ruff find.

    python benchmarks/imports.py FOLDER [--corpora django homeassistant]

FOLDER keeps what is downloaded: the wheels of `corpora.py`, and the environment with the peers of
`speed.py`. Right is what at least one peer finds: precision and recall are those of `migrator
export --as imports` against the union. Prints Markdown, then every edge that differs; exit code 1
when there is one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from corpora import WHEELS, Unreachable, unpack
from speed import PEERS, peers

Edges = set[tuple[str, str]]

GRIMP = """
import json, sys
sys.path.insert(0, '.')
import grimp
graph = grimp.build_graph(*sys.argv[1:], cache_dir=None)
found = {each: sorted(graph.find_modules_directly_imported_by(each)) for each in graph.modules}
print(json.dumps(found))
"""


def ours(root: Path) -> Edges:
    """What `migrator export` writes, run by the interpreter that runs this script."""
    command = [sys.executable, "-m", "migrator", "export", root, "--as", "imports"]
    return _edges(_json(command, root))


def grimps(root: Path, packages: list[str], programs: Path) -> Edges:
    return _edges(_json([programs / "python", "-c", GRIMP, *packages], root))


def ruffs(root: Path, packages: list[str], programs: Path) -> Edges:
    """What ruff finds, with its files named as modules; a module may be a file and a stub."""
    command = [programs / "ruff", "analyze", "graph", "--preview", "--isolated", *packages]
    found = _edges(_json(command, root))
    return {(_module(a), _module(b)) for a, b in found if _module(a) != _module(b)}


def _json(command: list[Any], folder: Path) -> dict[str, list[str]]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _edges(graph: dict[str, list[str]]) -> Edges:
    """Without those of a module to itself."""
    return {(a, b) for a, imported in graph.items() for b in imported if a != b}


def _module(file: str) -> str:
    return file.rpartition(".")[0].removesuffix("/__init__").replace("/", ".")


def compare(name: str, source: Path, programs: Path) -> list[str]:
    """Print the row of one corpus; gives a line for every edge that differs."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / name
        shutil.copytree(source, root, ignore=shutil.ignore_patterns(".migrator"))
        packages = sorted(path.parent.name for path in root.glob("*/__init__.py"))
        found = ours(root)
        grimp, ruff = grimps(root, packages, programs), ruffs(root, packages, programs)
    union = grimp | ruff
    precision = len(found & union) / max(len(found), 1)
    recall = len(found & union) / max(len(union), 1)
    counts = " | ".join(f"{len(each):,}" for each in (found, grimp, ruff, union))
    print(f"| {WHEELS[name]} | {counts} | {precision:.3f} | {recall:.3f} |", flush=True)
    return [
        f"{name}: {'extra' if edge in found else 'missing'} {edge[0]} -> {edge[1]}"
        for edge in sorted(found ^ union)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*", default=["django", "homeassistant"])
    options = parser.parse_args()
    folder = options.folder.resolve()
    differing: list[str] = []
    try:
        programs = peers(folder)
        print("| | migrator | grimp | ruff | grimp or ruff | precision | recall |")
        print("|---|---|---|---|---|---|---|")
        for name in options.corpora:
            differing += compare(name, unpack(name, folder), programs)
    except Unreachable as error:
        print(f"not reachable: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"{error}\n{error.stderr or ''}", file=sys.stderr)
        return 2
    print("\n".join(["", *differing]))
    print(f"{', '.join(PEERS[1:])}.")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
