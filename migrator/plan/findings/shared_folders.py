"""Folders of files that several services use: a volume couples them."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model.plan import Finding, Service
from migrator.plan.findings.kinds import SHARED_FOLDER
from migrator.plan.wording import enumerated


def shared_folders(services: Mapping[str, Service]) -> list[Finding]:
    """A finding for each folder that several services use: a volume couples them."""
    paths = sorted({path for service in services.values() for path in service.folders})
    found = []
    for path in paths:
        using = {n: s.folders[path] for n, s in sorted(services.items()) if path in s.folders}
        writers = [name for name, folder in using.items() if folder.writes]
        if len(using) < 2:
            continue
        first = next(iter(using.values()))
        if len(writers) > 1:
            message = f"{enumerated(writers, 8)} write files in one folder"
            hint = "move what writes there into one service"
        else:
            readers = [name for name in using if name != first.owner]
            message = f"written by {first.owner}, read by {enumerated(readers, 8)}: a shared volume"
            hint = "move the routes that read it to its owner, or keep its files in object storage"
        found.append(
            Finding(kind=SHARED_FOLDER, subject=path, message=message, at=first.at, hint=hint)
        )
    return found
