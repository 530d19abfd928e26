"""`migrator list`: ask the graph."""

from __future__ import annotations

import difflib
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from migrator.cli.completion import of_plan
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError
from migrator.model.program import Access, EntryPoint, Program

Rows = list[dict[str, Any]]

_FEW = 3
"""More entry points than this that share their evidence are counted first, and named below."""


@click.command("list")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option(
    "--entry-points", "what", flag_value="entry_points", default=True, help="The default."
)
@click.option("--tables", "what", flag_value="tables", help="All tables.")
@click.option("--state", "what", flag_value="state", help="State in the process and on its disk.")
@click.option(
    "--systems", "what", flag_value="systems", help="Systems outside, and who calls them."
)
@click.option(
    "--environment", "what", flag_value="environment", help="Environment and configuration keys."
)
@click.option(
    "--distributions", "what", flag_value="distributions", help="Packages that are imported."
)
@click.option("--unresolved", "what", flag_value="unresolved", help="What could not be resolved.")
@click.option(
    "--writes",
    metavar="TABLE",
    default="",
    help="The entry points that write a table.",
    shell_complete=of_plan("tables"),
)
@click.option(
    "--reads",
    metavar="TABLE",
    default="",
    help="The entry points that read a table.",
    shell_complete=of_plan("tables"),
)
@click.option(
    "--of",
    metavar="ENTRY_POINT",
    default="",
    help="What an entry point reads and writes.",
    shell_complete=of_plan("entry_points"),
)
@click.option("--json", "as_json", is_flag=True, help="The rows as JSON on stdout.")
def command(source: Path, what: str, writes: str, reads: str, of: str, as_json: bool) -> None:
    """Ask the graph of the monolith in SOURCE, which is analysed first if it has changed.

    Example: migrator list --writes invoices
    """
    if sum(map(bool, (writes, reads, of))) > 1:
        raise ConfigurationError(
            "--writes, --reads and --of are questions of their own", hint="ask one at a time"
        )
    root = source.resolve()
    program = current_graph(root, load_settings(root), TerminalProgress()).program
    if writes or reads:
        rows = accesses_of_table(program, writes or reads, writes=bool(writes))
    elif of:
        rows = accesses_of_entry_point(program, of)
    elif what == "tables":
        rows = _tables(program)
    elif what == "state":
        rows = _state(program)
    elif what == "unresolved":
        rows = _unresolved(program)
    elif what == "systems":
        rows = _places("system", "called by", program.externals)
    elif what == "environment":
        rows = _places("key", "read at", program.environment)
    elif what == "distributions":
        rows = _places("package", "imported by", _distributions(program))
    else:
        rows = _entry_points(program)
    if as_json:
        print_json(rows)
    elif writes or reads or of:
        _print_evidence(rows)
    else:
        _print(rows)


def accesses_of_table(program: Program, table: str, *, writes: bool) -> Rows:
    """The entry points that write, or else read, a table, each with its evidence."""
    if table not in program.tables:
        raise ConfigurationError(
            f"there is no table {table}",
            hint=_nearest(table, program.tables, "migrator list --tables"),
        )
    rows = []
    for entry in program.entry_points.values():
        for access in entry.writes if writes else entry.reads:
            if access.table == table:
                rows.append({"entry point": entry.name, **_evidence(access)})
    return rows


def accesses_of_entry_point(program: Program, name: str) -> Rows:
    """What an entry point reads and writes; it is named by name, endpoint or URL rule."""
    rows = []
    for entry in _named(program, name):
        for kind, accesses in (("write", entry.writes), ("read", entry.reads)):
            for access in accesses:
                rows.append({"table": access.table, "does": kind, **_evidence(access)})
    return rows


def _named(program: Program, name: str) -> Sequence[EntryPoint]:
    entry = program.entry_points.get(name)
    if entry is not None:
        return [entry]
    found = [
        each
        for each in program.entry_points.values()
        if name in (each.endpoint, each.handler) or name in {route.rule for route in each.routes}
    ]
    if not found:
        known = {*program.entry_points, *(e.endpoint for e in program.entry_points.values())}
        raise ConfigurationError(
            f"there is no entry point {name}", hint=_nearest(name, known, "migrator list")
        )
    return found


def _nearest(name: str, known: Iterable[str], verb: str) -> str:
    near = difflib.get_close_matches(name, [each for each in known if each], n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}`{verb}` shows all"


def _evidence(access: Access) -> dict[str, Any]:
    return {
        "how": " ".join(part for part in (access.operation, access.via) if part),
        "in hook": access.in_hook,
        "at": f"{access.file}:{access.line}",
        "path": list(access.path),
    }


def _entry_points(program: Program) -> Rows:
    return [
        {
            "entry point": entry.name,
            "rules": [f"{' '.join(route.methods)} {route.rule}" for route in entry.routes],
            "writes": sorted({each.table for each in entry.writes if not each.in_hook}),
            "reads": sorted({each.table for each in entry.reads if not each.in_hook}),
            "at": f"{entry.file}:{entry.line}",
        }
        for entry in program.entry_points.values()
    ]


def _tables(program: Program) -> Rows:
    writers: dict[str, int] = {}
    readers: dict[str, int] = {}
    for entry in program.entry_points.values():
        for table in {access.table for access in entry.writes}:
            writers[table] = writers.get(table, 0) + 1
        for table in {access.table for access in entry.reads}:
            readers[table] = readers.get(table, 0) + 1
    return [
        {
            "table": name,
            "columns": len(table.columns),
            "refers to": sorted({column.referred for column in table.columns} - {""}),
            "writers": writers.get(name, 0),
            "readers": readers.get(name, 0),
            "model": table.model,
            "at": f"{table.file}:{table.line}",
        }
        for name, table in sorted(program.tables.items())
    ]


def _state(program: Program) -> Rows:
    return [
        {
            "name": finding.name,
            "kind": finding.kind,
            "detail": finding.detail,
            "writers": list(finding.writers),
            "readers": list(finding.readers),
            "at": f"{finding.file}:{finding.line}",
        }
        for finding in program.state
    ]


def _places(what: str, where: str, found: dict[str, list[str]]) -> Rows:
    return [{what: name, where: sorted(places)} for name, places in sorted(found.items())]


def _distributions(program: Program) -> dict[str, list[str]]:
    """Without what comes with Python itself."""
    return {
        name: modules
        for name, modules in program.distributions.items()
        if name not in sys.stdlib_module_names
    }


def _unresolved(program: Program) -> Rows:
    return [
        {
            "reason": each.reason,
            "function": each.function,
            "detail": each.detail,
            "at": f"{each.file}:{each.line}",
        }
        for each in program.unresolved
    ]


def _print(rows: Rows) -> None:
    """A table; a record for each row where a table would have to break names."""
    out = console()
    if not rows:
        out.print("none")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if _is_number(value) else "left", no_wrap=True)
    for row in rows:
        table.add_row(*("\n".join(_lines(value)) for value in row.values()))
    if Measurement.get(out, out.options.update(width=10_000), table).maximum <= out.width:
        out.print(table)
        return
    for row in rows:
        _print_record(out, row)


def _print_record(out: Console, row: dict[str, Any]) -> None:
    """What is asked for and where it is on a line, and the rest below, each with its name."""
    first, *others = row
    at = Text(f"  {row['at']}" if "at" in row else "", style="cyan")
    out.print(Text(str(row[first]), style="bold") + at, soft_wrap=True)
    shown = {name: _lines(row[name]) for name in others if name != "at"}
    indent = max((len(name) for name, lines in shown.items() if lines), default=0) + 4
    for name, lines in shown.items():
        label = f"  {name}".ljust(indent)
        for line in textwrap.wrap(
            ", ".join(lines), out.width - indent, break_long_words=False, break_on_hyphens=False
        ):
            out.print(Text.assemble((label, "dim"), line), soft_wrap=True)
            label = " " * indent


def _print_evidence(rows: Rows) -> None:
    """Accesses that have the same evidence once: how and where, the calls, and of whom or what."""
    out = console()
    groups: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        first, *_ = row.values()
        does = row.get("does", "")
        key = (does, row["how"], row["in hook"], row["at"], tuple(row["path"]))
        groups.setdefault(key, []).append(first)
    for (does, how, in_hook, at, path), names in groups.items():
        hook = "  around every request" if in_hook else ""
        few = len(names) <= _FEW
        shown = ", ".join(names) if few else f"{len(names)} entry points"
        said = f"  {does} {how}" if does else f"  {how}"
        out.print(Text.assemble((shown, "bold"), f"{said}{hook}  ", (at, "cyan")), soft_wrap=True)
        calls = textwrap.wrap(" > ".join(_short(each) for each in path), out.width - 4)
        out.print(Text("\n".join(f"    {line}" for line in calls), style="dim"), soft_wrap=True)
        if not few:
            for line in textwrap.wrap(", ".join(names), out.width - 4, break_on_hyphens=False):
                out.print(Text(f"    {line}"), soft_wrap=True)
    if not rows:
        out.print("none")


def _short(function: str) -> str:
    return ".".join(function.split(".")[-2:])


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return value
    if isinstance(value, bool):
        return ["yes"] if value else []
    return [str(value)] if value != "" else []
