"""The graph of a project as it is now: the stored one, unless the sources have changed."""

from __future__ import annotations

from pathlib import Path

from migrator.graph import store
from migrator.graph.build import build_graph
from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.progress import Progress
from migrator.model.settings import Settings


def current_graph(root: Path, settings: Settings, progress: Progress) -> Graph:
    """The graph of the project in `root`, analysed anew and stored where it is stale or missing.

    Raises ConfigurationError as `build_graph` does.
    """
    try:
        return store.load(root, settings)
    except ConfigurationError:
        graph = build_graph(root, settings, progress)
        store.save(graph, root, settings)
        return graph
