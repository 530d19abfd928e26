"""Objects that nobody in the project is seen to make, and that may be there all the same.

Some code outside, a plug-in table or a container of services makes them. Rules, applied when all
else is at rest, say where such an object stands in for one of its base class:

* a class that no code makes is made by somebody: the inherited methods that call what it overrides
  may run for it, and it may be what is annotated with its base class;
* an inherited method that no code calls is called by somebody, for any class that inherits it;
* what is annotated with an abstract class is of one of its subclasses, and with a protocol of one
  that has all of its methods;
* what is caught by the name of a class may be of a subclass that some code makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking import calling
from migrator.graph.linking.definitions import Class, Function, Variant
from migrator.graph.linking.items import special_method
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.stated_types import is_protocol

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

_MOST_SUBCLASSES = 30
"""To be one of more subclasses than this says little."""
_ABSTRACT = frozenset({"abstractmethod", "abstractproperty"})


class Substitutes:
    """Finds them, once for a linker."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._made = {
            each for v in linker.variants for some in v.instances.values() for each in some
        }
        self._called = {each.function.index for each in linker.variants if each.called}
        self._read_from_self: dict[int, dict[str, list[tuple[str, Function, int]]]] = {}
        self._stored = linker.stored_names()
        self._functions_of: dict[int, list[Function]] = {}
        """By index of the class."""
        for function in linker.functions:
            if function.class_ is not None:
                self._functions_of.setdefault(function.class_.index, []).append(function)
        self._subclasses: dict[int, tuple[int, ...]] = {}
        """By value of the class, as the next."""
        self._stand_ins: dict[int, tuple[int, ...]] = {}
        self._holders: dict[str, list[int]] = {}
        """By name: the classes that bind it themselves."""

    def find(self) -> None:
        """Let inherited methods and abstract annotations have what they may have."""
        linker, made = self._linker, self._made
        for class_ in linker.classes:
            order = linker.order(class_.value)
            if len(order) > 1 and not linker.apart.receiver_sensitive(class_.value):
                self._inherit(class_, order, class_.value in made)
        for class_value, target in linker.annotations_of_classes:
            linker.add(target, *self._instead(class_value))
        for class_value, target in linker.caught:
            raised = [each for each in self._below(class_value) if each in made]
            linker.add(target, *map(linker.values.instance, raised))

    def _inherit(self, class_: Class, order: tuple[int, ...], is_made: bool) -> None:
        linker = self._linker
        for position, value in enumerate(order[:-1]):
            holder = linker.class_of_value.get(value)
            if holder is None:
                continue
            own = linker.order(value) if position else ()  # that class itself stands in there
            bases = [each for each in order[position + 1 :] if each not in own]
            readers = [(base, read) for base in bases if (read := self._readers(base))]
            if not readers:
                continue
            stored = self._stored.get(linker.values.instance(value), ())
            for name in (*holder.attributes, *stored):
                variable = holder.attributes.get(name)
                for base, read in readers:
                    if name not in read:
                        continue
                    if linker.class_attribute_variable(class_.value, name) != variable:
                        break
                    for method, function, index in read[name]:
                        if variable is None and not _calls(function, index):
                            continue
                        if not is_made or function.index not in self._called:
                            self._receive(class_, base, method, function, index)

    def _readers(self, class_value: int) -> dict[str, list[tuple[str, Function, int]]]:
        """Attributes to the methods of a class that read them of their receiver, with the place."""
        known = self._read_from_self.get(class_value)
        if known is None:
            known = self._read_from_self[class_value] = {}
            class_ = self._linker.class_of_value.get(class_value)
            for method, function in self._methods(class_) if class_ is not None else ():
                receiver = function.positional[0].variable
                for index, code in enumerate(function.facts.code):
                    name = _looked_for(code, receiver)
                    if name:
                        known.setdefault(name, []).append((method, function, index))
        return known

    def _receive(
        self, class_: Class, base: int, method: str, function: Function, index: int
    ) -> None:
        """Let a method, where it is inherited, read what another class has under the name."""
        linker = self._linker
        inherited = linker.class_of_value[base].attributes.get(method)
        if inherited is None:
            return
        if linker.class_attribute_variable(class_.value, method) != inherited:
            return
        known = function.variants.get((-1, "general"))
        if known is not None:
            value = class_.value
            if "classmethod" not in function.facts.decorators:
                value = linker.values.instance(value)
            code = function.facts.code[index]
            if code[0] != ir.ATTRIBUTE:
                name = _looked_for(code, function.positional[0].variable)
                special_method(linker, known, index, value, name, [], NOWHERE)
                return
            found = linker.new()
            linker.on_load(value, (known, index, code[3], found))
            for place, each in enumerate(function.facts.code):
                if each[0] == ir.CALL and each[2] == code[1]:
                    linker.watch(found, self._call, (known, place))

    def _call(self, callee: int, data: tuple[Variant, int]) -> None:
        """What a call gives goes nowhere: it would be one of many in all that follows."""
        variant, index = data
        linker = self._linker
        arguments = calling.arguments_of(linker, variant, variant.function.facts.code[index])
        calling.call_value(linker, variant, index, callee, arguments, NOWHERE)

    def _instead(self, class_value: int) -> tuple[int, ...]:
        """The instances that may be there where one of a class is announced."""
        known = self._stand_ins.get(class_value)
        if known is None:
            linker = self._linker
            found = self._below(class_value)
            if is_protocol(linker, class_value):
                found = tuple(dict.fromkeys((*found, *self._alike(class_value))))
                found = found if len(found) <= _MOST_SUBCLASSES else ()
            elif linker.apart.receiver_sensitive(class_value):
                found = ()
            elif not self._is_abstract(linker.class_of_value[class_value]):
                found = tuple([each for each in found if each not in self._made])
            known = tuple(map(linker.values.instance, found))
            self._stand_ins[class_value] = known
        return known

    def _below(self, class_value: int) -> tuple[int, ...]:
        """The subclasses of a class, at any depth; none where there are too many to say much."""
        known = self._subclasses.get(class_value)
        if known is None:
            linker = self._linker
            found: dict[int, None] = {}
            waiting = [linker.class_of_value[class_value]]
            while waiting and len(found) <= _MOST_SUBCLASSES:
                for index in sorted(waiting.pop().subclasses):
                    each = linker.classes[index]
                    if each.value not in found:
                        found[each.value] = None
                        waiting.append(each)
            known = tuple(found) if len(found) <= _MOST_SUBCLASSES else ()
            self._subclasses[class_value] = known
        return known

    def _alike(self, class_value: int) -> Iterator[int]:
        """The classes that have all the methods of a protocol, of those that bind one of them."""
        linker = self._linker
        wanted = [
            method
            for each in linker.order(class_value)
            if each in linker.class_of_value
            for method, _ in self._methods(linker.class_of_value[each])
        ]
        if not self._holders:
            for class_ in linker.classes:
                for name in class_.attributes:
                    self._holders.setdefault(name, []).append(class_.value)
        holders = [self._holders.get(name, []) for name in wanted]
        for value in min(holders, key=len, default=()):
            if not is_protocol(linker, value) and all(
                linker.class_attribute_variable(value, name) is not None for name in wanted
            ):
                yield from (value, *self._below(value))

    def _methods(self, class_: Class) -> Iterator[tuple[str, Function]]:
        for function in self._functions_of.get(class_.index, ()):
            if function.positional and "staticmethod" not in function.facts.decorators:
                yield function.facts.name.rpartition(".")[2], function

    def _is_abstract(self, class_: Class) -> bool:
        """Whether it has a method that only subclasses can have."""
        return any(
            any(each.rpartition(".")[2] in _ABSTRACT for each in function.facts.decorators)
            or _only_raises(function)
            for function in self._functions_of.get(class_.index, ())
        )


def _looked_for(code: ir.Instruction, receiver: int) -> str:
    """The attribute that an instruction looks up on a variable, or the empty text."""
    if code[0] == ir.ATTRIBUTE and code[2] == receiver:
        name: str = code[3]
        return name
    if code[0] == ir.ITEM and code[2] == receiver:
        return "__getitem__"
    if code[0] == ir.SET_ITEM and code[1] == receiver:
        return "__delitem__" if code[5] & ir.DELETES else "__setitem__"
    return ""


def _calls(function: Function, index: int) -> bool:
    """Whether what an instruction gives is called."""
    given = function.facts.code[index][1]
    return any(code[0] == ir.CALL and code[2] == given for code in function.facts.code)


def _only_raises(function: Function) -> bool:
    """Whether it gives nothing, and raises nothing but NotImplementedError."""
    return any(
        {*each.raises} == {"builtins.NotImplementedError"} for each in function.variants.values()
    ) and not any(each[1] == ir.RETURNED for each in function.facts.code)
