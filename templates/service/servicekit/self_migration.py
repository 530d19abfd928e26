"""For an application that migrates its database when it starts: here that is done already.

A service's schema is made by its own migrations (`servicekit.migrate`); those of the monolith know
tables that others own, and are not part of it.
"""

from __future__ import annotations

from typing import Any

from servicekit.logs import logger
from servicekit.on_import import after_import

_COMMANDS = ("upgrade", "downgrade", "stamp", "ensure_version")
_log = logger("migration")


def install() -> None:
    """Let Alembic's commands do nothing, also as Flask-Migrate calls them."""
    after_import("alembic.command", _change)


def _change(module: Any) -> None:
    for name in _COMMANDS:
        if hasattr(module, name):
            setattr(module, name, _left_out(name))


def _left_out(name: str) -> Any:
    def command(*arguments: Any, **options: Any) -> None:
        _log.info("left out: the schema is made by servicekit.migrate", command=name)

    return command
