"""Which frameworks a value concerns: they are asked what its calls, attributes and items mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

Frameworks = tuple[Framework, ...]


class Concerned:
    """Finds them by the dotted names that frameworks claim, and keeps what it has found."""

    def __init__(self, linker: Linker, frameworks: Frameworks) -> None:
        self._linker = linker
        self._frameworks = frameworks
        self._by_name = {each.name: each for each in frameworks}
        self._by_prefix: dict[str, list[Framework]] = {}
        for each in frameworks:
            for prefix in each.externals:
                self._by_prefix.setdefault(prefix, []).append(each)
        self._of_names: dict[str, Frameworks] = {}
        self._of_values: dict[int, Frameworks] = {}
        """Of values that no class of the project has a part in: those never change."""

    def of_name(self, name: str) -> Frameworks:
        """Those that claim an outside dotted name, or a package around it."""
        known = self._of_names.get(name)
        if known is None:
            found: dict[Framework, None] = {}
            prefix = name
            while prefix:
                for each in self._by_prefix.get(prefix, ()):
                    found[each] = None
                prefix = prefix.rpartition(".")[0]
            known = tuple(each for each in self._frameworks if each in found)
            self._of_names[name] = known
        return known

    def of_value(self, value: int) -> Frameworks:
        """Those that a value concerns, as far as is known by now."""
        known = self._of_values.get(value)
        if known is None:
            known = self._find(value)
            if self.is_final(value):
                self._of_values[value] = known
        return known

    def is_final(self, value: int) -> bool:
        """Whether they stay the same: a class of the project may get other bases."""
        values = self._linker.values
        kind = values.kinds[value]
        if kind == Kind.BOUND:
            return self.is_final(values.functions[value]) and self.is_final(values.owners[value])
        return kind not in (Kind.CLASS, Kind.INSTANCE) or not self._frameworks

    def _find(self, value: int) -> Frameworks:
        values = self._linker.values
        kind = values.kinds[value]
        if kind == Kind.OPAQUE:
            owner = self._by_name.get(values.names[value].partition(":")[0])
            return (owner,) if owner is not None else ()
        if kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE):
            return self.of_name(values.names[value])
        if kind == Kind.BOUND:
            first = self.of_value(values.functions[value])
            second = self.of_value(values.owners[value])
            return tuple(dict.fromkeys(first + second)) if first and second else first or second
        if kind in (Kind.CLASS, Kind.INSTANCE):
            class_value = value if kind == Kind.CLASS else values.owners[value]
            known = self._linker.asked_of_classes.get(class_value)
            if known is None:
                known = self._linker.asked_of_classes[class_value] = self._of_class(class_value)
            return known
        return ()

    def _of_class(self, class_value: int) -> Frameworks:
        values = self._linker.values
        found: dict[Framework, None] = {}
        for base in self._linker.order(class_value):
            if values.kinds[base] == Kind.BOUND:
                found.update(dict.fromkeys(self.of_value(values.functions[base])))
            elif base not in self._linker.class_of_value:
                found.update(dict.fromkeys(self.of_value(base)))
        return tuple(found)
