"""What a framework's rule becomes."""

from __future__ import annotations

from typing import Any, NamedTuple


class Pattern(NamedTuple):
    """A regular expression (PCRE, over the decoded path, without anchors) and when it is tried."""

    key: tuple[Any, ...]
    """Least first, as the framework tries them."""
    regex: str
    note: str = ""
    """What the expression cannot say of the rule."""
    corrects_slash: bool = False
    """The framework knows the path only for methods that the rule names: for a redirect."""
