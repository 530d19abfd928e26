"""How many of the calls that a project's tests make were predicted.

    python benchmarks/observed_calls.py PROJECT [--package FOLDER] [--misses] -- COMMAND...

Runs COMMAND in the folder PROJECT, in whose environment it runs, and records each pair of functions
below FOLDER that call each other (`call_recorder.py`); then analyses PROJECT as `migrator analyze`
does and prints how many of these pairs are edges: of the direct calls, and of those where code of
others stands in between (`map`, a framework, a decorator from a library). Nothing is downloaded and
nothing is left in the project.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from migrator.facts.settings import load_settings
from migrator.graph.build import build_graph
from migrator.model.graph import EdgeKind, Graph, NodeKind
from migrator.model.progress import Silent

Place = tuple[str, int, str]
"""File below the project, first line, name: what a code object tells of itself."""


def record(project: Path, command: list[str]) -> dict[tuple[Place, Place], bool]:
    """Pairs of caller and callee that the command showed, and whether one was direct."""
    with tempfile.TemporaryDirectory() as scratch:
        probe, found = Path(scratch, "probe"), Path(scratch, "found")
        probe.mkdir()
        found.mkdir()
        shutil.copy(Path(__file__).parent / "call_recorder.py", probe / "sitecustomize.py")
        path = os.pathsep.join(filter(None, (str(probe), os.environ.get("PYTHONPATH"))))
        settings = {"PYTHONPATH": path, "CALLS_ROOT": str(project), "CALLS_FOLDER": str(found)}
        subprocess.run(command, cwd=project, env={**os.environ, **settings}, check=False)
        pairs: dict[tuple[Place, Place], bool] = {}
        for file in found.glob("*.json"):
            for caller, callee, direct in json.loads(file.read_text()):
                key = (_place(caller), _place(callee))
                pairs[key] = pairs.get(key, False) or direct
        return pairs


def _place(written: list[str | int]) -> Place:
    file, line, name = written
    return str(file), int(line), str(name)


class Names:
    """From places of code objects to functions of the graph."""

    def __init__(self, project: Path, graph: Graph) -> None:
        self._project = project
        self._modules = {file: name for name, file in graph.program.modules.items()}
        self._files: dict[str, dict[tuple[int, str], str]] = {}
        self._lambdas: dict[tuple[str, int], set[int]] = {}
        self._functions: dict[str, int] = {}
        for node in graph.nodes(NodeKind.FUNCTION):
            self._functions[node.name] = node.id
            if "<lambda" in node.name.rpartition(".")[2]:
                self._lambdas.setdefault((node.file, node.line), set()).add(node.id)

    def nodes(self, place: Place) -> set[int]:
        """The nodes that it may be: more than one where lambdas share a line."""
        file, line, name = place
        module = self._modules.get(file)
        if module is None:
            return set()
        if name == "<lambda>":
            return self._lambdas.get((file, line), set())
        dotted = self._of_file(file).get((line, name), "") if name != "<module>" else ""
        if name != "<module>" and not dotted:
            return set()
        node = self._functions.get(f"{module}.{dotted}".rstrip(".").replace("..", "."))
        return {node} if node is not None else set()

    def _of_file(self, file: str) -> dict[tuple[int, str], str]:
        known = self._files.get(file)
        if known is None:
            tree = ast.parse((self._project / file).read_bytes())
            known = self._files[file] = dict(_definitions(tree, "", "."))
        return known


def _definitions(node: ast.AST, prefix: str, owner: str) -> Iterator[tuple[tuple[int, str], str]]:
    """First line and name of all code below, with the dotted name of its function.

    `owner` is the function around, to which a class's body and a generator expression belong.
    """
    for child in ast.iter_child_nodes(node):
        inner, inner_owner = prefix, owner
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            line = min([child.lineno, *(each.lineno for each in child.decorator_list)])
            name = f"{prefix}{child.name}"
            inner = f"{name}."
            inner_owner = owner if isinstance(child, ast.ClassDef) else name
            yield (line, child.name), inner_owner
        elif isinstance(child, ast.GeneratorExp):
            yield (child.lineno, "<genexpr>"), owner
        yield from _definitions(child, inner, inner_owner)


def rate(project: Path, package: str, pairs: dict[tuple[Place, Place], bool], misses: bool) -> None:
    """Print how many of the pairs below the folder are edges, and which are not."""
    graph = build_graph(project, load_settings(project), Silent())
    names = Names(project, graph)
    predicted = {(edge.source.id, edge.target.id) for edge in graph.edges(EdgeKind.CALLS)}
    seen: dict[tuple[int, int], bool] = {}
    for (caller, callee), direct in pairs.items():
        if not caller[0].startswith(package) or not callee[0].startswith(package):
            continue
        ends = {(a, b) for a in names.nodes(caller) for b in names.nodes(callee)}
        if ends:
            pair = min(ends & predicted, default=min(ends))
            seen[pair] = seen.get(pair, False) or direct
    for title, kind in (("direct", True), ("through code of others", False)):
        those = {pair for pair, direct in seen.items() if direct is kind}
        found = len(those & predicted)
        print(f"{title}: {found} of {len(those)} predicted ({found / max(len(those), 1):.3f})")
        if misses:
            for source, target in sorted(those - predicted):
                print(f"  missed {graph.node(source).name} -> {graph.node(target).name}")


def main() -> None:
    """Record and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--package", default="", help="count calls between functions below it")
    parser.add_argument("--misses", action="store_true", help="print the pairs not predicted")
    arguments, command = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1 :]
    given = parser.parse_args(arguments)
    project = given.project.resolve()
    rate(project, given.package, record(project, command), given.misses)


if __name__ == "__main__":
    main()
