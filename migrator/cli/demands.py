"""What an architect demands on the command line, as options and as constraints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from migrator.cli.completion import listed, of_plan, signals
from migrator.model.errors import ConfigurationError
from migrator.plan.partition.constraints import Constraints, services_range

Wrapped = Callable[..., Any]

_TABLES = listed("tables")


def demand_options(function: Wrapped) -> Wrapped:
    """The options of `constraints_of`, which takes their values by name."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS = (
    click.option("--services", metavar="N|MIN-MAX", default="", help="How many services."),
    click.option(
        "--largest", metavar="N", type=int, default=0, help="The most tables of one service."
    ),
    click.option(
        "--together",
        metavar="A,B",
        multiple=True,
        help="Tables of one service.",
        shell_complete=listed("tables"),
    ),
    click.option(
        "--apart",
        metavar="A,B",
        multiple=True,
        help="Tables of different services.",
        shell_complete=listed("tables"),
    ),
    click.option(
        "--own",
        metavar="SERVICE=A,B",
        multiple=True,
        help="Tables of a named service.",
        shell_complete=listed("tables"),
    ),
    click.option(
        "--leave",
        metavar="A,B",
        multiple=True,
        help="Tables that stay in the remainder.",
        shell_complete=listed("tables"),
    ),
    click.option(
        "--first",
        metavar="NAME",
        default="",
        help="Take out only this service.",
        shell_complete=of_plan("services", "tables"),
    ),
    click.option(
        "--weight",
        metavar="SIGNAL=X",
        multiple=True,
        help="What a signal counts for; 0 switches it off.",
        shell_complete=signals,
    ),
)


def constraints_of(
    *,
    services: str,
    largest: int,
    together: tuple[str, ...],
    apart: tuple[str, ...],
    own: tuple[str, ...],
    leave: tuple[str, ...],
    first: str,
    weight: tuple[str, ...],
) -> Constraints:
    """The options as constraints. Raises ConfigurationError with an example."""
    return Constraints(
        services=services_range(services),
        largest=largest,
        together=tuple(_names(group) for group in together),
        apart=tuple(_names(group) for group in apart),
        owners=_owners(own),
        remainder=tuple(name for group in leave for name in _names(group)),
        first=first,
        weights=_weights(weight),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _owners(own: tuple[str, ...]) -> dict[str, str]:
    owners: dict[str, str] = {}
    for each in own:
        service, equals, tables = each.partition("=")
        if not equals or not service.strip():
            raise ConfigurationError(
                f"--own {each} is not SERVICE=TABLE,TABLE",
                hint="for example --own billing=invoices,payments",
            )
        for table in _names(tables):
            if owners.setdefault(table, service.strip()) != service.strip():
                raise ConfigurationError(
                    f"{table} is to be of {owners[table]} and of {service.strip()}",
                    hint="a table has one owner: leave one --own out",
                )
    return owners


def _weights(weight: tuple[str, ...]) -> dict[str, float]:
    weights = {}
    for each in weight:
        name, _, value = each.partition("=")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            weights[name.strip()] = -1.0
        if weights[name.strip()] < 0:
            raise ConfigurationError(
                f"--weight {each} is not SIGNAL=NUMBER, with a number of 0 or more",
                hint="for example --weight packages=0, or --weight co-change=2",
            )
    return weights
