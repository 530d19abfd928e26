"""The graph of a project as it is now: the stored one, unless the sources have changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from migrator.graph import store
from migrator.graph.renewal import renew
from migrator.graph.summary import summarise
from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.progress import Progress
from migrator.model.settings import Settings

_T = TypeVar("_T")


def current_graph(root: Path, settings: Settings, progress: Progress) -> Graph:
    """The graph of the project in `root`, analysed anew and stored where it is stale or missing.

    Raises ConfigurationError as `build_graph` does.
    """
    found = _stored(store.load, root, settings)
    return _analysed(root, settings, progress) if found is None else found


def current_summary(root: Path, settings: Settings, progress: Progress) -> dict[str, Any]:
    """The figures of that graph, which is not read for it where it is current."""
    found = _stored(store.load_summary, root, settings)
    return summarise(_analysed(root, settings, progress)) if found is None else found


def _stored(load: Callable[[Path, Settings], _T], root: Path, settings: Settings) -> _T | None:
    """What is stored, renewed where that will do; None where it takes an analysis."""
    try:
        return load(root, settings)
    except ConfigurationError:
        return load(root, settings) if renew(root, settings) else None


def _analysed(root: Path, settings: Settings, progress: Progress) -> Graph:
    from migrator.graph.build import build_graph  # what is stored can be had without it

    graph = build_graph(root, settings, progress)
    store.save(graph, root, settings)
    return graph
