"""What a call of something outside gives where neither a builtin nor a framework says it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking import calling
from migrator.graph.linking.concerned import Concerned
from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

_LONGEST = 8
"""Names of results are not made longer than this many parts."""
_NOTHING = -1


class Results:
    """Gives results, each of which is a value of its own for each callee."""

    def __init__(self, linker: Linker, concerned: Concerned) -> None:
        self._linker = linker
        self._concerned = concerned
        self._known: dict[int, int] = {}
        """By callee, as long as no framework may come to be concerned with it."""

    def giver(
        self,
        variant: Variant,
        index: int,
        callee: int,
        arguments: calling.Arguments,
        target: int,
    ) -> Callable[[], None]:
        """What lets a variable have the result of a call; it may be called again."""
        first = arguments.positional[0] if arguments.positional else None
        code = variant.function.facts.code[index]
        if code[0] == ir.CALL and code[6] & ir.DECORATES and isinstance(first, int):
            return partial(self._linker.flow, first, target)
        found = self._result(callee)
        if found == _NOTHING:
            return _nothing
        is_wrapper = (
            self._linker.values.kinds[callee] == Kind.EXTERNAL_INSTANCE
            and not arguments.keywords
            and len(arguments.positional) == 1
        )
        if is_wrapper and isinstance(first, int):
            return partial(self._give_wrapper, [first], found, target)
        return partial(self._linker.put, target, found)

    def _give_wrapper(self, wrapped: list[int], found: int, target: int) -> None:
        """A decorator that is applied by hand, `limit("5/h")(view)`, gives what it was given too.

        Such a call looks like this: what something outside gave was called with one thing.
        """
        self._linker.put(target, found)
        while wrapped:
            self._linker.watch(wrapped.pop(), self._wrapped, target)

    def _wrapped(self, value: int, target: int) -> None:
        """What such a decorator gives is taken to be the function that it was given."""
        if self._linker.values.kinds[value] == Kind.FUNCTION:
            self._linker.put(target, value)

    def _result(self, callee: int) -> int:
        known = self._known.get(callee)
        if known is None:
            known = self._find(callee)
            if self._concerned.is_final(callee):
                self._known[callee] = known
        return known

    def _find(self, callee: int) -> int:
        """The value of a result, or nothing where it would get too long a name.

        A method of something that no framework knows gives something of the same package, of which
        no more is known: `requests.get().json()` is `requests.?`.
        """
        values = self._linker.values
        name = values.names[callee]
        if values.kinds[callee] == Kind.OPAQUE:
            return _NOTHING
        if name.startswith("builtins.str."):
            return values.external_instance("builtins.str")
        if values.kinds[callee] == Kind.BOUND and not self._concerned.of_value(callee):
            return values.external_instance(f"{name.partition('.')[0]}.?")
        return values.external_instance(name) if name.count(".") < _LONGEST else _NOTHING


def _nothing() -> None:
    """There is no result."""
