"""Which side answers what two services can answer: the gateway's switches while one is taken out.

A service that was just taken out owns its tables; what remains of the monolith can still answer its
reads from replicas. Writes always go to the owner. A switch says who answers the reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from migrator.generation.templating import variable_name
from migrator.model.errors import ConfigurationError, OperationError, Place

Side = Literal["service", "remainder"]
READS = ("GET", "HEAD")

_NAME = re.compile(r"[A-Za-z0-9-]+\Z")
_VALUE = re.compile(r"[A-Za-z0-9._~+/=-]*\Z")
_COOKIE = re.compile(r"\w+\Z", re.ASCII)


class Switch(msgspec.Struct, kw_only=True, frozen=True):
    """Who answers the reads of one service."""

    to: Side = "service"
    percent: float = 100.0
    """Of clients that are sent to that side; the others are answered by the other one."""
    methods: list[str] = []
    """Of `READS`; empty: all. Other reads are the owner's."""
    header: str = ""
    """Requests with this header and value go to that side, whatever the percentage."""
    value: str = ""
    cookie: str = ""
    """By which clients are told apart; empty, or without it: by credential and address."""
    copied_to: str = ""
    """`host:port` that gets a copy of each GET that changes nothing; its answers are ignored."""


def checked(switch: Switch) -> Switch:
    """The switch, if NGINX can do it; else ConfigurationError."""
    wrong = [method for method in switch.methods if method not in READS]
    if wrong:
        raise ConfigurationError(
            f"{' and '.join(wrong)} cannot be routed: what writes goes to the owner of the tables",
            hint="`migrator move-data` gives the tables back with everything written since, and"
            " then all goes to the remainder",
        )
    if not 0 <= switch.percent <= 100 or round(switch.percent, 2) != switch.percent:
        raise ConfigurationError(
            f"{switch.percent} is no percentage of at most two decimals", hint="--percent 12.5"
        )
    if switch.header and not _NAME.match(switch.header):
        raise ConfigurationError(f"{switch.header!r} is no header's name", hint="--header X-Try=1")
    if not _VALUE.match(switch.value) or (switch.header and not switch.value):
        raise ConfigurationError(
            f"{switch.value!r} cannot be told apart as a header's value",
            hint="letters, digits and - . _ ~ + / = are possible: --header X-Try=1",
        )
    if switch.cookie and not _COOKIE.match(switch.cookie):
        raise ConfigurationError(
            f"a cookie {switch.cookie!r} cannot be read by NGINX",
            hint="letters, digits and _ are possible",
        )
    return switch


def placeholders(switches: Mapping[str, Switch], remainder: str) -> dict[str, str]:
    """What `generation.gateway.configure` needs to know of the switches."""
    splits: list[str] = []
    sides: list[str] = []
    copies: list[str] = []
    for service, switch in sorted(switches.items()):
        chosen = _split(service, switch, remainder, splits)
        methods = "|".join(switch.methods or READS)
        if chosen != service:
            sides.append(f'"~^{re.escape(service)}:(?:{methods}):(?:plain|changing)$" {chosen};')
        if switch.copied_to:
            copies.append(f'"{service}:GET:plain" {switch.copied_to};')
    return {
        "GATEWAY_SPLITS": "\n    ".join(splits),
        "GATEWAY_SIDES": "\n        ".join(sides),
        "GATEWAY_MIRRORED": "\n        ".join(copies),
        "GATEWAY_MIRROR": "mirror /_service/mirror; mirror_request_body off;" if copies else "",
    }


def _split(service: str, switch: Switch, remainder: str, splits: list[str]) -> str:
    """What stands for the side in the map: a service, or a variable that `splits` then makes."""
    here, there = (service, remainder) if switch.to == "service" else (remainder, service)
    name = variable_name(service).lower()
    if switch.percent >= 100:
        chosen = here
    elif switch.percent <= 0:
        chosen = there
    else:
        client = "$http_authorization$remote_addr$http_x_forwarded_for"
        if switch.cookie:
            splits.append(
                f"map $cookie_{switch.cookie} $client_of_{name} "
                f'{{ default $cookie_{switch.cookie}; "" "{client}"; }}'
            )
            client = f"$client_of_{name}"
        # The side of the service comes first whichever it is, so that a client that is on it at
        # ten percent stays there at twenty.
        share = switch.percent if here == service else 100 - switch.percent
        splits.append(
            f'split_clients "{service}{client}" $share_of_{name} '
            f"{{ {share:.2f}% {service}; * {remainder}; }}"
        )
        chosen = f"$share_of_{name}"
    if switch.header and chosen != here:
        header = switch.header.lower().replace("-", "_")
        splits.append(
            f'map $http_{header} $side_of_{name} {{ default {chosen}; "{switch.value}" {here}; }}'
        )
        chosen = f"$side_of_{name}"
    return chosen


def read_switches(file: Path, known: Iterable[str]) -> dict[str, Switch]:
    """The switches of the last run, of services that still have two sides."""
    if not file.is_file():
        return {}
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, Switch])
    except msgspec.DecodeError as error:
        raise OperationError(
            f"cannot be read: {error}",
            place=Place(str(file)),
            hint="remove it: then each service answers for itself",
        ) from error
    # Nobody listens any more where the last run's copies went.
    return {
        name: msgspec.structs.replace(switch, copied_to="")
        for name, switch in found.items()
        if name in set(known)
    }


def write_switches(file: Path, switches: Mapping[str, Switch]) -> None:
    """Keep the switches for the next run."""
    part = file.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(dict(switches)), indent=1) + b"\n")
    part.replace(file)


def in_words(service: str, switch: Switch, remainder: str) -> str:
    """A line on who answers the reads of a service."""
    side, other = (service, remainder) if switch.to == "service" else (remainder, service)
    methods = " and ".join(switch.methods or READS)
    if switch.percent >= 100:
        return f"{methods} of {service}: {side}; all else: {service}"
    testers = f", with {switch.header}: {switch.value} {side}" if switch.header else ""
    if switch.percent <= 0:
        return f"{methods} of {service}: {other}{testers}; all else: {service}"
    return (
        f"{methods} of {service}: {switch.percent:g} % of clients {side}, the others"
        f" {other}{testers}; all else: {service}"
    )
