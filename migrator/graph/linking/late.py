"""Attributes that turn out to be set on classes after they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking import lookup
from migrator.graph.linking.given import excluded
from migrator.graph.linking.instructions import OPERATIONS

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


class LateAttributes:
    """Their names, and who reads them."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._names: set[str] = set()
        self._reads: dict[str, list[tuple[int, int]]] = {}
        """Names of attributes to the functions and instructions that read them."""

    def stores_on_class(self, name: str) -> None:
        """Some code sets an attribute of that name on a class: what reads it has to know."""
        self._linker.stored_on_classes.add(name)
        self._linker.plans.pop(name, None)
        self._names.add(name)

    def read_again(self) -> bool:
        """Look again for those that have turned up since; whether there were any."""
        linker = self._linker
        names, self._names = self._names, set()
        if names and not self._reads:
            for function in linker.functions:
                for index, ins in enumerate(function.facts.code):
                    if ins[0] == ir.ATTRIBUTE:
                        self._reads.setdefault(ins[3], []).append((function.index, index))
        for name in sorted(names):
            for number, index in self._reads.get(name, ()):
                function = linker.functions[number]
                for variant in function.variants.values():
                    runs = variant.ready and index not in excluded(
                        function, variant.env, variant.given
                    )
                    if runs:
                        instruction = function.facts.code[index]
                        OPERATIONS[ir.ATTRIBUTE](linker, variant, index, instruction)
        for key, target in linker.slots_of("attribute") if names else ():
            if key[3] in names:  # read by a framework
                (number, index), receiver = key[1], key[2]
                lookup.load(linker, receiver, (linker.variants[number], index, key[3], target))
        return bool(names)
