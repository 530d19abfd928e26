"""The syntax tree of a source, also where its grammar is newer than the running interpreter's."""

from __future__ import annotations

import ast


def parse(content: bytes) -> ast.Module:
    """The tree of a file. Raises what `ast.parse` raises."""
    return ast.parse(content)
