"""The data of a system on disk: what belongs to which services, and whether it is still theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from migrator.model.errors import OperationError
from migrator.operation.service import RunningService

_COMPLETE = "complete"
_MOVED = "moved-to"


class Division:
    """The marks in `OUTPUT/.migrator/data`: complete for these owners, or moved elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._complete = folder / _COMPLETE
        self._moved = folder / _MOVED

    @property
    def complete(self) -> bool:
        """Whether there is data, of whichever owners."""
        return self._complete.is_file()

    @property
    def moved_to(self) -> str:
        """The folder of the services that go on with this data; empty: it is in use here."""
        return self._moved.read_text() if self._moved.is_file() else ""

    def require_usable(self, services: Mapping[str, RunningService], output: Path) -> None:
        """Raise OperationError for data that others go on with, or that had other owners."""
        if self.moved_to:
            raise OperationError(
                f"the data in {self.folder} was moved to {self.moved_to}, where it has changed"
                " since",
                hint=f"`migrator move-data {self.moved_to} {output}` takes it back",
            )
        if self._complete.read_text() != _ownership(services):
            raise OperationError(
                f"the data in {self.folder} is of services that owned other tables",
                hint=f"`migrator up {output} --fresh` divides the monolith's seed anew",
            )

    def mark_complete(self, services: Mapping[str, RunningService]) -> None:
        """Every service has what it owns, and it is theirs."""
        self._moved.unlink(missing_ok=True)
        self._complete.write_text(_ownership(services))

    def mark_moved(self, where: Path) -> None:
        """Others go on with it from now on."""
        self._moved.write_text(str(where))

    def forget(self) -> None:
        """The next start divides that of a fresh monolith."""
        self._complete.unlink(missing_ok=True)
        self._moved.unlink(missing_ok=True)


def _ownership(services: Mapping[str, RunningService]) -> str:
    """The digest of who owns which tables, and of what they look like."""
    seen = hashlib.sha256()
    for name, service in sorted(services.items()):
        seen.update(repr((name, sorted(service.manifest.tables))).encode())
        for script in sorted((service.folder / "migrations").glob("[0-9]*.sql")):
            seen.update(script.read_bytes())
    return seen.hexdigest()
