"""Methods as they act for one class of receiver, where the class decides what they call.

The linker analyses an inherited method once for all classes, unless a framework asks for more: it
knows each receiver's methods, but `self.step()` in there may be any of theirs. Here the walk from
the entry points goes through pairs of a variant and the class of its first parameter, so that
`Base.run` for a `Report` calls `Report.step` and nothing else. Only where some class makes a
difference there are such pairs (object sensitivity, Milanova, Rothermel and Ryder, 2005).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from migrator.graph.linking.definitions import Class, Function, Variant
from migrator.graph.linking.values import Kind
from migrator.graph.receiver_places import Place, places

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

MOST_RECEIVERS = 16
"""A call on more classes than this runs the method as it acts for all."""
MOST_STATES = 60_000

Code = tuple[int, int]
"""A function and the variant around it, by their numbers: what a method is, whatever it is for."""


class State(NamedTuple):
    """A variant, for one class as its first parameter; None: for all that it is called on."""

    variant: int
    receiver: int | None


class Receivers:
    """The states that run below some roots."""

    def __init__(self, linker: Linker, roots: Iterable[State]) -> None:
        self._linker = linker
        self.variants = linker.variants
        self._places_of: dict[int, dict[int, Place]] = {}
        self._classes_of: dict[int, frozenset[int]] = {}
        self._of_all: dict[tuple[int, Place], frozenset[Code]] = {}
        self._methods = lru_cache(maxsize=None)(self._find_methods)
        roots = list(roots)
        self._reached = self._reachable(each.variant for each in roots)
        self._differing = self._find_differing()
        self._states: dict[int, dict[int, None]] = {}
        """Variants to the classes for which they run."""
        self._left = MOST_STATES
        self._walk(roots)

    def of(self, variant: int) -> list[State]:
        """The states of a variant that have a class."""
        return [State(variant, each) for each in self._states.get(variant, ())]

    # -- what there is ----------------------------------------------------------------------------

    def _reachable(self, roots: Iterable[int]) -> dict[int, list[int]]:
        """The variants that run below some roots, with those that they call."""
        variants = self._linker.variants
        found: dict[int, list[int]] = {}
        waiting = list(roots)
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            variant = variants[key]
            called = found[key] = [each for group in variant.calls.values() for each in group]
            if self._is_full(variant):
                called += self._beyond(variant)
            waiting += called
        return found

    def _is_full(self, variant: Variant) -> bool:
        """Whether there may be more classes than its first parameter was let to hold."""
        first = variant.function.first
        if first is None or variant.function.class_ is None:
            return False
        return len(self._linker.values_of(variant.base + first)) >= self._linker.most_values

    def _beyond(self, variant: Variant) -> Iterator[int]:
        """What it calls for those classes."""
        for index, place in self._places(variant.function).items():
            if index in variant.calls and place.how == "own":
                for class_value in self._classes(variant):
                    for code in self._methods(class_value, place.name, None):
                        yield from self._general(code)

    def _general(self, code: Code) -> Iterator[int]:
        function, env = code
        known = self._linker.functions[function].variants.get((env, "general"))
        if known is not None:
            yield known.id

    def _places(self, function: Function) -> dict[int, Place]:
        known = self._places_of.get(function.index)
        if known is None:
            known = self._places_of[function.index] = dict(places(function))
        return known

    def _classes(self, variant: Variant) -> frozenset[int]:
        """The classes of the first parameter."""
        known = self._classes_of.get(variant.id)
        if known is None:
            first = variant.function.first
            found = self._classes_in(variant.base + first) if first is not None else frozenset()
            if self._is_full(variant):
                found |= self._descendants(variant.function.class_)
            known = self._classes_of[variant.id] = found
        return known

    def _descendants(self, class_: Class | None) -> frozenset[int]:
        found: set[int] = set()
        waiting = [class_] if class_ is not None else []
        while waiting:
            each = waiting.pop()
            if each.value not in found:
                found.add(each.value)
                waiting += (self._linker.classes[index] for index in each.subclasses)
        return frozenset(found)

    def _classes_in(self, variable: int) -> frozenset[int]:
        linker, kinds, owners = self._linker, self._linker.values.kinds, self._linker.values.owners
        found: set[int] = set()
        for value in linker.values_of(variable):
            kind = kinds[value]
            if kind == Kind.CONTAINER:  # `*args`, of which the receiver is the first
                container = linker.containers.of(value)
                slot = container.slots.get((int, 0))
                held = (*linker.values_of(container.element),)
                held += (*linker.values_of(slot),) if slot is not None else ()
                found.update(c for c in map(linker.class_behind, held) if c is not None)
                continue
            class_ = linker.class_behind(owners[value] if kind == Kind.SUPER else value)
            if class_ is not None:
                found.add(class_)
        return frozenset(found)

    def _find_methods(self, class_value: int, name: str, after: int | None) -> frozenset[Code]:
        """What an attribute of a class runs, perhaps only what comes after one of its bases."""
        linker = self._linker
        order = linker.order(class_value)
        if after is not None:
            order = order[order.index(after) + 1 :] if after in order else ()
        for base in order:
            class_ = linker.class_of_value.get(base)
            variable = class_.attributes.get(name) if class_ is not None else None
            if variable is not None:
                found = frozenset(filter(None, map(self._code, linker.values_of(variable))))
                if found:
                    return found
        return frozenset()

    def _code(self, value: int) -> Code | None:
        values = self._linker.values
        while values.kinds[value] in (Kind.DESCRIPTOR, Kind.PARTIAL):
            value = values.owners[value]
        known = self._linker.function_of_value.get(value)
        if known is None:
            return None
        return known[0].index, known[1].id if known[1] is not None else -1

    @staticmethod
    def _code_of(variant: Variant) -> Code:
        return variant.function.index, variant.env.id if variant.env is not None else -1

    # -- where classes make a difference ----------------------------------------------------------

    def _find_differing(self) -> set[int]:
        """The variants that call different functions for different classes, here or further on.

        Those below which nothing has an effect are left out: it makes no difference to anything.
        """
        variants = self._linker.variants
        found: set[int] = set()
        handed: dict[int, list[int]] = {}
        for key in self._effective():
            variant = variants[key]
            classes = self._classes(variant)
            if len(classes) < 2:
                continue
            for index, place in self._places(variant.function).items():
                if index not in variant.calls or place.how not in ("own", "super", "passed"):
                    continue
                for callee in variant.calls[index]:
                    handed.setdefault(callee, []).append(key)
                if place.how == "passed" or len(variant.calls[index]) < 2:
                    continue
                if not place.name or len({self._named(variant, place, c) for c in classes}) > 1:
                    found.add(key)
        waiting = list(found)
        while waiting:
            for caller in handed.get(waiting.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    waiting.append(caller)
        return found

    def _effective(self) -> list[int]:
        """What is reached and has an effect, by itself or through what it calls."""
        variants = self._linker.variants
        callers: dict[int, list[int]] = {}
        for key, called in self._reached.items():
            for callee in called:
                callers.setdefault(callee, []).append(key)
        found = {key: None for key in self._reached if variants[key].effects}
        waiting = list(found)
        while waiting:
            for caller in callers.get(waiting.pop(), ()):
                if caller not in found:
                    found[caller] = None
                    waiting.append(caller)
        return [key for key in self._reached if key in found]

    def _named(self, variant: Variant, place: Place, class_value: int) -> frozenset[Code]:
        if place.how != "super":
            return self._methods(class_value, place.name, None) if place.name else frozenset()
        assert place.base is not None
        values = self._linker.values
        found: set[Code] = set()
        for value in self._linker.values_of(variant.base + place.base):
            receiver = values.owners[value]
            if values.kinds[value] == Kind.SUPER and (
                self._linker.class_behind(receiver) == class_value
            ):
                found |= self._methods(class_value, place.name, values.functions[value])
        return frozenset(found)

    def _named_by_all(self, variant: Variant, place: Place) -> frozenset[Code]:
        known = self._of_all.get((variant.id, place))
        if known is None:
            classes = self._classes(variant)
            known = frozenset().union(*{self._named(variant, place, each) for each in classes})
            self._of_all[variant.id, place] = known
        return known

    # -- the walk ---------------------------------------------------------------------------------

    def state(self, variant: int, receiver: int | None) -> State:
        """The pair that counts: without the class where it makes no difference."""
        known = self._states.get(variant, {})
        return State(variant, receiver if receiver in known else None)

    def _walk(self, roots: Iterable[State]) -> None:
        waiting: list[State] = []
        found: set[State] = set()

        def meet(state: State) -> None:
            if state not in found:
                found.add(state)
                waiting.append(state)

        for root in roots:
            apart = root.variant in self._differing
            meet(root if apart else State(root.variant, None))
        while waiting:
            state = waiting.pop()
            if state.receiver is not None:
                self._states.setdefault(state.variant, {})[state.receiver] = None
                self._left -= 1
            for index in self._linker.variants[state.variant].calls:
                for each in self.called(state, index):
                    meet(each)

    def called(self, state: State, index: int) -> Iterator[State]:
        """What an instruction of a state calls."""
        variant = self._linker.variants[state.variant]
        callees = variant.calls[index]
        place = (
            self._places(variant.function).get(index) if state.variant in self._reached else None
        )
        if place is None:
            for callee in callees:
                yield State(callee, None)
            return
        if place.callee is not None and place.how == "other" and self._is_unbound(variant, place):
            how = "passed" if place.passes else "given"
            place = Place(how, base=None if place.passes else place.given)
        if state.receiver is not None and place.how in ("own", "super"):
            callees = self._narrowed(variant, place, state.receiver, callees)
        for callee in callees:
            target = self._linker.variants[callee]
            if callee not in self._differing:
                yield State(callee, None)
            elif state.receiver is not None and self._is_for(state.receiver, place, target):
                yield self._apart(callee, state.receiver)
            else:
                yield from self._for_each(variant, place, target)

    def _is_unbound(self, variant: Variant, place: Place) -> bool:
        """Whether a function of a class is called, and not a method of it or of an instance."""
        values = self._linker.values
        assert place.callee is not None
        held = self._linker.values_of(variant.variable(place.callee))
        return any(values.kinds[each] == Kind.FUNCTION for each in held)

    def _narrowed(
        self, variant: Variant, place: Place, class_value: int, callees: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Without the methods of other classes, with those that too many classes have kept out."""
        variants = self._linker.variants
        if not place.name:
            return tuple(key for key in callees if self._has(class_value, variants[key]))
        own = self._named(variant, place, class_value)
        if not own and not self._is_closed(class_value):
            return callees
        excluded = self._named_by_all(variant, place) - own
        found = [each for each in callees if self._code_of(variants[each]) not in excluded]
        missing = own - {self._code_of(variants[each]) for each in found}
        found += (key for code in sorted(missing) for key in self._general(code))
        return tuple(found)

    def _has(self, class_value: int, method: Variant) -> bool:
        """Whether it is a method that the class has, or none of any class."""
        name = method.function.name.rpartition(".")[2]
        if method.function.class_ is None:
            return True
        return self._code_of(method) in self._methods(class_value, name, None)

    def _is_closed(self, class_value: int) -> bool:
        """Whether all bases of a class are known to be the project's."""
        known = self._linker.class_of_value
        return all(
            each in known or self._linker.values.names[each] == "builtins.object"
            for each in self._linker.order(class_value)
        ) and all(
            all(known[each].bases) for each in self._linker.order(class_value) if each in known
        )

    def _is_for(self, class_value: int, place: Place, target: Variant) -> bool:
        """Whether what is called gets the receiver of who calls it."""
        if place.how in ("own", "super"):
            return True
        owner = target.function.class_
        inherits = owner is None or owner.value in self._linker.order(class_value)
        return place.how == "passed" and inherits

    def _apart(self, variant: int, class_value: int) -> State:
        """The pair, unless there are too many."""
        if self._left < 0 and class_value not in self._states.get(variant, ()):
            return State(variant, None)
        return State(variant, class_value)

    def _for_each(self, variant: Variant, place: Place, target: Variant) -> Iterator[State]:
        """A method for each class that it is called on here, unless they are too many."""
        linker = self._linker
        code, owner, name = self._code_of(target), target.function.class_, place.name
        base = place.base
        if place.how in ("own", "super"):
            classes = self._classes(variant)
        elif owner is not None and place.callee is not None and _is_constructor(target):
            classes, name = self._classes_in(variant.variable(place.callee)), "__init__"
        else:
            classes = self._classes_in(variant.variable(base)) if base is not None else frozenset()
        if place.how in ("own", "other") and not name:
            classes = frozenset(c for c in classes if self._has(c, target))
        elif name and place.how != "super":
            classes = frozenset(c for c in classes if code in self._methods(c, name, None))
        elif owner is not None:
            classes = frozenset(c for c in classes if owner.value in linker.order(c))
        if 0 < len(classes) <= MOST_RECEIVERS:
            for each in sorted(classes):
                yield self._apart(target.id, each)
        else:
            yield State(target.id, None)


def _is_constructor(variant: Variant) -> bool:
    return variant.function.name.endswith(".__init__")
