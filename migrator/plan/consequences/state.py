"""What becomes of state that the monolith keeps in its process or on its disk."""

from __future__ import annotations

from typing import Literal

from migrator.graph.effects.kept_results import BY_DECORATOR
from migrator.model.plan import StateRemedy
from migrator.model.program import Program, StateFinding
from migrator.plan.evidence.reach import Reach

_Choice = Literal["shared", "request", "volume", "lease", "environment", "keep"]

_BY_KIND: dict[str, tuple[_Choice, str]] = {
    "session": ("shared", "every process of the service must see the same sessions"),
    "cache": ("shared", "what one process forgets or renews, all must"),
    "rate-limit": ("shared", "what a client asks of any process counts"),
    "local-file": ("volume", "all processes of the service must find the same files"),
    "index": ("volume", "all processes of the service must search the same index"),
    "thread": ("lease", "it must run once, however many processes there are"),
    "timer": ("lease", "it must run once, however many processes there are"),
    "job": ("lease", "it must run once at its time, however many processes there are"),
    "secret": ("environment", "a secret does not belong in the code"),
    "singleton": ("keep", "each process may have its own"),
}


_FROM_ARGUMENTS = frozenset({"lru_cache", "cache"})
"""Decorators of `functools`, whose results stay until they are cleared."""


def remedies(
    reach: Reach, kept: frozenset[str], elsewhere: frozenset[str] = frozenset()
) -> list[StateRemedy]:
    """The state findings that concern a service which keeps these functions, each with a remedy.

    `elsewhere` are the functions that other services keep.
    """
    program = reach.program
    found = []
    for finding in program.state:
        if not _concerns(program, finding, kept):
            continue
        remedy, because = _remedy(reach, finding, kept, elsewhere)
        found.append(
            StateRemedy(
                name=finding.name,
                kind=finding.kind,
                remedy=remedy,
                because=because,
                at=f"{finding.file}:{finding.line}",
            )
        )
    return sorted(found, key=lambda each: (each.name, each.kind))


def _concerns(program: Program, finding: StateFinding, kept: frozenset[str]) -> bool:
    users = {*finding.writers, *finding.readers}
    if finding.name in program.functions:
        users.add(finding.name)
    at_work = users - set(program.modules)
    if at_work:
        classes = {name.rpartition(".")[0] for name in kept}  # of views
        return bool(at_work & (kept | classes))
    module = next((m for m, file in program.modules.items() if file == finding.file), "")
    return not module or any(name.startswith(module + ".") for name in kept)


def _remedy(
    reach: Reach, finding: StateFinding, kept: frozenset[str], elsewhere: frozenset[str]
) -> tuple[_Choice, str]:
    program = reach.program
    if finding.kind == "cache" and finding.name in program.functions:
        return _of_memoised(reach, finding, elsewhere)
    if finding.detail == BY_DECORATOR:
        if any(reach.reads(each) or reach.writes(each) for each in {*finding.writers} & kept):
            return (
                "request",
                "what one process keeps of a table, others do not renew",
            )
        return "keep", "what it decorates asks no table: each process may have its own results"
    # What a cached function of another service alone keeps there, nobody misses here.
    of_others = {*finding.writers} & {*finding.readers} - kept
    changed_elsewhere = elsewhere & {*finding.writers} - of_others - set(program.modules)
    if finding.kind in ("cache", "module-mutable") and changed_elsewhere:
        return "request", "other services change it too, and would not see what this one holds"
    if finding.kind == "thread" and f"schedule:{finding.name}" not in program.entry_points:
        return "keep", "it is started by a request and ends with that work"
    if finding.kind == "job" and any(
        event.target == finding.name and event.kind in ("call", "emit")
        for function in program.functions.values()
        for event in function.events
    ):
        return "keep", "code calls it too: give the job a function of its own to have it run once"
    if finding.kind in _BY_KIND:
        return _BY_KIND[finding.kind]
    at_work = set(finding.writers) - set(program.modules) - reach.starting
    if not at_work:
        return "keep", "it is only filled when the code is loaded, alike in every process"
    return "shared", "it changes while requests are answered, in one process and not in the others"


def _of_memoised(
    reach: Reach, finding: StateFinding, elsewhere: frozenset[str]
) -> tuple[_Choice, str]:
    if not (reach.reads(finding.name) or reach.writes(finding.name)):
        return "keep", "it asks no table: each process may have its own results"
    if finding.name in elsewhere:
        return "request", "other services keep results of their own, and clear only those"
    if finding.name.rpartition(".")[0] in reach.program.classes:
        return "request", "results of one object are of no use to another process"
    if finding.detail.rpartition(".")[2] not in _FROM_ARGUMENTS:
        return "request", "only what functools keeps can be kept for all processes"
    return "shared", "what one process keeps or clears, all must"
