"""`service.json`: what a generated service says of itself, to its servicekit and to later stages.

Generation writes it, `servicekit` (which cannot import migrator) reads it as plain JSON, and
operation and proof read it through these types. Everything machine-dependent (ports, addresses,
credentials, folders) comes from the environment instead.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from migrator.model.plan import Freshness, Remedy, Transport


class OwnedTable(msgspec.Struct, kw_only=True):
    """A table that the service owns. `published`: siblings hold replicas of it."""

    key: list[str]
    """Primary key columns; empty: the whole row is the key."""
    published: bool = False


class ReplicaTable(msgspec.Struct, kw_only=True):
    """A table that the service holds a copy of."""

    owner: str
    key: list[str]
    freshness: Freshness = "strict"
    when_late: Literal["stale", "refuse"] = "stale"


class UsedFolder(msgspec.Struct, kw_only=True):
    """A folder of files that the service uses, perhaps together with others."""

    owner: str
    writes: bool = False
    """Whether the service may write it."""
    kind: Literal["files", "index"] = "files"
    places: list[str] = []
    """Where the code looks for it, below the service's folder; for one in `{data}` nowhere else."""


class RouteRule(msgspec.Struct, kw_only=True):
    """A URL rule in the framework's syntax."""

    rule: str
    methods: list[str]
    defaults: dict[str, str] = {}
    strict_slashes: bool = True


class OwnRoute(msgspec.Struct, kw_only=True):
    """A route that this service answers."""

    entry_point: str
    rules: list[RouteRule]
    replicas_of: list[str] = []
    """Owners whose replicas it reads (hooks included): caught up with before it runs."""
    depends_on: list[str] = []
    """Services that are called synchronously on its path."""
    commands_of: list[str] = []
    """Services whose deferred commands may change what it reads: delivered before it runs."""


class KeptRoute(OwnRoute, kw_only=True):
    """A route of another service, just taken out, whose reads this one answers from replicas."""

    service: str


class ForeignRoute(msgspec.Struct, kw_only=True):
    """A route that a sibling answers: it can be linked to, and must not be served here."""

    service: str
    rules: list[RouteRule]


class OutgoingCall(msgspec.Struct, kw_only=True):
    """A function whose body was cut out here and runs at its owner."""

    owner: str
    remedy: Remedy
    transport: Transport = "rest"
    unit: Literal["function", "rows"] = "function"
    tables: list[str] = []
    """The owner's tables that it writes; for `unit: rows` the replicas whose changes are sent."""
    columns: dict[str, list[str]] = {}
    """For `unit: rows`: table to the columns that may change; a table left out: any column."""
    raises: list[str] = []
    """Dotted exception classes that may come back."""
    context: list[str] = []
    """Request context that travels: `flask.g.member`, `flask.request.headers`."""


class ServedCall(msgspec.Struct, kw_only=True):
    """A function that siblings may call here, by its dotted name."""

    module: str
    qualname: str
    raises: list[str] = []
    callers: list[str] = []


class Registry(msgspec.Struct, kw_only=True):
    """What the started service must have registered, sorted; its own test compares."""

    tables: list[str] = []
    relationships: list[str] = []
    """`Model.name(cascade,cascade)`"""
    rules: list[str] = []
    """`ENDPOINT RULE` of its own routes."""
    hooks: list[str] = []
    """Functions that something else than their module holds on to."""
    application_wide: list[str] = []
    """`KIND FUNCTION` of hooks, error handlers and filters that act on every request."""


class ServiceManifest(msgspec.Struct, kw_only=True):
    """One generated service."""

    name: str
    application: str
    """`package.module:attribute` or `package.module:factory()`, as in the monolith."""
    python: str = "python3"
    version: int = 1
    remainder: bool = False
    framework: str = "flask"
    database_variable: str = "DATABASE_URL"
    fixed_database: str = ""
    """The name of the SQLite file that the code itself names, if it does."""
    tables: dict[str, OwnedTable] = {}
    replicas: dict[str, ReplicaTable] = {}
    routes: dict[str, OwnRoute] = {}
    """By endpoint."""
    kept_routes: dict[str, KeptRoute] = {}
    """By endpoint: routes of another service whose reads this one can still answer."""
    foreign_routes: dict[str, ForeignRoute] = {}
    """By endpoint."""
    calls: dict[str, OutgoingCall] = {}
    """By dotted function; of rows that it changes at further owners, `FUNCTION@OWNER`."""
    serves: dict[str, ServedCall] = {}
    """By dotted function."""
    processes: dict[str, str] = {}
    """Processes beside web, calls and feed: the monolith's workers that went with this service."""
    shared_state: list[str] = []
    rate_limits: list[str] = []
    """Those of them that count how often clients ask."""
    random_settings: list[str] = []
    """Settings that the application draws by chance: one value for all processes of a system."""
    folders: dict[str, UsedFolder] = {}
    """By path in the monolith or `{data}/`: folders of files that code or an extension keeps."""
    descriptions: dict[str, str] = {}
    """Endpoints of packages that describe the whole API, to the file with what they answer."""
    environment: dict[str, str] = {}
    """The application's own variables, with `{data}`, `{base_url}`, `{port:NAME}` placeholders."""
    startup_seconds: float = 30.0
    registry: Registry = msgspec.field(default_factory=Registry)
    lines: int = 0
    copied_functions: list[str] = []


class System(msgspec.Struct, kw_only=True):
    """`system.json` beside the services: the whole that was generated together."""

    services: list[str]
    default_service: str
    """Answers unknown paths and static files."""
    plan_digest: str
    program_digest: str
    monolith: str
    """Absolute path of the monolith's root."""
    monolith_lines: int = 0
    version: int = 1
    remainder: str = ""
    """The service that is what remains of the monolith; empty: nothing does."""
    in_transition: list[str] = []
    """Services whose reads the remainder can answer as well."""
