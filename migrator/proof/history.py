"""What both sides of a service answered, day by day: the evidence for deleting the old code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from migrator.model.private import PRIVATE

_FILE = "answers.jsonl"


class Compared(msgspec.Struct, kw_only=True):
    """One time that both sides were asked the same."""

    at: datetime
    service: str
    compared: int
    equal: int


def remember(output: Path, service: str, compared: int, equal: int) -> None:
    """Add what came of comparing to `OUTPUT/.migrator/answers.jsonl`; nothing for nothing."""
    if not compared:
        return
    entry = Compared(at=datetime.now(UTC), service=service, compared=compared, equal=equal)
    with (output / PRIVATE / _FILE).open("ab") as file:
        file.write(msgspec.json.encode(entry) + b"\n")


def read(output: Path) -> list[Compared]:
    """All of it, in order of time; a last line that a crash broke off is left out."""
    file = output / PRIVATE / _FILE
    if not file.is_file():
        return []
    lines = file.read_bytes().split(b"\n")
    return [msgspec.json.decode(line, type=Compared) for line in lines[:-1] if line]


def carry(source: Path, target: Path) -> None:
    """Let `target` know what was compared in `source` too: services move, and what they have shown.

    Nothing is told twice, however often they move there and back.
    """
    known = read(target)
    entries = {msgspec.json.encode(each): each.at for each in [*known, *read(source)]}
    if len(entries) > len(known):
        lines = sorted(entries, key=lambda line: entries[line])
        (target / PRIVATE / _FILE).write_bytes(b"".join(line + b"\n" for line in lines))


def days_of_equal_answers(history: list[Compared], service: str) -> int:
    """On how many days both sides were asked since they last answered differently."""
    days: set[str] = set()
    for entry in history:
        if entry.service == service:
            if entry.equal < entry.compared:
                days.clear()
            else:
                days.add(entry.at.date().isoformat())
    return len(days)
