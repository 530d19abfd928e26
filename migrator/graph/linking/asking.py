"""What instances are asked to be by code that is not theirs: a text, a truth value, an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.items import special_method
from migrator.graph.linking.solver import NOWHERE, once
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

AS_TEXT = ("__str__",)
"""What has only `__repr__` is rarely made a text on purpose; most is known of it by mistake."""
AS_FORMATTED = ("__format__", *AS_TEXT)
AS_REPRESENTED = ("__repr__",)

MOST_ASKED = 4
"""Anything can be made a text: a variable that may hold more kinds of things says little of it."""


@once
def asking(linker: Linker) -> Callable[[int, Any], None]:
    """A watcher: an instance is asked by the first of several methods that it has."""

    def watcher(value: int, data: tuple[Variant, int, Sequence[str], int | None, int]) -> None:
        variant, index, methods, other, target = data
        if linker.values.kinds[value] == Kind.INSTANCE:
            given = [other] if other is not None else []
            for method in methods:
                if special_method(linker, variant, index, value, method, given, target):
                    return

    return watcher


def ask_few(
    linker: Linker, variant: Variant, index: int, variable: int, methods: Sequence[str]
) -> None:
    """Ask what a variable holds, where it is known well; nothing uses what comes of it."""
    linker.start(_ask_few, linker, variant, index, variable, methods)


def _ask_few(
    linker: Linker, variant: Variant, index: int, variable: int, methods: Sequence[str]
) -> None:
    kinds = linker.values.kinds
    found = [each for each in linker.points_to(variable) if kinds[each] == Kind.INSTANCE]
    if found and len(found) <= MOST_ASKED and not linker.wait():
        for each in found:
            asking(linker)(each, (variant, index, methods, None, NOWHERE))
