"""Recorded traffic as a file of JSON lines: requests as templates, and where values come from.

The first line is a `Header`, each other line a `Step`. In the texts of a step stands `{{NAME}}`
for each value that varies or is secret; `values` says how a replay gets it. Of answers only the
status is kept: what one gave is named by answer and field (`proof.fields`), never by value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from migrator.model.errors import ConfigurationError, Place

FORMAT = "migrator-traffic"
VERSION = 1

_NAMED = re.compile(r"\{\{(\w+)\}\}")


class Value(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a replay gets a value from: one of `answer`, `secret`, `text` and `base_url`."""

    answer: int | None = None
    """The step whose answer gives it."""
    field: str = ""
    """The field of that answer; `cookie.NAME` is the cookie as it was set."""
    before: str = ""
    after: str = ""
    """The value stands in the field between these texts; empty: from its start, to its end."""
    secret: int | None = None
    """The number of a secret: the same number is the same text wherever it stands."""
    text: str | None = None
    """A template of its own."""
    base_url: bool = False
    """The application's address."""
    encoding: str = ""
    """How it is written: `url`, `form`, `json`, `number`, `base64`; empty: as it is."""
    otherwise: str | None = None
    """What it was when it was recorded, for when the answer has no such field. Never a secret."""


class Step(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request, in order of arrival."""

    method: str
    target: str
    headers: list[tuple[str, str]] = []
    body: str = ""
    charset: str = "utf-8"
    """In which `body` was read: latin-1 where it is no UTF-8, so that its bytes come back."""
    values: dict[str, Value] = {}
    status: int = 0
    """What was answered when it was recorded."""
    at: float = 0.0
    """Seconds since the first request."""


class Header(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The first line."""

    format: str
    version: int
    application: str = ""
    start_state: str = ""
    """Folder beside the file with the database and files from which it was recorded."""
    secrets: int = 0
    """How many secrets were taken out."""


class RecordedTraffic(msgspec.Struct, kw_only=True):
    """The whole file."""

    header: Header
    steps: list[Step]


def save(traffic: RecordedTraffic, path: Path) -> None:
    """Write the file, a line for the header and one for each step."""
    lines = [traffic.header, *traffic.steps]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def load(path: Path) -> RecordedTraffic:
    """Read the file; ConfigurationError with the line for one that is no recorded traffic."""
    hint = f"migrator record . -o {path}"
    if not path.is_file():
        raise ConfigurationError("there is no such file", place=Place(str(path)), hint=hint)
    lines = path.read_bytes().splitlines()
    number = 1
    try:
        header = msgspec.json.decode(lines[0] if lines else b"", type=Header)
        if (header.format, header.version) != (FORMAT, VERSION):
            raise ConfigurationError(
                f"{header.format} {header.version} is not the format {FORMAT} {VERSION}",
                place=Place(str(path), 1),
                hint=hint,
            )
        steps = []
        for line in lines[1:]:
            number += 1
            steps.append(msgspec.json.decode(line, type=Step))
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"no recorded traffic: {error}", place=Place(str(path), number), hint=hint
        ) from error
    return RecordedTraffic(header=header, steps=steps)


def filled(template: str, value: Callable[[str], str | None]) -> str:
    """The template with every `{{NAME}}` filled for which there is a value."""

    def one(found: re.Match[str]) -> str:
        given = value(found.group(1))
        return found.group(0) if given is None else given

    return _NAMED.sub(one, template)


def load_secrets(path: Path) -> dict[int, str]:
    """Secrets by number, as `save_secrets` wrote them; ConfigurationError if they are not."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[int, str])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"no secrets of recorded traffic: {error}",
            place=Place(str(path)),
            hint="write them with `migrator record --secrets FILE`",
        ) from error


def missing_secrets(traffic: RecordedTraffic, known: Mapping[int, str]) -> list[str]:
    """Each secret that is not known, by number, with the request that sends it first."""
    found: dict[int, str] = {}
    for number, step in enumerate(traffic.steps, start=1):
        for value in step.values.values():
            if value.secret is not None and value.secret not in known:
                path = step.target.partition("?")[0]
                found.setdefault(value.secret, f"request {number}, {step.method} {path}")
    return [f"secret {secret} ({where})" for secret, where in sorted(found.items())]


def save_secrets(secrets: dict[int, str], path: Path) -> None:
    """Write them where only their owner can read them."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(secrets, indent=1, ensure_ascii=False) + "\n")
