"""The graph on disk: `.migrator/graph.msgpack`, with what it was made from."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from migrator.facts.ir import FORMAT as FACTS_FORMAT
from migrator.facts.project import beside_digest, digest_of
from migrator.facts.version import version_of
from migrator.graph.observed import observations_digest
from migrator.model.errors import ConfigurationError, Place
from migrator.model.graph import Graph, GraphColumns
from migrator.model.memory import without_collection
from migrator.model.private import PRIVATE
from migrator.model.settings import Settings

FORMAT = f"3/{FACTS_FORMAT}"
"""Goes up whenever a stored graph of before cannot be used any more."""


class _Stored(msgspec.Struct):
    format: str
    digest: str
    settings: str
    beside: str
    graph: msgspec.Raw


def path_of(root: Path) -> Path:
    """Where the graph of a project lies."""
    return root / PRIVATE / "graph.msgpack"


def save(graph: Graph, root: Path, settings: Settings) -> Path:
    """Store a graph, whole or not at all; gives the path."""
    path = path_of(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = _Stored(
        _format(),
        graph.program.digest,
        _settings(settings),
        beside_digest(root, settings),
        msgspec.Raw(msgspec.msgpack.encode(graph.to_columns())),
    )
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.msgpack.encode(stored))
    draft.replace(path)
    return path


def load(root: Path, settings: Settings | None = None) -> Graph:
    """The stored graph of a project.

    With `settings`, the sources are compared with those that it was made from. Raises
    ConfigurationError where there is none, or where it is stale.
    """
    path = path_of(root)
    hint = f"run: migrator analyze {root}"
    try:
        stored = msgspec.msgpack.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        raise ConfigurationError(
            "the project has not been analysed yet", place=Place(str(root)), hint=hint
        ) from None
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        raise ConfigurationError(
            "the stored graph cannot be read", place=Place(str(path)), hint=hint
        ) from None
    is_current = stored.format == _format()
    if not (is_current or (settings is None and stored.format.startswith(f"{FORMAT}/"))):
        raise ConfigurationError(
            "the stored graph is of another version", place=Place(str(path)), hint=hint
        )
    if settings is not None and (
        stored.settings != _settings(settings)
        or stored.beside != beside_digest(root, settings)
        or stored.digest != digest_of(root, settings)
    ):
        raise ConfigurationError(
            "the sources have changed since they were analysed", place=Place(str(root)), hint=hint
        )
    with without_collection():
        graph = Graph.from_columns(msgspec.msgpack.decode(stored.graph, type=GraphColumns))
    graph.program.root = str(root.resolve())  # the project may have been moved or copied since
    observed = graph.program.observed
    if settings is not None and (observed.digest if observed else "") != observations_digest(root):
        raise ConfigurationError(
            "more was observed since the sources were analysed", place=Place(str(root)), hint=hint
        )
    return graph


def _format() -> str:
    return f"{FORMAT}/{version_of('facts', 'graph', 'model')}"


def _settings(settings: Settings) -> str:
    return msgspec.json.encode((settings.sources, settings.exclude)).decode()
