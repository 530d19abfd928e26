"""What becomes of state that the monolith keeps in its process or on its disk."""

from __future__ import annotations

from typing import Literal

from migrator.model.plan import StateRemedy
from migrator.model.program import Program, StateFinding

_Choice = Literal["shared", "request", "volume", "lease", "environment", "keep"]

_BY_KIND: dict[str, tuple[_Choice, str]] = {
    "session": ("shared", "every process of the service must see the same sessions"),
    "cache": ("shared", "what one process forgets or renews, all must"),
    "local-file": ("volume", "all processes of the service must find the same files"),
    "thread": ("lease", "it must run once, however many processes there are"),
    "timer": ("lease", "it must run once, however many processes there are"),
    "secret": ("environment", "a secret does not belong in the code"),
    "singleton": ("keep", "each process may have its own"),
}


def remedies(
    program: Program, kept: frozenset[str], elsewhere: frozenset[str] = frozenset()
) -> list[StateRemedy]:
    """The state findings that concern a service which keeps these functions, each with a remedy.

    `elsewhere` are the functions that other services keep.
    """
    found = []
    for finding in program.state:
        if not _concerns(program, finding, kept):
            continue
        remedy, because = _remedy(program, finding, elsewhere)
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
        return bool(at_work & kept)
    module = next((m for m, file in program.modules.items() if file == finding.file), "")
    return not module or any(name.startswith(module + ".") for name in kept)


def _remedy(
    program: Program, finding: StateFinding, elsewhere: frozenset[str]
) -> tuple[_Choice, str]:
    changed_elsewhere = elsewhere & {*finding.writers} - set(program.modules)
    if finding.kind in ("cache", "module-mutable") and changed_elsewhere:
        return "request", "other services change it too, and would not see what this one holds"
    if finding.kind == "thread" and f"schedule:{finding.name}" not in program.entry_points:
        return "keep", "it is started by a request and ends with that work"
    if finding.kind in _BY_KIND:
        return _BY_KIND[finding.kind]
    at_work = [writer for writer in finding.writers if writer not in program.modules]
    if not at_work:
        return "keep", "it is only filled when the code is loaded, alike in every process"
    return "shared", "it changes while requests are answered, in one process and not in the others"
