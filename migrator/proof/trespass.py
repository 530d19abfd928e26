"""Accesses to tables of others that services refused while they ran: what the analysis missed.

servicekit writes a structured log record for each, with the stack. The stack's innermost frame in
the service's copy of the application says which statement it was, and `origin.json` where that
stands in the monolith.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from migrator.facts.syntax import parse
from migrator.model.errors import Place
from migrator.operation.system import RunningSystem

WRITTEN = "ownership violation"
UNKNOWN = "the plan does not know that this reads a table"
"""The table is neither owned nor a replica here, so that reading and writing it fails."""

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


class Trespass(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """An access to a table, or folder, that the plan does not give this service; refused."""

    service: str
    table: str
    owner: str
    """Empty when no service owns it."""
    written: bool
    """A write to a replica; otherwise the service has no such table at all."""
    place: str = ""
    """File and line in the monolith; empty when no frame of the application is on the stack."""
    count: int = 1

    def __str__(self) -> str:
        at = f"{self.place}: " if self.place else ""
        owner = f", which {self.owner} owns" if self.owner else ", which nobody owns"
        how = "a write was refused" if self.written else "it has no copy of it"
        times = "once" if self.count == 1 else f"{self.count} times"
        what = self.table if self.table.startswith("folder ") else f"table {self.table}"
        return f"{at}{self.service} uses {what}{owner}: {how} ({times})"


class _Record(msgspec.Struct):
    """The fields of a log record that matter here."""

    event: str = ""
    table: str = ""
    owner: str = ""
    stack: str = ""


def find_trespasses(system: RunningSystem, root: Path) -> list[Trespass]:
    """What the services of a running system have refused since it started, each place once.

    `root` is the monolith's folder.
    """
    owners = {
        table: name
        for name, service in system.services.items()
        for table in service.manifest.tables
    }
    counted: Counter[Trespass] = Counter()
    for name, service in system.services.items():
        source = system.output / name / "src"
        for log in sorted(service.logs.glob("*.log")):
            for record in _records(log):
                counted[
                    Trespass(
                        service=name,
                        table=record.table,
                        owner=record.owner or owners.get(record.table, ""),
                        written=record.event == WRITTEN,
                        place=_place(record.stack, source, root),
                    )
                ] += 1
    return sorted(msgspec.structs.replace(each, count=n) for each, n in counted.items())


def _records(log: Path) -> Iterator[_Record]:
    with log.open("rb") as lines:
        for line in lines:
            if not line.startswith(b"{"):
                continue
            try:
                record = msgspec.json.decode(line, type=_Record)
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue  # the application's own output
            if record.table and record.event in (WRITTEN, UNKNOWN):
                yield record


def _place(stack: str, source: Path, root: Path) -> str:
    """The innermost frame of the application's own code, as a place in the monolith."""
    for frame in reversed(list(_FRAME.finditer(stack))):
        file = Path(frame["file"])
        if not file.is_relative_to(source) or file.is_relative_to(source / "servicekit"):
            continue
        return str(_in_monolith(file.relative_to(source), int(frame["line"]), source, root))
    return ""


def _in_monolith(file: Path, line: int, source: Path, root: Path) -> Place:
    """Where a line of the copy stands in the monolith: the same text in the same definition."""
    text = (source / file).read_text(encoding="utf-8")
    module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    begin, definition = _top_level(parse(text.encode()), line)
    origins = msgspec.json.decode((source.parent / "origin.json").read_bytes())
    origin = next((each for each in origins if each["name"] == f"{module}.{definition}"), None)
    if origin is None or not (root / origin["file"]).is_file():
        return Place(file.as_posix())
    copied = text.splitlines()[line - 1].strip()
    original = (root / origin["file"]).read_text(encoding="utf-8").splitlines()
    same = [
        number
        for number in range(origin["line"], min(origin["end_line"], len(original)) + 1)
        if original[number - 1].strip() == copied
    ]
    expected = origin["line"] + line - begin
    nearest = min(same, key=lambda number: abs(number - expected), default=origin["line"])
    return Place(origin["file"], nearest)


def _top_level(tree: ast.Module, line: int) -> tuple[int, str]:
    """The first line and the name of the function or class at top level that holds a line."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        begin = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        if begin <= line <= (node.end_lineno or node.lineno):
            return begin, node.name
    return 1, ""
