"""What servicekit raises.

Two of them are no `Exception`: applications catch that and go on, which would hide that a
replica was written or that a sibling is away.
"""

from __future__ import annotations


class OwnershipViolation(BaseException):
    """Code of this service wrote a table, or a `folder PATH`, that another service owns."""

    def __init__(self, table: str, owner: str) -> None:
        super().__init__("ownership violation: %s belongs to service %s" % (_what(table), owner))
        self.table = table
        self.owner = owner


def _what(name: str) -> str:
    return name if name.startswith("folder ") else "table " + name


class DependencyUnavailable(BaseException):
    """A sibling that this unit of work needs cannot be reached, or did not answer in time."""

    def __init__(self, service: str, why: str = "") -> None:
        super().__init__("service %s is unavailable%s" % (service, ": " + why if why else ""))
        self.service = service


class CannotCross(TypeError):
    """A value that cannot travel between services: the message names its type and place."""


class RemoteError(RuntimeError):
    """An exception at the owner of a function that is none of those it is known to raise."""


class ConstraintRefused(RuntimeError):
    """A constraint of the owner's table does not allow a row that was sent: message and SQL."""


class RowConflict(RuntimeError):
    """Rows that a service wanted to change at their owner had been changed in the meantime."""
