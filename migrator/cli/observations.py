"""What running showed beside what analysis says, as `analyze` prints it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

_MOST = 12


def print_observed(observed: dict[str, Any], out: Console) -> None:
    """Print both rates, then the holes and what was predicted and not seen.

    `observed` is a `model.program.Observed` as plain data.
    """
    out.print(
        f"observed: {len(observed['ran'])} entry points ran {observed['statements']} statements"
        f" in {observed['processes']} processes"
    )
    seen, predicted = observed["accesses"], observed["predicted"]
    out.print(f"  predicted among observed: {_rate(predicted, seen)} accesses to tables")
    expected, shown = observed["covered_accesses"], observed["covered_seen"]
    covered = len(observed["covered"])
    out.print(
        f"  observed among predicted: {_rate(shown, expected)}"
        f" for {covered} entry points with full branch coverage"
    )
    out.print(f"  calls predicted: {_rate(observed['calls_predicted'], observed['calls'])} pairs")
    _print_holes(observed["holes"], out)
    for each in observed["unseen"][:_MOST]:
        out.print(
            escape(
                f"  not seen: {each['entry_point']} {each['kind']} {each['table']},"
                f" predicted at {each['file']}:{each['line']} ({each['via']})"
            ),
            style="dim",
        )
    _print_more(observed["unseen"], out)


def _print_holes(holes: list[dict[str, Any]], out: Console) -> None:
    for hole in holes[:_MOST]:
        unknown = "" if hole["known"] else " (an entry point that analysis does not know)"
        place = f" at {hole['file']}:{hole['line']}" if hole["file"] else ""
        kind = "writes" if hole["kind"] == "write" else "reads"
        out.print(
            escape(
                f"hole: {hole['entry_point']}{unknown} {kind} {hole['table']}{place},"
                f" seen {hole['count']} times"
            ),
            style="bold yellow" if hole["kind"] == "write" else "yellow",
        )
        if hole["path"]:
            out.print(escape("      " + " > ".join(hole["path"])), style="dim")
    _print_more(holes, out)


def _print_more(listed: list[dict[str, Any]], out: Console) -> None:
    if len(listed) > _MOST:
        out.print(f"  and {len(listed) - _MOST} more: see --json")


def _rate(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "nothing to measure"
