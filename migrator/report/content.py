"""What every report tells, whatever its format: analysis, plan and proof in one value."""

from __future__ import annotations

from typing import Literal

import msgspec

from migrator.model.plan import Datastore, Finding, Remedy, Step, Transport
from migrator.plan.score import Score
from migrator.proof.result import Proof
from migrator.report.retirement import Retirement

VERSION = 1
"""Of the shape that `report.schema.json` describes; goes up when a reader of before would break."""

SHARED = ""
"""The home of a module whose code no single service has for itself."""

LinkKind = Literal["replica", "call", "defer"]


class Observation(msgspec.Struct, kw_only=True):
    """What running the program showed beside what analysis says."""

    sessions: int
    accesses: int
    predicted: int
    """Of the accesses that were seen, those that analysis had predicted."""
    holes: list[str]


class Analysis(msgspec.Struct, kw_only=True):
    """The program in numbers."""

    modules: int
    lines: int
    functions: int
    tables: int
    entry_points: dict[str, int]
    """By kind."""
    edges: dict[str, int]
    """By kind."""
    confidence: dict[str, int]
    skipped: list[tuple[str, str]]
    """File and why."""
    unresolved: dict[str, int]
    """By reason."""
    frameworks: list[str]
    observed: Observation | None = None


class EntryView(msgspec.Struct, kw_only=True):
    """An entry point with what it does to tables."""

    name: str
    kind: str
    service: str
    address: str
    """Methods and rules of a route, or what triggers it."""
    reads: list[str]
    writes: list[str]
    waits_for: list[str]
    """Services that are called synchronously on its path."""
    added_ms: float
    """A forecast of what crossings add to an answer."""
    place: str


class ServiceView(msgspec.Struct, kw_only=True):
    """A service of the plan, with what a reader asks first."""

    name: str
    purpose: str
    remainder: bool
    order: int
    tables: list[str]
    entry_points: int
    routes: int
    replicas: list[tuple[str, str, str]]
    """Table, owner, freshness."""
    callers: list[str]
    """Services that call it synchronously."""
    datastore: Datastore
    maturity: str
    lines: int
    """Of the monolith's code that it has once it is generated; 0 when nothing was."""
    share: float
    """Of all lines in functions, those that it keeps."""
    blast_radius: float
    """The share of all routes that fail while it is down, of whichever service."""


class TableView(msgspec.Struct, kw_only=True):
    """A table, its owner, and who has a copy."""

    name: str
    owner: str
    columns: int
    writers: int
    """Entry points that may write it."""
    readers: int
    copies: list[str]
    place: str


class CrossingView(msgspec.Struct, kw_only=True):
    """A function whose writes belong to another service."""

    source: str
    target: str
    function: str
    remedy: Remedy
    transport: Transport
    tables: list[str]
    because: str
    at: list[str]
    entry_points: list[str]
    """Of the calling service, those that may reach it."""
    decided: bool
    """Whether `generate` carries it over as it stands, and nobody has to decide anything first."""


class StateView(msgspec.Struct, kw_only=True):
    """State kept in the process or on its disk."""

    name: str
    kind: str
    services: list[str]
    remedy: str
    because: str
    at: str


class Link(msgspec.Struct, kw_only=True, frozen=True):
    """What ties two services: an arrow of the map."""

    source: str
    target: str
    kind: LinkKind
    what: list[str]
    """Tables that are copied, or functions that are called."""


class ModuleView(msgspec.Struct, kw_only=True):
    """A module, and the service where its code is at home."""

    name: str
    file: str
    lines: int
    home: str
    """A service, or empty: no single service has it for itself."""
    services: list[str]
    """Services that have code of it."""


class Dependency(msgspec.Struct, array_like=True, frozen=True):
    """What one module uses of another, as positions in `modules` and counts of places."""

    source: int
    target: int
    imports: int
    calls: int
    """Calls and instantiations."""
    inherits: int
    line: int
    """Of one such place in the source, calls first."""


class ProposalView(msgspec.Struct, kw_only=True):
    """One way to cut, in figures that can be laid beside another's."""

    name: str
    trade_off: str
    chosen: bool
    """It is the plan that the rest of the report tells of."""
    score: Score
    against: list[str] = []
    """Why the code does not fit it any more."""
    differs: list[str] = []
    """Tables that are elsewhere than in the plan, in words."""


class Content(msgspec.Struct, kw_only=True):
    """All that a report tells; parts of which there is nothing yet are empty."""

    application: str
    program: str
    """Name and version of what wrote it."""
    analysis: Analysis
    services: list[ServiceView] = []
    links: list[Link] = []
    crossings: list[CrossingView] = []
    tables: list[TableView] = []
    entry_points: list[EntryView] = []
    state: list[StateView] = []
    findings: list[Finding] = []
    roadmap: list[Step] = []
    proposals: list[ProposalView] = []
    score: Score | None = None
    """The plan in figures."""
    stale: list[str] = []
    """What has changed in the code, or contradicts it, since the plan was made."""
    modules: list[ModuleView] = []
    dependencies: list[Dependency] = []
    retirement: Retirement | None = None
    """What still needs the old code, where services run."""
    proof: Proof | None = None
    version: int = VERSION
