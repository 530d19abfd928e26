"""Graphs of small projects for tests, and their effects as text that people can check."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.program import Access, EntryPoint, Program
from migrator.model.progress import Silent
from migrator.model.settings import Settings

ASSETS = Path(__file__).parent.parent / "assets"


def graph_of(root: Path) -> Graph:
    """The graph of a project, analysed with the default settings."""
    return build_graph(root, Settings(), Silent())


def program_of(root: Path, **files: str) -> Program:
    """The program of modules that are given as text; `pkg__module` is `pkg/module.py`."""
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return graph_of(root).program


def touches(accesses: tuple[Access, ...], *, hooks: bool = False) -> set[str]:
    """`table` of reads, `table operation` of writes; those of hooks only where asked for."""
    return {
        f"{access.table} {access.operation}".strip()
        for access in accesses
        if hooks or not access.in_hook
    }


def effects_as_text(program: Program) -> str:
    """All entry points with rules, accesses and transactions, in order of name."""
    return "\n".join(_entry(entry) for entry in program.entry_points.values()) + "\n"


def _entry(entry: EntryPoint) -> str:
    lines = [entry.name]
    for route in entry.routes:
        defaults = f" {route.defaults}" if route.defaults else ""
        lines.append(f"  {' '.join(route.methods)} {route.rule}{defaults}")
    for kind, accesses in (("reads", entry.reads), ("writes", entry.writes)):
        own, outer = touches(accesses), touches(accesses, hooks=True)
        if own:
            lines.append(f"  {kind} {', '.join(sorted(own))}")
        if outer - own:
            lines.append(f"  {kind} around {', '.join(sorted(outer - own))}")
    for transaction in entry.transactions:
        function = transaction.function.rsplit(".", 1)[-1]
        lines.append(f"  commits {', '.join(transaction.tables)} in {function}")
    return "\n".join(lines)
