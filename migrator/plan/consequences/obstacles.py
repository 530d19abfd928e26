"""What keeps a plan from being generated: one list, which plans, scores and `generate` share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migrator.model.plan import Crossing, Plan
from migrator.model.program import Program
from migrator.plan.consequences.front_end import default_service
from migrator.plan.consequences.rows import obstacle_of
from migrator.plan.consequences.signature import hindrance_of


class Obstacle(NamedTuple):
    """Why no code can be made for a crossing, and what to do."""

    subject: str
    """A function, an entry point, or the path of an index."""
    message: str
    hint: str
    at: str
    """`file:line`; empty where nothing in the code is meant."""


def obstacles(program: Program, plan: Plan) -> list[Obstacle]:
    """All that keeps a resolved plan from being generated, as far as plan and program tell it."""
    return [*of_crossings(program, plan), *beside_crossings(program, plan)]


def beside_crossings(program: Program, plan: Plan) -> list[Obstacle]:
    """Indexes and messages that cannot be taken apart as the plan does."""
    return [*_indexes_of_several(plan), *_messages_elsewhere(program, plan)]


def of_crossings(program: Program, plan: Plan) -> list[Obstacle]:
    """What keeps the crossings of a resolved plan from being generated, one for each at most."""
    return [
        found
        for name, service in sorted(plan.services.items())
        for crossing in service.calls
        if (found := obstacle(program, name, crossing)) is not None
    ]


def obstacle(program: Program, service: str, crossing: Crossing) -> Obstacle | None:
    """What keeps one crossing of a service from being generated."""
    name, owner = crossing.function, crossing.owner
    function = program.functions.get(name)
    at = f"{function.file}:{function.line}" if function else ""
    if crossing.remedy in ("merge", "saga"):
        return Obstacle(
            name,
            f"{service}: {name} writes tables of {owner}, and the plan says"
            f" `remedy: {crossing.remedy}`, which no code can be made for",
            "decide in the plan: `remedy: row-write` (or `call`, `defer`) at each of these calls,"
            f" or one service for both: `migrator propose --together` with a table of {service}"
            f" and one of {owner}",
            at,
        )
    if crossing.remedy == "copy":
        return None
    if crossing.unit == "rows":
        if unsent := obstacle_of(program, crossing):
            return Obstacle(
                name,
                f"{service}: {name} changes rows of {owner}, and they cannot be sent there:"
                f" {unsent}",
                "give both to one service, or put the write into a function of its own, which a"
                " call can reach",
                at,
            )
        return _changed_unseen(program, service, crossing)
    found = hindrance_of(program, name) if function else None
    if found is None:
        return None
    return Obstacle(name, f"{name} cannot be called at {owner}: {found.why}", found.do, at)


def _changed_unseen(program: Program, service: str, crossing: Crossing) -> Obstacle | None:
    """`ON DELETE` changes the rows that this crossing would send to their owner.

    SQLite enforces foreign keys only when it is told to; without, nothing follows a delete.
    """
    known = program.functions.get(crossing.function)
    changed = [
        each
        for each in (known.events if known else ())
        if each.kind == "write" and each.target in crossing.tables and " ON DELETE " in each.via
    ]
    if known is None or not changed or not program.enforces_keys:
        return None
    first = changed[0]
    return Obstacle(
        crossing.function,
        f"{service}: {crossing.function} deletes what rows of {first.target} refer to, and the"
        f" database changes those by itself ({first.via.removeprefix('cascade ')}; foreign keys are"
        f" switched on at {program.enforces_keys}): {crossing.owner} has them in a database of its"
        " own",
        "one service for both tables, or delete these rows in the code, such as by a"
        ' relationship with cascade="all, delete" and without passive_deletes',
        f"{known.file}:{first.line}",
    )


def _indexes_of_several(plan: Plan) -> Iterator[Obstacle]:
    """Indexes that several services would write: each locks it, and none knows of the others."""
    writers: dict[str, list[str]] = {}
    for name, service in sorted(plan.services.items()):
        for path, folder in service.folders.items():
            if folder.kind == "index" and folder.writes:
                writers.setdefault(path, []).append(name)
    for path, names in sorted(writers.items()):
        if len(names) > 1:
            yield Obstacle(
                path,
                f"{' and '.join(names)} would both write the index in {path}, whose tables they"
                " own between them",
                "give its tables to one service, or make an index for each table",
                plan.services[names[0]].folders[path].at,
            )


def _messages_elsewhere(program: Program, plan: Plan) -> Iterator[Obstacle]:
    """Handlers of messages that no client reaches: its one open connection leads elsewhere."""
    messages = {n: e for n, e in sorted(program.entry_points.items()) if e.kind == "message"}
    if not messages or not plan.services:
        return
    default = default_service(program, plan)
    for name, entry in messages.items():
        service = plan.service_of(name)
        if service not in (None, default):
            yield Obstacle(
                name,
                f"{service} would handle {name}, but clients hold one connection for all messages,"
                f" and the gateway leads it to {default}",
                f"list {name} under the entry_points of {default} in the plan",
                f"{entry.file}:{entry.line}",
            )
