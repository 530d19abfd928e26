"""What lies outside the project: builtins by a table of their own, the rest by the frameworks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.graph.framework import Framework
from migrator.graph.linking import builtin_calls, calling, special_calls
from migrator.graph.linking.builtin_place import Place
from migrator.graph.linking.concerned import Concerned
from migrator.graph.linking.definitions import Class, Variant, note
from migrator.graph.linking.engine import LinkerEngine
from migrator.graph.linking.outside_results import Results
from migrator.graph.linking.sites import PlaceView
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

Answer = Callable[[Framework], Iterable[int] | None]

_HAVE_NO_METHODS = ("builtins.", "abc.", "typing.", "typing_extensions.")
"""Where outside bases are from that only say what a class is: nobody means their methods."""


class Foreign:
    """Asks frameworks, and applies the defaults where none of them answers."""

    def __init__(self, linker: Linker, frameworks: tuple[Framework, ...]) -> None:
        self.linker = linker
        self.frameworks = frameworks
        self.engine = LinkerEngine(linker)
        self.concerned = Concerned(linker, frameworks)
        self.asked = self.concerned.of_value
        self._results = Results(linker, self.concerned)
        self.registering = frozenset(name for each in frameworks for name in each.registering)
        self.naming = frozenset(name for each in frameworks for name in each.naming)
        self._told: set[tuple[int, int]] = set()

    def _ask(
        self, asked: tuple[Framework, ...], answer: Answer, target: int | None
    ) -> Callable[[], bool]:
        """A callback that takes the first answer into `target`; True when there was one."""

        def run() -> bool:
            for each in asked:
                found = answer(each)
                if found is not None:
                    if target is not None:
                        for value in found:
                            self.linker.put(target, value)
                    return True
            return False

        return run

    def _start(self, run: Callable[[], bool], default: Callable[[], None] | None) -> bool:
        """Run a callback now and when something grows; the default holds where nobody answers."""
        outcome: list[bool] = []

        def repeated() -> None:
            answered = run()
            if not outcome:
                outcome.append(answered)
            if not answered and default is not None:
                default()

        self.linker.start(repeated)
        return outcome[0]

    # -- callbacks of the linker ----------------------------------------------------------------

    def imported(self, name: str) -> tuple[int, ...]:
        for each in self.concerned.of_name(name):
            found = each.imported(self.engine, name)
            if found is not None:
                return tuple(found)
        return (self.linker.values.external(name),)

    def call(
        self,
        variant: Variant,
        index: int,
        callee: int,
        arguments: calling.Arguments,
        target: int,
    ) -> None:
        linker, values = self.linker, self.linker.values
        name = values.names[callee]
        if values.kinds[callee] == Kind.INSTANCE:
            self.inherited(variant, index, linker.order(values.owners[callee]), "__call__")
        elif values.kinds[callee] != Kind.OPAQUE:
            note(variant.externals, index, name)
        if name.endswith(".__init__") and self._initialises(variant, index, callee, arguments):
            return
        builtin = builtin_calls.find(name)
        if builtin is not None and target == NOWHERE and name not in special_calls.TABLE:
            target = linker.new()  # some go on with what they give, as `reduce` does
        if builtin is not None and builtin(
            Place(linker, variant, index, callee, arguments, target)
        ):
            return
        asked = self.asked(callee)
        give = self._results.giver(variant, index, callee, arguments, target)
        if not asked:
            give()
            return
        site = PlaceView(linker, variant, index, arguments)

        def answer(framework: Framework) -> Iterable[int] | None:
            rows = self._rows(arguments)
            if len(rows) < 2:
                return framework.call(self.engine, site, callee)
            found = [
                framework.call(self.engine, PlaceView(linker, variant, index, row), callee)
                for row in rows
            ]
            return None if None in found else [value for each in found for value in each or ()]

        self._start(self._ask(asked, answer, target), give)

    def inherited(self, variant: Variant, index: int, classes: Iterable[int], method: str) -> None:
        """A method is called that the first of these classes has that is outside."""
        values = self.linker.values
        for each in classes:
            if values.kinds[each] == Kind.EXTERNAL:
                if not values.names[each].startswith(_HAVE_NO_METHODS):
                    note(variant.externals, index, f"{values.names[each]}.{method}")
                return

    def _rows(self, arguments: calling.Arguments) -> list[calling.Arguments]:
        """`register(*row)` with several rows: what stands in one row belongs together."""
        starred = arguments.positional[-1] if arguments.positional else None
        if not isinstance(starred, tuple) or starred[0] is None:
            return []
        containers, values = self.linker.containers, self.linker.values
        found = []
        for row in self.linker.points_to(starred[0]):
            length = containers.of(row).length if values.kinds[row] == Kind.CONTAINER else None
            if length is None:
                return []
            slots = [containers.slot(row, position) for position in range(length)]
            spread = (*arguments.positional[:-1], *slots)
            found.append(calling.Arguments(spread, arguments.keywords))
        return found

    def _initialises(
        self, variant: Variant, index: int, callee: int, arguments: calling.Arguments
    ) -> bool:
        """`Base.__init__(self, ...)` is `super().__init__(...)`: a method of what stands first."""
        linker, values = self.linker, self.linker.values
        function = callee
        if values.kinds[callee] == Kind.BOUND:
            if values.kinds[values.owners[callee]] in (Kind.INSTANCE, Kind.EXTERNAL_INSTANCE):
                return False
            function = values.functions[callee]
        first = arguments.positional[0] if arguments.positional else None
        if not isinstance(first, int):
            return False
        rest = arguments.rest()

        def watcher(value: int, _: None) -> None:
            if values.kinds[value] == Kind.INSTANCE:
                bound = values.bound(value, function)
                self.call(variant, index, bound, rest, linker.slot("nothing"))

        linker.watch(first, watcher, None)
        return True

    def construct(
        self,
        variant: Variant,
        index: int,
        class_value: int,
        bases: list[int],
        arguments: calling.Arguments,
        target: int,
    ) -> bool:
        """A class is called whose constructor is outside; True when a framework says what comes."""
        asked = self.asked(class_value)
        if not asked:
            return False
        site = PlaceView(self.linker, variant, index, arguments)
        instance = self.linker.apart.new_instance(class_value, variant, index)
        self._start(
            self._ask(asked, lambda each: each.call(self.engine, site, class_value), target),
            lambda: self.linker.put(target, instance),
        )
        return True

    def attribute(
        self, variant: Variant, index: int, receiver: int, name: str, base: int, target: int
    ) -> bool:
        asked = self.asked(base)
        if not asked:
            return False
        site = PlaceView(self.linker, variant, index)
        return self._start(
            self._ask(
                asked,
                lambda each: each.attribute(self.engine, site, receiver, name, base),
                target,
            ),
            None,
        )

    def bind(
        self, variant: Variant, index: int, found: int, receiver: int, name: str, target: int
    ) -> None:
        asked = self.asked(found)
        linker = self.linker
        if not asked:
            linker.put(target, found)
            return
        site = PlaceView(linker, variant, index)
        self._start(
            self._ask(
                asked, lambda each: each.bind(self.engine, site, found, receiver, name), target
            ),
            lambda: linker.put(target, found),
        )

    def store(
        self, variant: Variant, index: int, receiver: int, name: str, bases: list[int]
    ) -> bool:
        code = variant.function.facts.code[index]
        source = None
        if code[0] == ir.SET_ATTRIBUTE and code[3] is not None:
            source = variant.variable(code[3])
        site = PlaceView(self.linker, variant, index, source=source)
        stopped: list[bool] = []

        def run() -> None:
            for base in bases:
                for each in self.asked(base):
                    if each.store(self.engine, site, receiver, name, base):
                        stopped.append(True)

        if any(self.asked(base) for base in bases):
            self.linker.start(run)
        return bool(stopped)

    def item(
        self, variant: Variant, index: int, receiver: int, keys: list[Any], target: int
    ) -> None:
        linker = self.linker
        asked = self.asked(receiver)
        site = PlaceView(linker, variant, index)
        builtin_calls.read_item(linker, site, receiver, keys)
        for key in keys:
            linker.containers.read(receiver, key, target)
            answered = False
            for each in asked:
                found = each.item(self.engine, site, receiver, key)
                if found is not None:
                    answered = True
                    linker.add(target, *found)
                    break
            name = linker.values.names[receiver]
            if (
                not answered
                and linker.values.kinds[receiver] not in (Kind.OPAQUE, Kind.INSTANCE)
                and name.count(".") < 6
            ):
                inner = name if name == "builtins.str" else f"{name}.__getitem__"
                linker.put(target, linker.values.external_instance(inner))

    def set_item(
        self, variant: Variant, index: int, receiver: int, keys: list[Any], source: int | None
    ) -> None:
        linker = self.linker
        site = PlaceView(linker, variant, index, source=source)
        asked = self.asked(receiver)
        for key in keys:
            stopped = any(each.store_item(self.engine, site, receiver, key) for each in asked)
            if not stopped and source is not None:
                linker.containers.write(receiver, _hashable(key), source)

    def iterate(self, variant: Variant, index: int, receiver: int, target: int) -> None:
        asked = self.asked(receiver)
        if asked:
            site = PlaceView(self.linker, variant, index)
            self._start(
                self._ask(asked, lambda each: each.iterate(self.engine, site, receiver), target),
                None,
            )

    def enter(self, variant: Variant, index: int, receiver: int, target: int) -> None:
        asked = self.asked(receiver)
        site = PlaceView(self.linker, variant, index)
        self._start(
            self._ask(asked, lambda each: each.enter(self.engine, site, receiver), target),
            lambda: self.linker.put(target, receiver),
        )

    def adopts(self) -> bool:
        """Whether a framework may yet give plain classes a base."""
        values = self.linker.values
        return any(values.mentions(name) for each in self.frameworks for name in each.adopts)

    def class_has_base(self, class_: Class) -> None:
        """Tell frameworks of the outside bases that a class and its subclasses have now."""
        linker = self.linker
        waiting = [class_]
        seen: set[int] = set()
        while waiting:
            each = waiting.pop()
            if each.index in seen:
                continue
            seen.add(each.index)
            waiting.extend(linker.classes[index] for index in sorted(each.subclasses))
            for base in linker.order(each.value):
                if base not in linker.class_of_value and (each.index, base) not in self._told:
                    self._told.add((each.index, base))
                    self._tell(each, base)

    def _tell(self, class_: Class, base: int) -> None:
        asked = self.asked(base)
        if not asked and self.linker.values.kinds[base] == Kind.EXTERNAL:
            view = self.engine.class_view(class_.value)
            for framework in self.frameworks:
                framework.unknown_base(self.engine, view, base)
        for framework in asked:

            def run(framework: Framework = framework) -> None:
                framework.class_body(self.engine, self.engine.class_view(class_.value), base)

            self.linker.start(run)

    def instances_apart(self, class_value: int) -> bool:
        """Whether any framework wants instances told apart by where they are made."""
        return any(
            each.instances_apart(self.engine, class_value) for each in self.asked(class_value)
        )

    def receiver_sensitive(self, class_value: int) -> bool:
        """Whether any framework wants methods told apart by this class."""
        return any(
            each.receiver_sensitive(self.engine, class_value) for each in self.asked(class_value)
        )


def _hashable(key: Any) -> Hashable | None:
    return key if isinstance(key, str | int) else None
