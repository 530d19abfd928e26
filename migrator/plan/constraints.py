"""What an architect may demand of a proposal. Values, and a check of their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches

from migrator.model.errors import ConfigurationError
from migrator.model.program import Program


@dataclass(frozen=True)
class Constraints:
    """Demands on a proposal; names in them are tables.

    `services` is the least and the most number of services, `largest` the most tables that one may
    own (0: any number). `setup` are the commands of
    `[tool.migrator.run]` that make and fill the schema: they bind nothing. `first` takes out only
    the service of that name, or the one that owns the table of that name.
    """

    services: tuple[int, int] | None = None
    largest: int = 0
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()
    owners: dict[str, str] = field(default_factory=dict)
    first: str = ""
    setup: tuple[str, ...] = ()
    application: str = ""


def conflicts(wanted: Constraints) -> set[tuple[str, str]]:
    """The pairs of tables, each in alphabetical order, that may not be of one service."""
    pairs = {(a, b) for group in wanted.apart for a in group for b in group if a < b}
    by_owner = sorted(wanted.owners.items())
    return pairs | {(a, b) for a, x in by_owner for b, y in by_owner if a < b and x != y}


def check_names(program: Program, constraints: Constraints) -> None:
    """Raise ConfigurationError for a table that the program does not have, or a contradiction."""
    groups = [*constraints.together, *constraints.apart, tuple(constraints.owners)]
    for table in (table for group in groups for table in group):
        if table not in program.tables:
            close = get_close_matches(table, program.tables, 1)
            hint = f"did you mean {close[0]}?" if close else "`migrator list tables` names them"
            raise ConfigurationError(f"there is no table {table}", hint=hint)
    for apart in constraints.apart:
        for together in constraints.together:
            both = sorted(set(apart) & set(together))
            if len(both) > 1:
                raise ConfigurationError(
                    f"{' and '.join(both)} are to be both together and apart",
                    hint="leave one of the two demands out",
                )
    if constraints.services and not 1 <= constraints.services[0] <= constraints.services[1]:
        raise ConfigurationError(
            "the number of services must be at least 1, and the range ascending",
            hint="for example --services 5, or --services 4-8",
        )
