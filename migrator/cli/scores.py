"""Tables of scores for the terminal, no wider than a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from migrator.cli.terminal import WIDTH, console

_LABEL_WIDTH = 30
_GAP = 2


def print_beside(
    names: Sequence[str],
    rows: Sequence[tuple[str, Sequence[str]]],
    services: Mapping[str, Sequence[str]],
    *,
    stderr: bool = False,
) -> None:
    """Figures of several plans, a column each, then the services of each.

    What does not fit beside each other goes into a table below.
    """
    out = console(stderr=stderr)
    for some in _fitting(names):
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        table.add_column("", width=_LABEL_WIDTH, no_wrap=True)
        for number in some:
            table.add_column(names[number], justify="right", no_wrap=True)
        for label, values in rows:
            table.add_row(label, *(values[number] for number in some))
        out.print(table)
    width = max(map(len, names))
    listed = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
    listed.add_column(width=width, no_wrap=True)
    listed.add_column()
    for name in names:
        listed.add_row(name, Text(", ".join(services[name])))
    out.print()
    out.print(listed)


def _fitting(names: Sequence[str]) -> list[list[int]]:
    """The positions of the names, in as many tables as the width needs."""
    tables: list[list[int]] = [[]]
    used = _LABEL_WIDTH
    for number, name in enumerate(names):
        if tables[-1] and used + _GAP + len(name) > WIDTH:
            tables.append([])
            used = _LABEL_WIDTH
        tables[-1].append(number)
        used += _GAP + len(name)
    return tables
