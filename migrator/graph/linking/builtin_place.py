"""A call of something of Python's own, as the tables of their semantics see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from migrator.facts import ir
from migrator.graph.linking import calling, operators
from migrator.graph.linking.definitions import Variant

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


class Place(NamedTuple):
    """A call of something outside."""

    linker: Linker
    variant: Variant
    instruction: int
    callee: int
    arguments: calling.Arguments
    target: int

    def argument(self, position: int) -> int | None:
        """The variable of a positional argument."""
        given = self.arguments.positional
        found = given[position] if position < len(given) else None
        return found if isinstance(found, int) else None

    def keyword(self, name: str) -> int | None:
        """The variable of a keyword argument."""
        return next((v for n, v in self.arguments.keywords if n == name), None)

    @property
    def decorates(self) -> bool:
        """Whether this is the application of a decorator."""
        code = self.variant.function.facts.code[self.instruction]
        return code[0] == ir.CALL and bool(code[6] & ir.DECORATES)

    @property
    def receiver(self) -> int:
        """The value whose method is called."""
        return self.linker.values.owners[self.callee]

    def call(
        self, functions: int | None, arguments: Sequence[calling.Argument], target: int
    ) -> None:
        """Call every value of a variable."""
        if functions is None:
            return
        given = calling.Arguments(tuple(arguments), ())
        data = (self.variant, self.instruction, None, given, target, True)
        self.linker.watch(functions, self.linker.on_method, data)

    def element(self, variable: int | None) -> int:
        """A variable of what comes out of an iteration over a variable."""
        target = self.linker.slot("element", self.variant.id, self.instruction, variable)
        if variable is not None:
            watcher = operators.iterator(self.linker)
            self.linker.watch(variable, watcher, (self.variant, self.instruction, target))
        return target

    def make(self, name: str, element: int | None) -> None:
        """The result is a container of that element."""
        value = self.linker.values.container(
            name, "call", self.variant.id, self.instruction, self.callee
        )
        if element is not None:
            self.linker.flow(element, self.linker.containers.of(value).element)
        self.linker.put(self.target, value)


Semantics = Callable[[Place], bool]
