"""The one table of export formats: adding one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from migrator.facts.project import read_project, read_stubs
from migrator.graph import store
from migrator.graph.build import CALL_PASSES, build_graph
from migrator.graph.imports import import_graph
from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.progress import Progress
from migrator.model.settings import Settings
from migrator.report.graph import dot, graphml, imports, json, mermaid, partition, pycg
from migrator.report.graph.links import Links, gather, gather_modules

Writer = Callable[[Path, Settings, Progress, bool], str]
"""Folder, settings, progress, whether functions and classes are folded into modules -> text."""


def _pycg(root: Path, settings: Settings, progress: Progress, folded: bool) -> str:
    return pycg.render(build_graph(root, settings, progress, CALL_PASSES))


def _imports(root: Path, settings: Settings, progress: Progress, folded: bool) -> str:
    facts = read_project(root, settings, progress)
    return imports.render(import_graph(facts, read_stubs(facts, settings)))


def _whole(render: Callable[[Links], str]) -> Writer:
    def write(root: Path, settings: Settings, progress: Progress, folded: bool) -> str:
        graph = _graph(root, settings, progress)
        return render(gather_modules(graph) if folded else gather(graph))

    return write


def _graph(root: Path, settings: Settings, progress: Progress) -> Graph:
    """The stored graph, or a new one that is not stored: the folder may be anybody's."""
    try:
        return store.load(root, settings)
    except ConfigurationError:
        return build_graph(root, settings, progress)


FORMATS: dict[str, Writer] = {
    "pycg": _pycg,
    "imports": _imports,
    "from-graph": lambda root, settings, progress, _: partition.render(
        _graph(root, settings, progress)
    ),
    "json": _whole(json.render),
    "dot": _whole(dot.render),
    "graphml": _whole(graphml.render),
    "mermaid": lambda root, settings, progress, _: _whole(mermaid.render)(
        root, settings, progress, True
    ),
}
FOLDABLE = ("json", "dot", "graphml")
