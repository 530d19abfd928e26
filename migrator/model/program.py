"""What is known of the analysed program beyond bare edges: the details that later stages need.

All names are dotted from a source root (`package.module.Class.method`, `module.function.inner`);
files are relative to the project's root with `/`; lines count from 1, columns from 0 as in `ast`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

ParameterKind = Literal["positional-only", "positional", "var-positional", "keyword", "var-keyword"]

EventKind = Literal[
    "read", "write", "call", "commit", "rollback", "flush", "begin", "emit", "render"
]
"""What a template does, which `render` renders, are events at the same place."""

Operation = Literal["", "insert", "update", "delete"]

EntryKind = Literal["route", "task", "schedule", "command", "process", "signal", "message"]
"""`process` is a long-running module of the application itself (a worker's main loop), `message`
what a client sends over a connection that it holds open (Socket.IO).

Hooks that run around requests are no entry points: each route lists them in `hooks`.
"""

StateKind = Literal[
    "module-mutable",
    "session",
    "cache",
    "rate-limit",
    "local-file",
    "index",
    "thread",
    "timer",
    "job",
    "singleton",
    "secret",
]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter; `types` are the dotted classes that arguments were seen or declared to have."""

    name: str
    kind: ParameterKind = "positional"
    default: bool = False
    types: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a function's own body does, in source order.

    `target` is a table (read, write), a function (call), a signal or topic (emit), or empty.
    The place is that of the whole expression, so that a call can be rewritten.
    """

    kind: EventKind
    target: str = ""
    line: int
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    via: str = ""
    """How it is known: `session.add`, `attribute`, `query`, `cascade Member.profiles`, `sql`."""
    columns: tuple[str, ...] = ()
    """The columns read or written, where they are known; empty means all."""
    operation: Literal["", "insert", "update", "delete"] = ""
    in_loop: bool = False
    conditional: bool = False
    result_used: bool = True
    handled: bool = False
    """It stands in a `try` whose `except` may catch what it raises."""
    variant: str = ""
    """For a call: the variant of `target` that runs, a key of `Program.variants`."""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function, method or module body (`<module>` code has the module's own name)."""

    name: str
    file: str
    line: int
    end_line: int
    parameters: tuple[Parameter, ...] = ()
    returns: tuple[str, ...] = ()
    """Dotted classes of what it may return; `list[...]` around what a list or query holds."""
    raises: tuple[str, ...] = ()
    """Dotted exception classes that may leave it, through every call."""
    decorators: tuple[str, ...] = ()
    is_generator: bool = False
    is_async: bool = False
    context_reads: tuple[str, ...] = ()
    """Request context that it or what it calls reads: `flask.g.member`, `flask.request`."""
    context_writes: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One URL rule of an entry point, as the framework's own syntax (`/titles/<int:id>`)."""

    rule: str
    methods: tuple[str, ...]
    """Without HEAD and OPTIONS where the framework adds them by itself."""
    defaults: dict[str, str] = {}
    subdomain: str = ""
    strict_slashes: bool = True


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """That an entry point may read or write a table, with the shortest call path as evidence."""

    table: str
    path: tuple[str, ...]
    """Function names from the handler (or hook) to the function that touches the table."""
    file: str
    line: int
    via: str = ""
    columns: tuple[str, ...] = ()
    operation: Literal["", "insert", "update", "delete"] = ""
    confidence: Literal["proven", "observed", "likely"] = "proven"
    in_hook: bool = False
    """It happens in code that runs around every request, not in the handler's own calls."""
    count: int = 0


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """Writes that are committed together on one way through an entry point."""

    tables: tuple[str, ...]
    file: str
    line: int
    """Where it is committed."""
    function: str = ""
    """The function whose body commits."""


class EntryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the outside enters: the unit that a service is made of.

    `name` is stable and unique: `route:ENDPOINT`, `task:NAME`, `schedule:NAME`, `command:NAME`,
    `process:MODULE`, `signal:FUNCTION`.
    """

    name: str
    kind: EntryKind
    handler: str
    """The function (or class, for class-based views) that runs."""
    file: str
    line: int
    framework: str = ""
    endpoint: str = ""
    routes: tuple[Route, ...] = ()
    trigger: str = ""
    """The schedule, signal, queue or command that sets it off."""
    hooks: tuple[str, ...] = ()
    """Functions that run around it: before, after and teardown hooks, loaders, processors."""
    reads: tuple[Access, ...] = ()
    writes: tuple[Access, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    functions: tuple[str, ...] = ()
    """Every function of the project that it may reach, hooks included, sorted."""
    templates: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    """Functions, or variants of them by key, whose bodies run when the handler is called."""
    hook_roots: tuple[str, ...] = ()
    """The same for `hooks`."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column as the code declares it."""

    name: str
    type: str = ""
    attribute: str = ""
    """The model's attribute, where its name differs from the column's."""
    nullable: bool = True
    primary_key: bool = False
    unique: bool = False
    references: str = ""
    """`table.column` of its foreign key; a table of a schema has that before its name."""
    on_delete: str = ""

    @property
    def referred(self) -> str:
        """The table that its foreign key refers to; empty where it has none."""
        return self.references.rpartition(".")[0]


class Relationship(msgspec.Struct, frozen=True, kw_only=True):
    """An ORM relationship of a model; `backref`s appear on both sides."""

    name: str
    target: str
    """The target's model, dotted."""
    cascades: tuple[str, ...] = ("save-update", "merge")
    secondary: str = ""
    back_populates: str = ""
    passive_deletes: bool = False
    many: bool = True


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table and, where it has one, the model mapped to it."""

    name: str
    file: str
    line: int
    model: str = ""
    columns: tuple[Column, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    framework: str = ""


class StateFinding(msgspec.Struct, frozen=True, kw_only=True):
    """State kept in the process or on its disk: what keeps a server from being stateless."""

    kind: StateKind
    name: str
    """The dotted variable, function or setting."""
    file: str
    line: int
    detail: str = ""
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    path: str = ""
    """Of files and indexes the folder, below the project or as `{data}/...`; empty: not known."""
    tables: tuple[str, ...] = ()
    """Of an index the tables whose every write is also one of it."""


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A file that could not be read, with why; a result of its own, not an absence."""

    file: str
    reason: str
    line: int = 0


class Unresolved(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be resolved and was not guessed."""

    reason: str
    """One of a small fixed set, so that they can be counted: `dynamic call`, `unknown receiver`."""
    function: str
    file: str
    line: int
    detail: str = ""


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """An access to a table that was seen running and that analysis had not predicted."""

    entry_point: str
    kind: Literal["read", "write"]
    table: str
    operation: Operation = ""
    path: tuple[str, ...] = ()
    """The project's functions on the stack, from the outermost in."""
    file: str = ""
    line: int = 0
    statement: str = ""
    count: int = 0
    in_hook: bool = False
    known: bool = True
    """Whether analysis knows the entry point at all."""
    folder: str = ""
    """Of files, in place of a table."""


class Unseen(msgspec.Struct, frozen=True, kw_only=True):
    """A predicted access that a run with full branch coverage did not show."""

    entry_point: str
    kind: Literal["read", "write"]
    table: str
    file: str
    line: int
    via: str = ""


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What running the program showed beside what analysis says.

    An access is an entry point, a table, and whether it was read or written.
    """

    digest: str
    """Of the records that were merged."""
    sessions: int = 0
    processes: int = 0
    statements: int = 0
    """Executed below entry points of the project."""
    ran: tuple[str, ...] = ()
    """Entry points that ran."""
    accesses: int = 0
    predicted: int = 0
    """Of the accesses seen, those that analysis had predicted."""
    covered: tuple[str, ...] = ()
    """Entry points that took every branch of their handler, and of all that only they entered."""
    covered_accesses: int = 0
    """Predicted for those."""
    covered_seen: int = 0
    calls: int = 0
    """Pairs of functions of the project of which one was seen to call the other directly."""
    calls_predicted: int = 0
    files: int = 0
    """Accesses to files: an entry point, a folder in which files are kept, read or written."""
    files_predicted: int = 0
    holes: tuple[Hole, ...] = ()
    """Writes first."""
    unseen: tuple[Unseen, ...] = ()
    foreign: tuple[str, ...] = ()
    """Entry points that ran and that installed packages bring; no part of the rates."""
    outside: dict[str, tuple[str, ...]] = {}
    """Tables that installed packages keep for themselves, by package; no part of the rates."""


class Program(msgspec.Struct, kw_only=True):
    """All details of one analysed program, by name."""

    root: str = ""
    """The absolute path of the analysed project."""
    application: str = ""
    """What every process of it makes when it starts, `module:attribute` or `module:factory()`."""
    digest: str = ""
    """Of all source files that were read."""
    beside: str = ""
    """The same of the templates and statements that lie beside them."""
    files: dict[str, str] = {}
    """Those source files, to the digest of each."""
    source_roots: list[str] = []
    modules: dict[str, str] = {}
    """Dotted module to file."""
    lines: int = 0
    functions: dict[str, Function] = {}
    """By name; the events of a function with variants are those of all its variants together."""
    variants: dict[str, Function] = {}
    """Functions as they act in one context, by a name such as `shop.Saved.save[shop.Order]`."""
    classes: dict[str, tuple[str, ...]] = {}
    """Dotted class to its bases, in C3 order, itself left out; outside classes dotted in full."""
    tables: dict[str, Table] = {}
    enforces_keys: str = ""
    """`file:line` at which SQLite is told to enforce foreign keys; empty: it does not."""
    entry_points: dict[str, EntryPoint] = {}
    hooks: tuple[str, ...] = ()
    """Functions that act on the whole application: hooks, loaders, error handlers, processors."""
    state: list[StateFinding] = []
    externals: dict[str, list[str]] = {}
    """External system (HTTP host setting, command, bucket) to the functions that call it."""
    environment: dict[str, list[str]] = {}
    """Environment or configuration key to the places (`file:line`) that read it."""
    distributions: dict[str, list[str]] = {}
    """Outside top-level import name to the modules that import it."""
    templates: dict[str, str] = {}
    """Template name to file."""
    frameworks: list[str] = []
    skipped: list[Skipped] = []
    tests: list[str] = []
    """Files of the application's tests, which nothing else imports: left out of the analysis."""
    unresolved: list[Unresolved] = []
    observed: Observed | None = None
    """None when nothing was recorded by `migrator observe`."""
