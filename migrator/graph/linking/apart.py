"""Which instances are told apart by where they are made, and which classes by what they inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking.definitions import Function, Variant
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


class Apart:
    """What frameworks say of classes, kept once all code is known or the answer is yes."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._sensitive: dict[int, bool] = {}
        self._apart: dict[int, bool] = {}

    def receiver_sensitive(self, class_value: int) -> bool:
        """Whether a framework wants inherited methods told apart by this class."""
        linker = self._linker
        if linker.values.kinds[class_value] != Kind.CLASS:
            return False
        known = self._sensitive.get(class_value)
        if known is None:
            known = linker.foreign.receiver_sensitive(class_value)
            if linker.everything or known:
                self._sensitive[class_value] = known
        return known

    def tell_apart(self, class_value: int) -> None:
        """From now on inherited methods are told apart by this class."""
        self._sensitive[class_value] = True

    def new_instance(self, class_value: int, variant: Variant, index: int) -> int:
        """The value of what calling a class of the project at a place gives.

        What decorates a function, or is made of it, is never mixed with what decorates another.
        """
        linker = self._linker
        known = self._apart.get(class_value)
        if known is None:
            known = linker.foreign.instances_apart(class_value) or self._names_its_own(class_value)
            if linker.everything or known:
                self._apart[class_value] = known
        if known or index in variant.function.decorating:
            return linker.values.instance(class_value, variant.id, index)
        return linker.values.instance(class_value)

    def _names_its_own(self, class_value: int) -> bool:
        """Whether the constructor makes an outside thing of a name that is put together."""
        linker = self._linker
        found = linker.class_attribute_variable(class_value, "__init__")
        for value in linker.values_of(found) if found is not None and linker.foreign.naming else ():
            if value not in linker.function_of_value:
                continue
            function, _ = linker.function_of_value[value]
            read = {code[1]: code for code in function.facts.code if code[0] == ir.ATTRIBUTE}
            for code in function.facts.code:
                if code[0] == ir.CALL and 0 not in dict(code[5]):
                    through = read.get(code[2])
                    base, end = (through[2], f".{through[3]}") if through else (code[2], "")
                    names = self._global_names(function, base)
                    if any(f"{each}{end}" in linker.foreign.naming for each in names):
                        return True
        return False

    def _global_names(self, function: Function, local: int) -> list[str]:
        """The dotted names of what a variable of the module around a function holds."""
        linker = self._linker
        if local >= 0 or function.facts.refs[~local][0] != -1:
            return []
        held = linker.values_of(function.module.refs[function.facts.refs[~local][1]])
        return [linker.values.names[each] for each in held]
