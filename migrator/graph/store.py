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

FORMAT = f"6/{FACTS_FORMAT}"
"""Goes up whenever a stored graph of before cannot be used any more."""

_MARK = b"migrator graph\n"
"""What such a file begins with; files of earlier versions do not."""
_LENGTH = 8
"""Bytes after it that say how long the head is; the graph follows it."""


class Head(msgspec.Struct, frozen=True):
    """What the graph was made from, and what is asked of it most."""

    format: str
    digests: tuple[str, str]
    settings: str
    observed: str
    summary: dict[str, Any]
    files: dict[str, str]
    """`Program.files`, which is not stored there."""
    tests: tuple[str, ...]
    """`Program.tests`."""


def path_of(root: Path) -> Path:
    """Where the graph of a project lies."""
    return root / PRIVATE / "graph.msgpack"


def save(graph: Graph, root: Path, settings: Settings) -> Path:
    """Store a graph, whole or not at all; gives the path."""
    columns = graph.to_columns()
    columns.program, shared = taken_out(graph.program)
    return write(root, settings, columns, shared, summarise(graph))


def write(
    root: Path,
    settings: Settings,
    columns: GraphColumns,
    shared: Shared,
    summary: dict[str, Any],
) -> Path:
    """Store a graph of which `taken_out` has made these, and what `summarise` gave of it."""
    path = path_of(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    program = columns.program
    head = Head(
        _format(),
        (program.digest, program.beside),
        _settings(settings),
        program.observed.digest if program.observed else "",
        summary,
        program.files,
        tuple(program.tests),
    )
    encoded = msgspec.msgpack.encode(head)
    columns.program = msgspec.structs.replace(program, files={})
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
    with opened(root) as file:
        head = head_of(file)
        _check(head, root, settings)
        with without_collection():
            columns, shared = body_of(file)
            put_back(columns.program, shared)
            graph = Graph.from_columns(columns)
    graph.program.files = head.files
    graph.program.root = str(root.resolve())  # the project may have been moved or copied since
    return graph


def load_summary(root: Path, settings: Settings) -> dict[str, Any]:
    """What `summarise` gave of the stored graph. Raises ConfigurationError as `load` does."""
    with opened(root) as file:
        head = head_of(file)
    _check(head, root, settings)
    return {**head.summary, "root": str(root.resolve())}


@contextmanager
def opened(root: Path) -> Iterator[BinaryIO]:
    """The file of the stored graph, for `head_of` and then `body_of`.

    Raises ConfigurationError where there is none, or where these cannot read it.
    """
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


def head_of(file: BinaryIO) -> Head:
    """What stands in front of a stored graph."""
    if file.read(len(_MARK)) != _MARK:
        raise msgspec.DecodeError("no graph, or one of an earlier version")
    length = int.from_bytes(file.read(_LENGTH))
    return msgspec.msgpack.decode(file.read(length), type=Head)


def body_of(file: BinaryIO) -> tuple[GraphColumns, Shared]:
    """The graph that follows the head, and what `taken_out` took out of its program."""
    return msgspec.msgpack.decode(file.read(), type=tuple[GraphColumns, Shared])


def same_maker(head: Head, settings: Settings) -> bool:
    """Whether a stored graph was made by this tool and with these settings."""
    return head.format == _format() and head.settings == _settings(settings)


def _check(head: Head, root: Path, settings: Settings | None) -> None:
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
    if not same_maker(head, settings) or head.digests != digests_of(root, settings):
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
