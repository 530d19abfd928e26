"""How names lead to definitions: names of modules, stars, C3 order, attributes of classes."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.facts.project import ModuleFacts, ProjectFacts, absolute
from migrator.graph.linking.definitions import Class, Function, Module, Variant
from migrator.graph.linking.memo import remembered
from migrator.graph.linking.solver import Solver
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.framework import Framework

BUILTIN_NAMES = frozenset(dir(builtins)) | {"reveal_type", "unicode", "basestring", "xrange"}

_INTERCEPTORS = ("__setattr__", "__delattr__")

MOST_BASES = 6
"""A base expression that may be more classes than this says little."""


class Definitions(Solver):
    """The solver, with every definition of the project indexed in it."""

    def __init__(self, facts: ProjectFacts) -> None:
        super().__init__()
        self.facts = facts
        self.modules: dict[str, Module] = {}
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.class_of_value: dict[int, Class] = {}
        self.module_of_value: dict[int, Module] = {}
        self.function_of_value: dict[int, tuple[Function, Variant | None]] = {}
        self.stored: set[str] = {"fget", "fset", "fdel"}
        self.stored_on_classes: set[str] = set()
        self.intercepting: set[int] = set()
        """The classes that are asked where an attribute is set or deleted."""
        self.tops: set[str] = set()
        self._externals: dict[str, int] = {}
        self._attributes: dict[str, dict[int, int | None]] = {}
        self.plans: dict[str, dict[int, int | None]] = {}
        """Attributes by name and class, as far as they are settled; see `lookup.plan`."""
        self.asked_of_classes: dict[int, tuple[Framework, ...]] = {}
        """The frameworks that a class of the project concerns, as long as it has those bases."""
        for module in facts.modules.values():
            self._index(module)
        for name in list(self.modules):
            while "." in name:
                name = name.rpartition(".")[0]
                if name not in self.modules:
                    self._add_module(name, None)
        self.tops = {name for name, each in self.modules.items() if "." not in name and each.facts}
        for each in self.modules.values():
            if each.facts is not None:
                each.refs = [self._global(each, name) for name in each.facts.facts.names]

    # -- indexing -------------------------------------------------------------------------------

    def _add_module(self, name: str, facts: ModuleFacts | None) -> Module:
        value = self.values.definition(Kind.MODULE, name, len(self.modules))
        module = self.modules[name] = Module(name, facts, value)
        self.module_of_value[value] = module
        return module

    def _index(self, facts: ModuleFacts) -> None:
        module = self._add_module(facts.name, facts)
        first = self.new(len(facts.facts.bound))
        module.names = {name: first + i for i, name in enumerate(facts.facts.bound)}
        self.stored.update(facts.facts.stored)
        self.stored_on_classes.update(facts.facts.stored_on_classes)
        prefix = f"{facts.name}." if facts.name else ""
        for each in facts.facts.functions:
            name = prefix + each.name if each.name else facts.name
            function = Function(len(self.functions), name, module, each)
            self.functions.append(function)
            module.functions.append(function)
        for stated in facts.facts.classes:
            class_ = Class(len(self.classes), prefix + stated.name, module, stated)
            self.classes.append(class_)
            module.classes.append(class_)
            class_.value = self.values.definition(Kind.CLASS, class_.name, class_.index)
            for attribute, *_ in stated.attributes:
                if attribute in _INTERCEPTORS:
                    self.intercepting.add(class_.value)
            self.class_of_value[class_.value] = class_
        for function in module.functions:
            if function.facts.class_ >= 0:
                function.class_ = module.classes[function.facts.class_]
        self._find_captures(module)

    @staticmethod
    def _find_captures(module: Module) -> None:
        """Which functions use variables of functions around them, themselves or further inside."""
        outward: list[set[int]] = []
        for index, function in enumerate(module.functions):
            outward.append({owner for owner, _ in function.facts.refs if owner not in (-1, index)})
        for index in range(len(module.functions) - 1, 0, -1):
            function = module.functions[index]
            needed = outward[index] - {index}
            function.captures = bool(needed)
            if needed:
                all_of_file = [each.facts for each in module.functions]
                function.memo = remembered(function.facts, all_of_file)
                for owner, outer in function.outer(function.moving):
                    module.functions[owner].unfix(outer)
                for owner, outer in function.outer(guard[0] for guard in function.facts.guards):
                    module.functions[owner].guarded |= {outer}
            parent = function.facts.parent
            if parent > 0:
                outward[parent] |= needed - {parent}
                if needed:
                    module.functions[parent].makes_functions = True

    # -- names ----------------------------------------------------------------------------------

    def external_variable(self, name: str) -> int:
        """The variable that holds just the outside thing of that dotted name."""
        known = self._externals.get(name)
        if known is None:
            known = self._externals[name] = self.new()
            variable = known
            if not self.start(lambda: self.add(variable, *self.imported(name))).seen:
                self.close(variable)
        return known

    def slots_of_modules(self) -> Iterator[int]:
        """The variables that hold a module, or a name of it, and never anything else."""
        for key, variable in self._slots.items():
            if key[0] in ("module", "name of module"):
                yield variable

    def imported(self, name: str) -> tuple[int, ...]:
        """The values of an outside name; frameworks may have their own."""
        return (self.values.external(name),)

    def _global(self, module: Module, name: str) -> int:
        """The variable of a name as the code of a module sees it."""
        found = self._bound(module, name)
        if found is not None:
            return found
        if name in ("__name__", "__file__", "__package__"):
            variable = self.slot("name of module", module.name, name)
            self.put(
                variable, self.values.string(module.name if name != "__file__" else module.file)
            )
            return variable
        if name in BUILTIN_NAMES:
            return self.external_variable(f"builtins.{name}")
        outside = self._outside_stars(module)
        if outside:
            return self.external_variable(f"{outside[0]}.{name}")
        return self.slot("unknown name", name)

    def module_attribute(self, module: Module, name: str) -> int | None:
        """The variable of `module.name` for a name that the module binds, or None."""
        found = self._bound(module, name)
        if found is not None:
            return found
        submodule = self.modules.get(f"{module.name}.{name}")
        if submodule is not None:
            variable = self.slot("module", submodule.name)
            self.put(variable, submodule.value)
            return variable
        outside = self._outside_stars(module)
        if outside:
            return self.external_variable(f"{outside[0]}.{name}")
        return None

    def _bound(self, module: Module, name: str) -> int | None:
        """The variable of a name that a module binds, or takes by a star of the project's."""
        known = module.names.get(name)
        return known if known is not None else self._through_stars(module, name, set())

    @staticmethod
    def _stars(module: Module) -> Iterator[tuple[str, bool]]:
        """The modules whose names a module takes by a star, the last one first; whether surely."""
        if module.facts is not None:
            for each in reversed(module.facts.facts.imports):
                if each.name == "*":
                    base = absolute(module.facts, each.level, each.module)
                    if base is not None:
                        yield base, each.sure

    def _through_stars(self, module: Module, name: str, seen: set[str]) -> int | None:
        """What the last star binds that surely runs, or any of those behind it."""
        found: list[int] = []
        for base, sure in self._stars(module):
            other = self.modules.get(base)
            if other is None or base in seen:
                continue
            seen.add(base)
            known = self._starred(other, name, seen)
            if known is not None:
                found.append(known)
                if sure:
                    break
        if len(found) < 2:
            return found[0] if found else None
        either = self.slot("stars", module.name, name)
        for known in found:
            self.flow(known, either)
        return either

    def _starred(self, module: Module, name: str, seen: set[str]) -> int | None:
        """What a module gives for a name to those who take all of its names."""
        if self._exports(module, name):
            known = module.names.get(name)
            if known is not None:
                return known
            if f"{module.name}.{name}" in self.modules:
                return self.module_attribute(module, name)
        return self._through_stars(module, name, seen)

    @staticmethod
    def _exports(module: Module, name: str) -> bool:
        if module.facts is not None and module.facts.facts.exported is not None:
            return name in module.facts.facts.exported
        return not name.startswith("_")

    def _outside_stars(self, module: Module) -> list[str]:
        stars = [base for base, _ in self._stars(module)]
        return [base for base in stars if base.partition(".")[0] not in self.tops]

    # -- orders of classes ----------------------------------------------------------------------

    def order(self, value: int) -> tuple[int, ...]:
        """The values in C3 order of a class value, itself first."""
        class_ = self.class_of_value.get(value)
        if class_ is None:
            return (value,)
        if class_.order is None:
            class_.order = (value,)  # a class that is its own base stops here
            class_.order = self._linearize(class_)
        return class_.order

    def _linearize(self, class_: Class) -> tuple[int, ...]:
        bases = [base for group in class_.bases for base in group if base != class_.value]
        sequences = [list(self.order(base)) for base in bases] + [list(bases)]
        merged = [class_.value]
        while True:
            sequences = [each for each in sequences if each]
            if not sequences:
                return tuple(merged)
            for sequence in sequences:
                head = sequence[0]
                if not any(head in other[1:] for other in sequences):
                    break
            else:  # no consistent order exists; keep the first that is written
                head = sequences[0][0]
            merged.append(head)
            for sequence in sequences:
                if head in sequence:
                    sequence.remove(head)

    def forget_lookups(self) -> None:
        """Some class has other bases or attributes than it had."""
        self._attributes.clear()
        self.plans.clear()
        self.asked_of_classes.clear()

    def class_attribute_variable(self, class_value: int, name: str) -> int | None:
        """The variable of the first class in C3 order whose body binds the name."""
        if not self.closing:
            return self._find_attribute(class_value, name)
        found = self._attributes.get(name)
        if found is None:
            found = self._attributes[name] = {}
        if class_value in found:
            return found[class_value]
        variable = found[class_value] = self._find_attribute(class_value, name)
        return variable

    def _find_attribute(self, class_value: int, name: str) -> int | None:
        for base in self.order(class_value):
            class_ = self.class_of_value.get(base)
            if class_ is not None:
                variable = class_.attributes.get(name)
                if variable is not None:
                    return variable
        return None

    def add_base(self, class_: Class, position: int, value: int) -> None:
        """A base expression of a class may be that value."""
        group = class_.bases[position]
        if value in group or value == class_.value or len(group) >= MOST_BASES:
            return
        group.append(value)
        self._forget_order(class_, set())
        base = self.class_of_value.get(value)
        if base is not None:
            base.subclasses.add(class_.index)

    def _forget_order(self, class_: Class, seen: set[int]) -> None:
        if class_.index in seen:
            return
        seen.add(class_.index)
        self.forget_lookups()
        class_.order = None
        class_.parents = None
        dependents, class_.dependents = class_.dependents, []
        for index in sorted(class_.subclasses):
            self._forget_order(self.classes[index], seen)
        for watcher, value, data in dependents:
            watcher(value, data)
