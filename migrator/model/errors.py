"""The errors that a user sees: one base class, each with a place and the next step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file relative to the root, a line from 1 on (0: the whole file)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class MigratorError(Exception):
    """Base of all errors that are printed to the user without a traceback.

    `place` says where, `hint` is the next step in words or a command.
    `exit_code` is that of the process: 1 findings, 2 wrong use or configuration, 3 our fault.
    """

    exit_code = 2

    def __init__(self, message: str, *, place: Place | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint


class ConfigurationError(MigratorError):
    """`[tool.migrator]` or the command line says something that cannot be followed."""


class PlanError(MigratorError):
    """The plan contradicts itself or the code. `problems` holds every single one."""

    def __init__(self, problems: list[MigratorError], *, hint: str = "") -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, place=first.place, hint=hint or first.hint)
        self.problems = problems


class Refused(MigratorError):
    """Generation cannot carry something over faithfully, and says so instead of making a stub."""

    exit_code = 1


class Refusals(PlanError):
    """Everything that generation refuses, collected over all services before it fails."""

    exit_code = 1


class OperationError(MigratorError):
    """A process did not install, start, answer or stop. `log_tail` is the end of its log."""

    exit_code = 1

    def __init__(
        self, message: str, *, place: Place | None = None, hint: str = "", log_tail: str = ""
    ) -> None:
        super().__init__(message, place=place, hint=hint)
        self.log_tail = log_tail


class InternalError(MigratorError):
    """Our own fault; carries what is needed for a report of it."""

    exit_code = 3
