"""What the passes of an analysis work on: the program and what the linker saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from migrator.model.graph import Graph
from migrator.model.program import Function, Program, StateKind
from migrator.model.progress import Progress
from migrator.model.settings import Settings

if TYPE_CHECKING:
    from migrator.facts.project import ProjectFacts
    from migrator.graph.effects.mapping import Mapping
    from migrator.graph.framework import Framework
    from migrator.graph.linking.linker import Linker
    from migrator.graph.protocol import Engine


class ModuleVariable(NamedTuple):
    """A name that a module (or class body) binds to something that can change."""

    name: str
    """Dotted: `package.module.NAME`."""
    file: str
    line: int
    values: tuple[int, ...]


class Mutation(NamedTuple):
    """Code that changes or reads what a module-level name holds."""

    variable: str
    function: str
    """Who does it; a module's own code has the module's name."""
    file: str
    line: int
    how: str
    """`global`, `item`, `attribute`, `method append`, `augmented`; `read`."""


class FileUse(NamedTuple):
    """Code that reads or writes a file on the local disk."""

    kind: str
    """`read` or `write`."""
    function: str
    file: str
    line: int
    how: str
    """The outside function that does it."""
    text: str = ""
    """The path, where it is written there."""
    setting: str = ""
    """The setting that names the folder, where an extension reads it."""


class Index(NamedTuple):
    """A full-text index that an extension keeps in files, one folder an index."""

    extension: str
    name: str
    """The folder's own name."""
    setting: str
    """The setting that names the folder above it; `folder` where it is not set."""
    folder: str
    tables: tuple[str, ...]
    searches: tuple[str, ...]
    """The methods that read it."""
    file: str
    line: int


class ProvidedFunction(NamedTuple):
    """A function without code."""

    calls: tuple[int, ...]
    """The values of the project's functions that it calls."""
    make: Callable[[], Function]
    """Gives it, once functions have their keys."""


@dataclass
class ExtensionState:
    """What the objects of a framework's class keep, and the functions that use them.

    Those that a cache decorates are among both.
    """

    kind: StateKind
    writers: set[str] = field(default_factory=set)
    readers: set[str] = field(default_factory=set)


@dataclass
class Analysis:
    """The state that passes share; each pass adds to `program` and `graph`.

    `graph.program` is `program`. After the linker, `program.functions` (and `.variants`) hold the
    events of each function's own body, in source order: calls of project functions,
    and effects that plug-ins recorded.
    """

    root: Path
    settings: Settings
    progress: Progress
    facts: ProjectFacts
    graph: Graph
    program: Program
    engine: Engine | None = None
    linker: Linker | None = None
    frameworks: tuple[Framework, ...] = ()
    module_variables: list[ModuleVariable] = field(default_factory=list)
    mutations: list[Mutation] = field(default_factory=list)
    mapping: Mapping | None = None
    """The object-relational mapping, once its plug-in has finished."""
    provided: dict[str, ProvidedFunction] = field(default_factory=dict)
    """Functions that frameworks provide in the name of the project's classes, by their keys in
    `Program.variants`."""
    file_uses: list[FileUse] = field(default_factory=list)
    extensions: dict[str, ExtensionState] = field(default_factory=dict)
    """By the dotted outside class."""
    indexes: list[Index] = field(default_factory=list)
    handlers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The values (functions, view classes) that run for an entry point, by its name."""
    around: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The hooks, as values, that run around an entry point."""
    uses: dict[str, set[tuple[int, int, str]]] = field(default_factory=dict)
    """Functions and variants to the places (line, column) where they read an attribute of an
    instance whose row a commit expires, with the row's table; line 0 is the function's end."""
    variants_at: dict[str, set[str]] = field(default_factory=dict)
    """What a place says of its function variant (`Site.variant`) to keys of `program.variants`."""
    context_reads: dict[str, set[str]] = field(default_factory=dict)
    """Functions to the request context that their own bodies read: `flask.g.member`."""
    context_writes: dict[str, set[str]] = field(default_factory=dict)
    starters: dict[str, str] = field(default_factory=dict)
    """Schedules that are threads to the functions that start them."""
    rendered: dict[str, set[str]] = field(default_factory=dict)
    """Functions to the templates that they render, with all that those extend and include."""
    after: set[int] = field(default_factory=set)
    """Those hooks that run after the handler."""
    aside: set[int] = field(default_factory=set)
    """Those hooks that run instead of the rest, when something fails."""


Pass = Callable[[Analysis], None]
"""A pass reads the analysis and adds to it; passes run in the order of `build.PASSES`."""
