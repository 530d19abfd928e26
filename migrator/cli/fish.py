"""Completion in fish of words with commas: click's own script takes each for a word's end."""

from __future__ import annotations

from click.shell_completion import FishComplete, add_completion_class


class WithCommas(FishComplete):
    """`name` and `value` are parted at the first comma only."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


def register() -> None:
    """Use it for fish from now on."""
    add_completion_class(WithCommas)
