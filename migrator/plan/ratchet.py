"""The list of known crossings, which may only shrink: what the code crosses beyond it, and less.

Known is what the plan file lists: functions that are cut, with their places, and tables of which a
service has a copy. The list speaks for the boundaries with which it was written: once tables or
entry points are moved in the plan, what crosses follows from the edit and is no fault of the code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from migrator.model.plan import Crossing, Finding, Plan
from migrator.model.program import Program
from migrator.plan.consequences.digests import decisions
from migrator.plan.findings.kinds import NEW_CROSSING
from migrator.plan.wording import enumerated

_HINT = (
    "call it in a way that does not cross, or `migrator check --write --accept-crossings` lists it"
)


def speaks_for(plan: Plan) -> bool:
    """Whether the lists of a plan are of the boundaries that it has now."""
    return plan.made_from.decisions == decisions(plan)


def new_crossings(program: Program, listed: Plan, derived: Plan) -> list[Finding]:
    """What crosses in the code, by `derived`, and is not `listed`; each at its line."""
    if not speaks_for(listed):
        return []
    found: list[Finding] = []
    for name, service in sorted(derived.services.items()):
        before = listed.services[name]
        known = {(call.function, call.owner): call for call in before.calls}
        for call in service.calls:
            old = known.get((call.function, call.owner))
            message = f"{name} writes {enumerated(call.tables)} of {call.owner} ({call.remedy})"
            for at in call.at if old is None else _more_places(old, call):
                found.append(
                    Finding(
                        kind=NEW_CROSSING,
                        subject=call.function,
                        message=message if old is None else f"{message}, at one more place",
                        at=at,
                        hint=_HINT,
                    )
                )
        for table, replica in sorted(service.replicas.items()):
            if table not in before.replicas:
                found.append(
                    Finding(
                        kind=NEW_CROSSING,
                        subject=table,
                        message=f"{name} reads {table} of {replica.owner}",
                        at=_where_read(program, service.entry_points, table),
                        hint=_HINT,
                    )
                )
    return found


def gone_crossings(listed: Plan, derived: Plan) -> list[str]:
    """What is listed and crosses no more, in words: it can be taken off the list."""
    if not speaks_for(listed):
        return []
    gone = []
    for name, service in sorted(listed.services.items()):
        now = derived.services[name]
        there = {(call.function, call.owner) for call in now.calls}
        gone += [
            f"{name} -> {call.owner}: {call.function}"
            for call in service.calls
            if (call.function, call.owner) not in there
        ]
        gone += [
            f"{name} reads {table} of {replica.owner}"
            for table, replica in sorted(service.replicas.items())
            if table not in now.replicas
        ]
    return gone


def _more_places(old: Crossing, now: Crossing) -> list[str]:
    """Places beyond the number that is listed for a file; lines move, so they are only counted."""
    listed = Counter(_file(at) for at in old.at)
    unlisted = [at for at in now.at if at not in old.at]
    more = []
    for file, count in sorted(Counter(_file(at) for at in now.at).items()):
        beyond = count - listed[file]
        if beyond > 0:
            more += [at for at in unlisted if _file(at) == file][-beyond:]
    return more


def _file(at: str) -> str:
    return at.rpartition(":")[0]


def _where_read(program: Program, entry_points: Iterable[str], table: str) -> str:
    """The first place at which entry points read a table; empty where it travels with a call."""
    places = [
        (access.file, access.line)
        for name in entry_points
        if name in program.entry_points
        for access in program.entry_points[name].reads
        if access.table == table
    ]
    return "{}:{}".format(*min(places)) if places else ""
