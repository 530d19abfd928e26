"""One mark on a line of code."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["error", "warning", "note"]
"""The levels of SARIF 2.1.0, 3.27.10; GitHub's commands call the last one `notice`."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said, of which rule, and where."""

    rule: str
    level: Level
    title: str
    """What the rule is about, the same for all its annotations."""
    message: str
    file: str = ""
    """Relative to the repository, with `/`; empty: it stands nowhere in particular."""
    line: int = 0
    """From 1 on; 0: the whole file."""
    hint: str = ""
