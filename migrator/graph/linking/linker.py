"""The linker: turns the facts' instructions into edges and watchers, one variant at a time.

It settles the code of modules first, then that of every function in its general variant; variants
for a context are made when a call needs them. What lies outside goes to `foreign.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from migrator.facts import ir
from migrator.facts.project import ProjectFacts
from migrator.graph.framework import Framework
from migrator.graph.linking import calling, construction, lookup, operators
from migrator.graph.linking.apart import Apart
from migrator.graph.linking.closing import close_modules
from migrator.graph.linking.containers import Containers
from migrator.graph.linking.copies import Copies
from migrator.graph.linking.definitions import Function, Variant
from migrator.graph.linking.fields import Fields
from migrator.graph.linking.foreign import Foreign
from migrator.graph.linking.given import excluded
from migrator.graph.linking.instructions import OPERATIONS
from migrator.graph.linking.late import LateAttributes
from migrator.graph.linking.solver import (
    LARGE,
    MOST_OUTSIDE_OF_LARGE,
    MOST_VALUES_OF_LARGE,
    Callback,
)
from migrator.graph.linking.substitutes import Substitutes
from migrator.graph.linking.values import Kind
from migrator.graph.receivers import Receivers, State


class Linker(Fields):
    """Definitions and solver, with the code of variants flowing through them."""

    def __init__(self, facts: ProjectFacts, frameworks: tuple[Framework, ...]) -> None:
        super().__init__(facts)
        self.containers = Containers(self)
        self.apart = Apart(self)
        self.late = LateAttributes(self)
        self.variants: list[Variant] = []
        self.partials: dict[int, calling.Arguments] = {}
        self.bound_calls: set[tuple[Any, ...]] = set()
        self.unresolved: dict[tuple[str, str, str, int], str] = {}
        self.environment: dict[str, dict[str, None]] = {}
        self._ready: deque[Variant] = deque()
        self.later: deque[tuple[Function, Variant | None]] = deque()
        self.decorations: list[tuple[int, int]] = []
        self.mutations: dict[int, dict[tuple[int, int, str], None]] = {}
        self._frameworks_of: dict[int, tuple[Framework, ...]] = {}
        self.special: set[int] = set()
        """Variants that act differently from their function, once assembled."""
        self.homonyms: dict[int, str] = {}
        """Functions that share their name with another, as a property's setter does, to what tells
        them apart."""
        self.receivers: Receivers | None = None
        """Variants by class of receiver, once assembled."""
        self.undecided: list[Callback] = []
        self.decided: set[Callback] = set()
        self.dispatchers: set[int] = set()
        """Functions that `functools.singledispatch` decorates."""
        self.partial_methods: set[int] = set()
        self.generators: dict[int, Variant] = {}
        """Generators to the functions that run in them."""
        self.annotations_of_classes: dict[tuple[int, int], None] = {}
        """Classes of the project that annotate something, with the variable of what they say."""
        self.caught: dict[tuple[int, int], None] = {}
        """Classes of the project in `except`, with the variable of what is caught."""
        self.stated: dict[int, int] = {}
        """Names of annotations, as variables, to what a name of that annotation may hold."""
        self.given: dict[str, dict[int, int]] = {}
        """Attributes by name and value that neither the project nor a framework defines."""
        self.factories: dict[int, tuple[int | None, int | None]] = {}
        """Declarations of fields to the variables of their default and of what makes it."""
        size = sum(len(function.facts.code) for function in self.functions)
        self.copies = Copies(size)
        if size > LARGE:
            self.most_values = MOST_VALUES_OF_LARGE
            self.most_outside = MOST_OUTSIDE_OF_LARGE
            self.values.count_containers_as_outside()
        self._defaults: dict[int, construction.Default] = {}
        self._registers: dict[int, bool] = {}
        self.on_load = self._watcher(lookup.load)
        self.on_bind = self._watcher(lookup.bind)
        self.on_became = self._watcher(lookup.load_as)
        self.on_store = self._watcher(lookup.store)
        self.on_setter = self._watcher(lookup.call_setter)
        self.on_call = self._watcher(calling.call)
        self.on_method = self._watcher(calling.call_method)
        self.on_metaclass = self._watcher(construction.call_metaclass)
        self.on_iteration = operators.iterator(self)
        self.on_spread = self._watcher(calling.spread)
        self.on_spread_keywords = self._watcher(calling.spread_keywords)
        self.foreign = Foreign(self, frameworks)
        self._asks_frameworks = True

    def _watcher(self, function: Callable[..., None]) -> Callable[[int, Any], None]:
        return partial(function, self)

    def on_spread_slot(self, key: Hashable, variable: int, data: tuple[Variant, int]) -> None:
        calling.spread_slot(self, key, variable, data)

    def on_spread_keyword(self, key: Hashable, variable: int, chosen: Variant) -> None:
        if isinstance(key, str):
            calling.give_named(self, chosen, key, variable)

    # -- running --------------------------------------------------------------------------------

    def run(self) -> None:
        """Link everything."""
        for module in self.modules.values():
            if module.functions:
                module.body = self.general(module.functions[0], None)
        self.settle()
        close_modules(self)
        adopted = self.foreign.adopts()
        for class_ in self.classes:
            if class_.owner is not None and class_.owner.function.facts.parent < 0:
                class_.settled = all(class_.bases) and not (adopted and not class_.bases)
                if class_.settled:
                    class_.dependents = []
        self.everything = True
        self.settle()
        Substitutes(self).find()
        self.settle()
        self.rest()
        self.bound_calls = set()
        self.decided = set()
        self._defaults = {}
        self.given = {}

    everything = False
    """Whether functions are linked too, and not only the code of modules."""
    _defaulted = False
    _closures = 0
    """How many functions have been looked at by `_link_closures`."""

    def _give_defaults(self) -> None:
        """What nobody in the project calls is called from outside, perhaps with its defaults."""
        for function in self.functions:
            if function.defaults and not any(v.called for v in function.variants.values()):
                for variant in function.variants.values():
                    calling.bind_defaults(self, variant, set())

    def _link_closures(self) -> bool:
        """What wraps a function, as a decorator leaves it, and nobody calls, is called too.

        The closures of functions that are told apart were left out until now: most are called.
        """
        known = list(self.function_of_value.values())
        waiting = known[self._closures :]
        self._closures = len(known)
        for function, env in waiting:
            if env is None or not env.label or not function.wraps:
                continue
            called = any(key[0] == env.id for key in function.variants)
            if not called and self.copies.afford_uncalled(function.size):
                self.general(function, env)
        return bool(self._ready)

    def more(self) -> bool:
        if self._ready:
            while self._ready:
                self._link(self._ready.popleft())
            return True
        if self.everything and self.later:
            while self.later:
                self.general(*self.later.popleft())
            return True
        if self.everything and not self._defaulted:
            self._defaulted = True
            self._give_defaults()
            return True
        if self.everything and self._link_closures():
            return True
        return self._keep_decorated() or self.late.read_again() or self._decide()

    def unless_known(self, variable: int, otherwise: Callable[[], None]) -> None:
        """Do something if a variable holds nothing when all is at rest."""
        done: list[bool] = []

        def run() -> None:
            if done or self.points_to(variable):
                return
            if not self.wait():
                done.append(True)
                otherwise()

        self.start(run)

    def wait(self) -> bool:
        """Whether the callback that runs has to wait, and is run again when all is at rest.

        For what it would decide by the absence of values.
        """
        if self.current is None or self.current in self.decided:
            return False
        self.undecided.append(self.current)
        return True

    def _decide(self) -> bool:
        """What nothing is known of, now that all is at rest, stays unknown: a key is any key."""
        if not self.everything or not self.undecided:
            return False
        undecided, self.undecided = self.undecided, []
        self.decided.update(undecided)
        for callback in undecided:
            self._wake(0, callback)
        return True

    def _keep_decorated(self) -> bool:
        """What a decorator that nobody knows gives is taken to be what it was given."""
        decorations, self.decorations = self.decorations, []
        changed = False
        for source, target in decorations:
            if self.held[target] is None and self.held[source] is not None:
                self.flow(source, target)
                changed = True
        return changed

    # -- variants -------------------------------------------------------------------------------

    def general(self, function: Function, env: Variant | None) -> Variant:
        """The variant of a function that stands for every call which has none of its own."""
        key = (env.id if env is not None else -1, "general")
        known = function.variants.get(key)
        if known is None:
            label = env.label if env is not None else ""
            known = self.make_variant(function, env, key, label)
            if env is not None:
                known.depth, known.chain = env.depth, env.chain
            self._seed(known)
        return known

    def make_variant(
        self, function: Function, env: Variant | None, key: tuple[Any, ...], label: str
    ) -> Variant:
        """A new variant; its code is linked when the queue comes to it."""
        base = self.new(function.facts.variables)
        variant = Variant(len(self.variants), function, env, label, base)
        function.variants[key] = variant
        self.variants.append(variant)
        self._ready.append(variant)
        variant.refs = self._references(variant)
        for name, typed in function.annotations.items():
            for parameter in function.facts.parameters:
                if parameter.name == name:
                    self.flow(typed, base + parameter.variable)
        for parameter in function.facts.parameters:
            if parameter.kind == ir.VAR_POSITIONAL:
                self.put(base + parameter.variable, self._rest(variant, "builtins.tuple"))
            elif parameter.kind == ir.VAR_KEYWORD:
                self.put(base + parameter.variable, self._rest(variant, "builtins.dict"))
        if function.returns is not None and not function.facts.flags & ir.GENERATOR:
            self.flow(function.returns, base + ir.RETURNED)
        return variant

    def _references(self, variant: Variant) -> list[int]:
        function = variant.function
        if function.facts.parent < 0:
            return function.module.refs
        refs = []
        for owner, local in function.facts.refs:
            if owner == -1:
                refs.append(function.module.refs[local])
                continue
            holder = variant.around(function.module.functions[owner])
            if holder is not None:
                refs.append(holder.base + local)
            else:
                refs.append(self.slot("unknown reference", function.index, owner, local))
        return refs

    def _seed(self, variant: Variant) -> None:
        """A method that may be called from outside has an instance of its class as receiver."""
        function = variant.function
        if function.class_ is None or not function.positional:
            return
        first = function.positional[0]
        decorators = function.facts.decorators
        name = function.name.rpartition(".")[2]
        if "staticmethod" in decorators:
            return
        value = function.class_.value
        if "classmethod" not in decorators and name not in ("__new__", "__init_subclass__"):
            value = self.values.instance(value)
        self.put(variant.base + first.variable, value)

    def registers(self, function: Function) -> bool:
        """Whether a function calls methods by which a framework is told what there is."""
        known = self._registers.get(function.index)
        if known is None:
            methods = self.foreign.registering
            known = any(
                code[0] == ir.ATTRIBUTE and code[3] in methods for code in function.facts.code
            )
            self._registers[function.index] = known
        return known

    def _link(self, variant: Variant) -> None:
        operations = OPERATIONS
        function = variant.function
        without = excluded(function, variant.env, variant.given) if function.facts.guards else ()
        for index, instruction in enumerate(function.facts.code):
            if index not in without:
                operations[instruction[0]](self, variant, index, instruction)
        variant.ready = True

    def state(self, variant: Variant, class_value: int | None) -> State:
        """What runs of a variant for a class of receiver, where that makes a difference."""
        if self.receivers is None:
            return State(variant.id, class_value)
        return self.receivers.state(variant.id, class_value)

    def key_of(self, variant: int, receiver: int | None = None) -> str:
        """The key in `Program.variants`, or the function's name where it acts like the function."""
        known = self.variants[variant]
        label = f"{self.homonyms.get(known.function.index, '')} {known.label}".strip()
        if receiver is not None:
            label = f"{label} self {self.values.names[receiver]}".lstrip()
        elif variant in self.special:
            label = label or "*"
        else:
            return known.function.name
        return f"{known.function.name}[{label}]"

    # -- values that the linker makes -----------------------------------------------------------

    def generator_of(self, variant: Variant) -> int:
        """The generator that calling a variant gives."""
        value = self.values.container("builtins.generator", variant.id)
        self.generators[value] = variant
        self.flow(variant.base + ir.YIELDED, self.containers.of(value).element)
        return value

    def _rest(self, variant: Variant, name: str) -> int:
        return self.values.container(name, "rest", variant.id)

    def rest_of(self, variant: Variant) -> int | None:
        """The container of `*args` of a variant, if it has one."""
        for parameter in variant.function.facts.parameters:
            if parameter.kind == ir.VAR_POSITIONAL:
                return self._rest(variant, "builtins.tuple")
        return None

    def keywords_of(self, variant: Variant) -> int | None:
        """The container of `**kwargs` of a variant, if it has one."""
        for parameter in variant.function.facts.parameters:
            if parameter.kind == ir.VAR_KEYWORD:
                return self._rest(variant, "builtins.dict")
        return None

    def default_of(self, variable: int) -> construction.Default:
        """What a class body gives to the field of which that is the variable."""
        known = self._defaults.get(variable)
        if known is None:
            known = self._defaults[variable] = construction.Default()
            self.watch(variable, partial(known.declare, self), None)
        return known

    def variable_of(self, value: int) -> int:
        """A variable that holds just one value."""
        variable = self.slot("value", value)
        self.put(variable, value)
        return variable

    def constant_variable(self, text: str) -> int:
        """A variable that holds just one string."""
        return self.variable_of(self.values.string(text))

    def class_behind(self, value: int) -> int | None:
        """The project class that a value is, or is an instance of."""
        kind = self.values.kinds[value]
        if kind == Kind.CLASS:
            return value
        return self.values.owners[value] if kind == Kind.INSTANCE else None

    def metaclasses(self, class_value: int) -> list[int]:
        """The project's metaclasses of a class, its own or inherited."""
        found: dict[int, None] = {}
        for base in self.order(class_value):
            class_ = self.class_of_value.get(base)
            keyword = class_.keywords.get("metaclass") if class_ is not None else None
            for value in self.values_of(keyword) if keyword is not None else ():
                if self.values.kinds[value] == Kind.CLASS:
                    found[value] = None
        return list(found)

    def instantiate(
        self,
        variant: Variant,
        index: int,
        class_value: int,
        arguments: calling.Arguments,
        target: int,
        edge: bool,
    ) -> None:
        construction.instantiate(self, variant, index, class_value, arguments, target, edge)

    # -- the way out ----------------------------------------------------------------------------

    _asks_frameworks = False
    """Builtins are named before there is anybody to ask."""

    def imported(self, name: str) -> tuple[int, ...]:
        return self.foreign.imported(name) if self._asks_frameworks else super().imported(name)

    def frameworks_of(self, value: int) -> tuple[Framework, ...]:
        """The frameworks that an outside value concerns."""
        known = self._frameworks_of.get(value)
        if known is None:
            known = self._frameworks_of[value] = self.foreign.asked(value)
        return known

    def class_named(self, name: str) -> tuple[int, ...]:
        """The project's classes of that last or dotted name."""
        return self.foreign.engine.class_named(name)

    def mutated(self, variant: Variant, index: int, container: int, how: str) -> None:
        """Some code changes what a container holds."""
        self.mutations.setdefault(container, {})[(variant.function.index, index, how)] = None

    # -- what stays unknown ---------------------------------------------------------------------

    def unresolved_attribute(self, data: lookup.Load) -> None:
        """An attribute that no class, module or framework knows."""
        variant, index, name, _ = data
        place = ir.place_of(variant.function.facts.code[index])
        line = place[0] if place else 0
        function = variant.function
        key = ("unknown attribute", function.name, function.module.file, line)
        self.unresolved.setdefault(key, name)
