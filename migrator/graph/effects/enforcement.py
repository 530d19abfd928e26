"""Whether SQLite is told to enforce foreign keys: it does not by itself."""

from __future__ import annotations

import ast
import re

from migrator.facts.moves import DOCUMENTED, without_docstring
from migrator.facts.syntax import nodes_of, parse
from migrator.graph.analysis import Analysis

_ENFORCES = r"(?i)PRAGMA\s+foreign_keys\s*(=|\()\s*['\"]?(on|1|true|yes)"
_IN_TEXT = re.compile(_ENFORCES)
_IN_CONTENT = re.compile(_ENFORCES.encode())


def find_enforcement(analysis: Analysis) -> None:
    """Where the program switches it on.

    Any text of the code counts, since any connection may be told. Nothing is read where no table
    refers to another.
    """
    program = analysis.program
    if not any(each.references for table in program.tables.values() for each in table.columns):
        return
    for _, file in sorted(program.modules.items()):
        try:
            content = (analysis.root / file).read_bytes()
            lines = _lines(parse(content)) if _IN_CONTENT.search(content) else []
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        if lines:
            program.enforces_keys = f"{file}:{min(lines)}"
            return


def _lines(tree: ast.Module) -> list[int]:
    """Where texts that are no docstrings say it."""
    nodes = nodes_of(tree)
    described: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, DOCUMENTED):
            described.update(set(node.body) - set(without_docstring(node)))
    return [
        node.lineno
        for statement in nodes
        for node in ast.iter_child_nodes(statement)
        if isinstance(node, ast.Constant) and statement not in described
        if isinstance(node.value, str) and _IN_TEXT.search(node.value)
    ]
