"""Whether SQLite is told to enforce foreign keys: it does not by itself."""

from __future__ import annotations

import re

from migrator.graph.analysis import Analysis

_ENFORCES = re.compile(rb"(?i)PRAGMA\s+foreign_keys\s*(=|\()\s*['\"]?(on|1|true|yes)")


def find_enforcement(analysis: Analysis) -> None:
    """Where the program switches it on; looked for in the text, since any connection may be told.

    Nothing is read where no table refers to another.
    """
    program = analysis.program
    if not any(each.references for table in program.tables.values() for each in table.columns):
        return
    for _, file in sorted(program.modules.items()):
        try:
            text = (analysis.root / file).read_bytes()
        except OSError:
            continue
        if found := _ENFORCES.search(text):
            line = text.count(b"\n", 0, found.start()) + 1
            program.enforces_keys = f"{file}:{line}"
            return
