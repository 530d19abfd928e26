"""What an architect may demand of a proposal, and whether it can be met. Values and checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from migrator.model.errors import ConfigurationError
from migrator.model.program import Program
from migrator.model.settings import Demands
from migrator.plan.partition.cut import merge_bound
from migrator.plan.wording import counted, enumerated

REMAINDER = "remainder"
"""The service that keeps what is left of the monolith."""

_SERVICE_NAME = re.compile(r"[a-z][a-z0-9_-]*$")

SERVICE_NAME_HINT = (
    "lower-case letters, digits, - and _, with a letter first; `gateway` is what stands before them"
)


def is_service_name(name: str) -> bool:
    """Whether a service may be called so: it is a folder, a host and a word in URLs."""
    return bool(_SERVICE_NAME.match(name)) and name != "gateway"


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
    def limits_size(self) -> bool:
        """Whether services may not be merged freely: numbers or tables that are to be apart."""
        return bool(self.services or self.largest or self.apart)

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
    for name in sorted({*constraints.owners.values()}):
        if not is_service_name(name):
            raise ConfigurationError(
                f"{name} cannot be the name of a service", hint=SERVICE_NAME_HINT
            )


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


def infeasible(
    wanted: Constraints,
    possible: Callable[[Constraints], Collection[int]],
    kept_whole: Collection[str] = (),
) -> Infeasible:
    """The error for a number of services that no cut has, naming what stands in its way.

    `possible` tells which numbers demands leave; `kept_whole` are sets that stay together, in
    words.
    """
    numbers = sorted(possible(wanted))
    least, most = wanted.services or (1, numbers[-1])
    asked = f"{least}" if least == most else f"{least} to {most}"
    fewest, highest = numbers[0], numbers[-1]
    binding = [
        option
        for option, without in _WITHOUT.items()
        if replace(wanted, **without) != wanted
        and any(least <= number <= most for number in possible(replace(wanted, **without)))
    ]
    said = [_as_given(wanted, option) for option in binding]
    if least > highest and kept_whole:
        said.append("these stay together: " + "; ".join(kept_whole))
    room = f"between {fewest} and {highest}" if fewest < highest else f"only {highest}"
    closest = highest if least > highest else fewest
    drop = f", or leave out {' or '.join(binding)}" if binding else ""
    return Infeasible(
        f"{asked} services are asked for, and {room} are possible here"
        + (f": {'; '.join(said)}" if said else ""),
        hint=f"--services {closest}{drop}",
    )


_WITHOUT: dict[str, dict[str, Any]] = {
    "--together": {"together": ()},
    "--apart": {"apart": ()},
    "--own": {"owners": {}},
    "--leave": {"remainder": ()},
    "--largest": {"largest": 0},
}
"""How each demand that limits the number of services is left out."""


def _as_given(wanted: Constraints, option: str) -> str:
    given = as_options(wanted)
    return " ".join(each for each in given if each.startswith(option + " "))


def as_options(wanted: Constraints) -> list[str]:
    """The demands as they stand on a command line, one each."""
    demands = demands_of(wanted)
    own = [f"{service}={','.join(tables)}" for service, tables in demands.own.items()]
    weights = [f"{name}={factor:g}" for name, factor in demands.weights.items()]
    given = [
        ("--services", [str(demands.services)] if demands.services else []),
        ("--largest", [str(demands.largest)] if demands.largest else []),
        ("--together", [",".join(group) for group in demands.together]),
        ("--apart", [",".join(group) for group in demands.apart]),
        ("--own", own),
        ("--leave", [",".join(demands.leave)] if demands.leave else []),
        ("--first", [demands.first] if demands.first else []),
        ("--weight", weights),
    ]
    return [f"{option} {value}" for option, values in given for value in values]
