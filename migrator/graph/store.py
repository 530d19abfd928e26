"""The graph on disk: `.migrator/graph.msgpack`, with what it was made from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from migrator.facts.ir import FORMAT as FACTS_FORMAT
from migrator.facts.observation.session import observations_digest
from migrator.facts.project import digests_of
from migrator.facts.version import version_of
from migrator.graph.shared import Shared, put_back, taken_out
from migrator.graph.summary import summarise
from migrator.model.errors import ConfigurationError, Place
from migrator.model.graph import Graph, GraphColumns
from migrator.model.memory import without_collection
from migrator.model.private import PRIVATE
from migrator.model.settings import Settings

FORMAT = f"5/{FACTS_FORMAT}"
"""Goes up whenever a stored graph of before cannot be used any more."""

_MARK = b"migrator graph\n"
"""What such a file begins with; files of earlier versions do not."""
_LENGTH = 8
"""Bytes after it that say how long the head is; the graph follows it."""


class _Head(msgspec.Struct):
    """What the graph was made from, and what is asked of it most."""

    format: str
    digests: tuple[str, str]
    settings: str
    observed: str
    summary: dict[str, Any]


def path_of(root: Path) -> Path:
    """Where the graph of a project lies."""
    return root / PRIVATE / "graph.msgpack"


def save(graph: Graph, root: Path, settings: Settings) -> Path:
    """Store a graph, whole or not at all; gives the path."""
    path = path_of(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    program = graph.program
    head = _Head(
        _format(),
        (program.digest, program.beside),
        _settings(settings),
        program.observed.digest if program.observed else "",
        summarise(graph),
    )
    encoded = msgspec.msgpack.encode(head)
    columns = graph.to_columns()
    columns.program, shared = taken_out(program)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(draft, "wb") as file:
        file.write(_MARK)
        file.write(len(encoded).to_bytes(_LENGTH))
        file.write(encoded)
        file.write(msgspec.msgpack.encode((columns, shared)))
    draft.replace(path)
    return path


def load(root: Path, settings: Settings | None = None) -> Graph:
    """The stored graph of a project.

    With `settings`, the sources are compared with those that it was made from. Raises
    ConfigurationError where there is none, or where it is stale.
    """
    with _opened(root) as file:
        _check(_head(file), root, settings)
        with without_collection():
            stored = msgspec.msgpack.decode(file.read(), type=tuple[GraphColumns, Shared])
            columns, shared = stored
            put_back(columns.program, shared)
            graph = Graph.from_columns(columns)
    graph.program.root = str(root.resolve())  # the project may have been moved or copied since
    return graph


def load_summary(root: Path, settings: Settings) -> dict[str, Any]:
    """What `summarise` gave of the stored graph. Raises ConfigurationError as `load` does."""
    with _opened(root) as file:
        head = _head(file)
    _check(head, root, settings)
    return {**head.summary, "root": str(root.resolve())}


@contextmanager
def _opened(root: Path) -> Iterator[BinaryIO]:
    path = path_of(root)
    try:
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise ConfigurationError(
            "the project has not been analysed yet", place=Place(str(root)), hint=_hint(root)
        ) from None
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        raise ConfigurationError(
            "the stored graph cannot be read", place=Place(str(path)), hint=_hint(root)
        ) from None


def _head(file: BinaryIO) -> _Head:
    if file.read(len(_MARK)) != _MARK:
        raise msgspec.DecodeError("no graph, or one of an earlier version")
    length = int.from_bytes(file.read(_LENGTH))
    return msgspec.msgpack.decode(file.read(length), type=_Head)


def _check(head: _Head, root: Path, settings: Settings | None) -> None:
    """Raises ConfigurationError where the graph is of another version, or stale."""
    is_current = head.format == _format()
    if not (is_current or (settings is None and head.format.startswith(f"{FORMAT}/"))):
        raise ConfigurationError(
            "the stored graph is of another version",
            place=Place(str(path_of(root))),
            hint=_hint(root),
        )
    if settings is None:
        return
    if head.settings != _settings(settings) or head.digests != digests_of(root, settings):
        raise ConfigurationError(
            "the sources have changed since they were analysed",
            place=Place(str(root)),
            hint=_hint(root),
        )
    if head.observed != observations_digest(root):
        raise ConfigurationError(
            "more was observed since the sources were analysed",
            place=Place(str(root)),
            hint=_hint(root),
        )


def _hint(root: Path) -> str:
    return f"run: migrator analyze {root}"


def _format() -> str:
    return f"{FORMAT}/{version_of('facts', 'graph', 'model')}"


def _settings(settings: Settings) -> str:
    application = settings.run.application if settings.run is not None else ""
    return msgspec.json.encode((settings.sources, settings.exclude, application)).decode()
