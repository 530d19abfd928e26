"""Folders of files: whoever writes one owns it; the services that only read it mount it.

A file is not copied to its readers as rows are: the folder is one volume, which its owner and its
readers have in common. That is a coupling, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model.plan import Folder
from migrator.model.program import Program, StateFinding
from migrator.plan.wording import enumerated

_STATIC = "static"


def folders(
    program: Program, kept: Mapping[str, frozenset[str]], owner: Mapping[str, str]
) -> dict[str, dict[str, Folder]]:
    """Service to the folders that it uses, each with its owner.

    `kept` are the functions that each service keeps, `owner` who owns each table. An index of
    tables is written wherever its tables are. What is served as static files is read by all.
    """
    found: dict[str, dict[str, Folder]] = {service: {} for service in kept}
    for path, findings in sorted(by_path(program).items()):
        writers = _writers(findings, kept, owner) or _at_start(findings, kept)
        readers = {
            service
            for service, functions in kept.items()
            if any(functions & {*each.readers, *each.writers} for each in findings)
        }
        if _STATIC in path.split("/"):
            readers = set(kept)
        users = sorted(readers | set(writers))
        if not users:
            continue
        first = min(findings, key=lambda each: (each.file, each.line))
        owning = writers[0] if writers else users[0]
        for service in users:
            found[service][path] = Folder(
                owner=owning,
                kind=first.kind if first.kind == "index" else "files",
                writes=service in writers,
                advice=_advice(first, users),
                because=_because(writers, users),
                at=f"{first.file}:{first.line}",
            )
    return found


def with_decisions(
    program: Program, derived: Mapping[str, Folder], before: Mapping[str, Folder]
) -> dict[str, Folder]:
    """What follows from the code, and the folders of the plan that no analysis knows."""
    known = by_path(program)
    added = {path: folder for path, folder in before.items() if path not in known}
    return dict(sorted({**added, **derived}.items()))


def by_path(program: Program) -> dict[str, list[StateFinding]]:
    found: dict[str, list[StateFinding]] = {}
    for finding in program.state:
        if finding.path:
            found.setdefault(finding.path, []).append(finding)
    return found


def _writers(
    findings: list[StateFinding], kept: Mapping[str, frozenset[str]], owner: Mapping[str, str]
) -> list[str]:
    """The services that write, the one with most of the writing functions first."""
    counts = dict.fromkeys(kept, 0)
    for finding in findings:
        for service, functions in kept.items():
            if finding.tables:
                counts[service] += sum(owner.get(table) == service for table in finding.tables)
            else:
                counts[service] += len(functions & {*finding.writers})
    return sorted((s for s, count in counts.items() if count), key=lambda s: (-counts[s], s))


def _at_start(findings: list[StateFinding], kept: Mapping[str, frozenset[str]]) -> list[str]:
    """All services, where no entry point reaches what writes: every process does, as it starts."""
    reached = frozenset().union(*kept.values())
    return sorted(kept) if any(set(each.writers) - reached for each in findings) else []


def _advice(finding: StateFinding, users: list[str]) -> str:
    if len(users) < 2:
        return ""
    return "search engine" if finding.kind == "index" else "object storage"


def _because(writers: list[str], users: list[str]) -> str:
    if not writers:
        return "no service writes it"
    if len(writers) > 1:
        return f"written by {enumerated(writers, 8)}"
    readers = [name for name in users if name not in writers]
    return f"read by {enumerated(readers, 8)}, who share the volume" if readers else ""
