"""The plan: what people review and edit before anything is generated. Values only.

`tables`, `entry_points` and the remedies are the architect's to decide. `replicas` and `calls`
follow from them; what a person set there (freshness, transport, remedy) is kept.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from migrator.model.settings import Demands

Remedy = Literal["copy", "call", "defer", "row-write", "merge", "saga"]
"""What pays for a write that crosses an owner.

`copy`: the code is copied, since it writes nothing foreign. `call`: a synchronous remote call of
the function. `defer`: an idempotent command in the caller's outbox, applied by the owner.
`row-write`: the code is copied, and the rows that it changes are sent to their owner.
`merge` and `saga` are decisions that stop generation until the plan is changed.
"""

Freshness = Literal["strict", "session", "eventual"]
Transport = Literal["rest", "thrift", "kafka"]
DatastoreStatus = Literal["generated", "advice"]


class Replica(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A read-only copy of another service's table."""

    owner: str
    freshness: Freshness = "strict"
    when_late: Literal["stale", "refuse"] = "stale"


class Crossing(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A function whose writes belong to another service, cut out of this one."""

    function: str
    owner: str
    remedy: Remedy = "call"
    transport: Transport = "rest"
    unit: Literal["function", "rows"] = "function"
    """What `defer` sends: the function with its arguments, or the changed rows."""
    tables: list[str] = []
    """The owner's tables that it writes."""
    because: str = ""
    at: list[str] = []
    """Places of the calls, `file:line`."""


class StoreAdvice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A store of another kind that some of a service's data would be better kept in."""

    kind: str
    engine: str
    tables: list[str] = []
    """Empty for files."""
    status: DatastoreStatus = "advice"
    because: str = ""
    at: list[str] = []
    """Places of the evidence, `file:line`."""


class Datastore(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a service keeps its tables."""

    engine: str = "sqlite"
    kind: str = "relational"
    status: DatastoreStatus = "generated"
    because: str = ""
    advice: list[StoreAdvice] = []


class StateRemedy(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What becomes of a state finding in this service.

    `shared`: kept in the service's own state store, for all its processes. `request`: emptied
    for each request. `volume`: a folder of the service's own. `lease`: runs in one process at a
    time. `environment`: read from the environment. `keep`: as it is, since it is harmless.
    """

    name: str
    kind: str
    remedy: Literal["shared", "request", "volume", "lease", "environment", "keep"]
    because: str = ""
    at: str = ""


class Folder(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A folder of files that a service uses, below the project or in `{data}`.

    Services that use the same one have it in common: a volume that its owner writes.
    """

    owner: str
    kind: Literal["files", "index"] = "files"
    writes: bool = False
    """Whether this service writes it; only its owner should."""
    advice: str = ""
    """What would serve better than a volume that services share."""
    because: str = ""
    at: str = ""


class Service(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A set of owned tables, the entry points that write them, and what follows."""

    purpose: str = ""
    remainder: bool = False
    order: int = 0
    """When it is taken out, from 1 on; the remainder has 0."""
    tables: list[str] = []
    entry_points: list[str] = []
    also_answers: list[str] = []
    """Entry points of a service just taken out whose reads it can still answer, from replicas."""
    replicas: dict[str, Replica] = {}
    """Table to where its copy comes from."""
    calls: list[Crossing] = []
    datastore: Datastore = msgspec.field(default_factory=Datastore)
    state: list[StateRemedy] = []
    folders: dict[str, Folder] = {}
    """Path to the folder of files: the application's own code and extensions keep them there."""
    maturity: str = ""

    @property
    def answered(self) -> list[str]:
        """All entry points whose code is in the service."""
        return [*self.entry_points, *self.also_answers]


class Gate(msgspec.Struct, kw_only=True):
    """What must hold of a service before the old code that it replaces is deleted."""

    days: int = 14
    """On which both sides were asked and answered equally, since they last did not."""
    coverage: float = 0.8
    """Of its routes, the share that it has answered."""


class Origin(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the plan was made from; each digest is of the facts that the plan relies on."""

    program: str = ""
    engine: str = ""
    """The version of the analysis: digests of facts of another cannot be compared."""
    decisions: str = ""
    """Of tables and entry points as the plan gave them to services when it was written."""
    entry_points: dict[str, str] = {}
    tables: dict[str, str] = {}
    functions: dict[str, str] = {}
    folders: dict[str, str] = {}


class Finding(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Something that the plan says to its reader: a cost, a split, a decision that is due."""

    kind: str
    subject: str
    message: str
    at: str = ""
    hint: str = ""
    """What can be done about it."""


class Step(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One step of the roadmap: a state that runs, and from which there is a way back."""

    step: int
    title: str
    service: str = ""
    """The service that it takes out, if it takes one out."""
    runs: str = ""
    """What runs once it is done."""
    because: str = ""
    """Why it comes now: what it costs, and what it is worth."""
    commands: list[str] = []
    check: str = ""
    """The command that exits with 0 when the step is done."""
    back: str = ""
    """How it is undone."""


class Plan(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A whole plan, as `migrator.plan.yaml` holds it."""

    version: int = 1
    application: str = ""
    proposal: str = ""
    """The name of the proposal that it began as."""
    demands: Demands = Demands()
    """What was demanded of the proposal, and is again when the plan is proposed anew."""
    gate: Gate = msgspec.field(default_factory=Gate)
    remedies: dict[str, Remedy] = {}
    """A function to what pays for all its crossings, whichever services run it."""
    services: dict[str, Service] = {}
    roadmap: list[Step] = []
    findings: list[Finding] = []
    made_from: Origin = msgspec.field(default_factory=Origin)

    def in_transition(self) -> dict[str, str]:
        """Each entry point that two services can answer to the one that is not its own."""
        return {
            entry: name
            for name, service in sorted(self.services.items())
            for entry in service.also_answers
        }

    def remedy_of(self, call: Crossing) -> Remedy:
        """What pays for a crossing: what is decided of its function, or what stands at it."""
        return self.remedies.get(call.function, call.remedy)

    def owner_of(self, table: str) -> str | None:
        """The service that owns a table, or None."""
        return next((name for name, s in self.services.items() if table in s.tables), None)

    def owners(self) -> dict[str, str]:
        """Tables to the services that own them."""
        return {table: name for name, each in self.services.items() for table in each.tables}

    def service_of(self, entry_point: str) -> str | None:
        """The service that has an entry point, or None."""
        return next(
            (name for name, s in self.services.items() if entry_point in s.entry_points), None
        )
