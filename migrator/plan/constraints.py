"""What an architect may demand of a proposal, and whether it can be met. Values and checks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from migrator.model.errors import ConfigurationError
from migrator.model.program import Program
from migrator.model.settings import Demands
from migrator.plan.partition import merge_bound
from migrator.plan.wording import counted, enumerated

REMAINDER = "remainder"
"""The service that keeps what is left of the monolith."""


class Infeasible(ConfigurationError):
    """Demands that are each sound, and that no proposal meets together."""


@dataclass(frozen=True)
class Constraints:
    """Demands on a proposal; names in them are tables (or classes, of a graph of classes).

    `services` is the least and the most number of services, `largest` the most tables that one may
    own (0: any number). `owners` pins tables to named services, `remainder` leaves tables in the
    remainder. `first` takes out only the service of that name, or the one that owns the table of
    that name. `weights` replaces those of the signals that it names; 0 switches one off.
    `setup` are the commands of `[tool.migrator.run]` that make and fill the schema: they bind
    nothing.
    """

    services: tuple[int, int] | None = None
    largest: int = 0
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()
    owners: dict[str, str] = field(default_factory=dict)
    remainder: tuple[str, ...] = ()
    first: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    application: str = ""

    @property
    def pinned(self) -> dict[str, str]:
        """Every table whose service is demanded, those that stay in the remainder included."""
        return {**self.owners, **dict.fromkeys(self.remainder, REMAINDER)}


def services_range(text: str) -> tuple[int, int] | None:
    """`5` or `4-8` as the least and the most; None: empty. Raises ConfigurationError."""
    if not text:
        return None
    least, _, most = text.partition("-")
    if not least.isdigit() or not (most or least).isdigit():
        raise ConfigurationError(
            f"--services {text} is no number", hint="for example --services 5, or --services 4-8"
        )
    return int(least), int(most or least)


def with_demands(wanted: Constraints, demands: Demands) -> Constraints:
    """What is wanted, and what a plan or `[tool.migrator.propose]` demands besides.

    Numbers, `first` and weights that are wanted already come before those demanded there.
    """
    named = {table: service for service, tables in demands.own.items() for table in tables}
    return replace(
        wanted,
        services=wanted.services or services_range(str(demands.services)),
        largest=wanted.largest or demands.largest,
        together=tuple(dict.fromkeys((*wanted.together, *map(tuple, demands.together)))),
        apart=tuple(dict.fromkeys((*wanted.apart, *map(tuple, demands.apart)))),
        owners={**named, **wanted.owners},
        remainder=tuple(dict.fromkeys((*wanted.remainder, *demands.leave))),
        first=wanted.first or demands.first,
        weights={**demands.weights, **wanted.weights},
    )


def demands_of(wanted: Constraints) -> Demands:
    """What is wanted, as the plan keeps it."""
    least, most = wanted.services or (0, 0)
    own: dict[str, list[str]] = {}
    for table, service in sorted(wanted.owners.items()):
        own.setdefault(service, []).append(table)
    return Demands(
        services="" if not most else str(most) if least == most else f"{least}-{most}",
        largest=wanted.largest,
        together=[list(group) for group in wanted.together],
        apart=[list(group) for group in wanted.apart],
        own=own,
        leave=list(wanted.remainder),
        first=wanted.first,
        weights=dict(sorted(wanted.weights.items())),
    )


def conflicts(wanted: Constraints) -> set[tuple[str, str]]:
    """The pairs of tables, each in alphabetical order, that may not be of one service."""
    pairs = {(a, b) for group in wanted.apart for a in group for b in group if a < b}
    pinned = sorted(wanted.pinned.items())
    return pairs | {(a, b) for a, x in pinned for b, y in pinned if a < b and x != y}


def atoms_of(names: Collection[str], wanted: Constraints) -> list[frozenset[str]]:
    """The least sets of names that demands keep together.

    Raises ConfigurationError where demands together bring names together that are to be apart.
    """
    by_owner: dict[str, set[str]] = {}
    for name, service in wanted.pinned.items():
        by_owner.setdefault(service, set()).add(name)
    demanded = [frozenset(group) for group in (*wanted.together, *by_owner.values())]
    atoms, refused = merge_bound(names, demanded, conflicts(wanted))
    if refused:
        raise ConfigurationError(
            f"{enumerated(sorted(refused[0]))} are to be both together and apart",
            hint="leave out one of --together, --apart, --own and --leave that name them",
        )
    for atom in atoms:
        if wanted.largest and len(atom) > wanted.largest:
            raise ConfigurationError(
                f"{enumerated(sorted(atom))} are to be together, and no service is to have more"
                f" than {wanted.largest}",
                hint=f"--largest {len(atom)}, or ask for fewer of them together",
            )
    return atoms


def check_names(program: Program, constraints: Constraints) -> None:
    """Raise ConfigurationError for a table that the program does not have, or a contradiction."""
    check_known(program.tables, constraints, "table")


def check_known(names: Collection[str], wanted: Constraints, what: str) -> None:
    """Raise ConfigurationError for an unknown name, or demands that contradict each other."""
    groups = [*wanted.together, *wanted.apart, tuple(wanted.owners), wanted.remainder]
    for name in (name for group in groups for name in group):
        if name not in names:
            close = get_close_matches(name, names, 1)
            listed = "`migrator list --tables` names them" if what == "table" else ""
            hint = f"did you mean {close[0]}?" if close else listed
            raise ConfigurationError(f"there is no {what} {name}", hint=hint)
    _check_numbers(len(names), wanted, what)
    for apart in wanted.apart:
        for together in wanted.together:
            both = sorted(set(apart) & set(together))
            if len(both) > 1:
                raise ConfigurationError(
                    f"{' and '.join(both)} are to be both together and apart",
                    hint="leave one of the two demands out",
                )
    for name in wanted.remainder:
        owner = wanted.owners.get(name, REMAINDER)
        if owner != REMAINDER:
            raise ConfigurationError(
                f"{name} is to be of {owner}, and to be left in the remainder",
                hint="leave out --own or --leave",
            )
        if wanted.first == name:
            raise ConfigurationError(
                f"{name} is to be taken out first, and to be left in the remainder",
                hint="leave out --first or --leave",
            )


def _check_numbers(count: int, wanted: Constraints, what: str) -> None:
    least, most = wanted.services or (1, max(count, 1))
    if not 1 <= least <= most:
        raise ConfigurationError(
            "the number of services must be at least 1, and the range ascending",
            hint="for example --services 5, or --services 4-8",
        )
    if wanted.largest < 0:
        raise ConfigurationError(
            f"a service cannot have at most {wanted.largest}", hint="for example --largest 12"
        )
    named = sorted(set(wanted.pinned.values()))
    if len(named) > most:
        raise ConfigurationError(
            f"{counted(len(named), 'service')} are named ({enumerated(named)}), and at most {most}"
            " are asked for",
            hint=f"--services {len(named)}, or name fewer in --own and --leave",
        )
    plural = what + ("es" if what.endswith("s") else "s")
    if wanted.largest and wanted.services and most * wanted.largest < count:
        needed = -(-count // wanted.largest)
        raise ConfigurationError(
            f"{counted(most, 'service')} of at most {wanted.largest} {plural} cannot hold {count}",
            hint=f"--services {needed} or more, or --largest {-(-count // most)} or more",
        )


def infeasible(atoms: int, wanted: Constraints, possible: Collection[int] = ()) -> Infeasible:
    """The error for a number of services that no cut has, given what must stay together."""
    least, most = wanted.services or (1, atoms)
    asked = f"{least}" if least == most else f"{least} to {most}"
    fewest, highest = (min(possible), max(possible)) if possible else (1, atoms)
    return Infeasible(
        f"between {fewest} and {highest} services are possible here, and {asked} are asked for",
        hint="transactions and --together bind tables, --apart and --largest separate them",
    )
