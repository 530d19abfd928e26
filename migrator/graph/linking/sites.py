"""Places in function variants, as frameworks see them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking import calling
from migrator.graph.linking.definitions import Variant, note
from migrator.graph.linking.values import Kind
from migrator.model.program import EventKind, Operation

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

EffectKey = tuple[EventKind, str, tuple[str, ...], str, Operation]
"""Kind, target, columns, via, operation."""


class PlaceView:
    """A place; implements `frameworks.Site`, `CallSite` and `StoreSite`."""

    __slots__ = ("_arguments", "_code", "_flags", "_index", "_linker", "_source", "_variant")

    def __init__(
        self,
        linker: Linker,
        variant: Variant,
        index: int,
        arguments: calling.Arguments = calling.NO_ARGUMENTS,
        source: int | None = None,
    ) -> None:
        self._linker = linker
        self._variant = variant
        self._index = index
        self._arguments = arguments
        self._source = source
        self._code = variant.function.facts.code[index]
        position = ir.FLAGS.get(self._code[0])
        self._flags: int = self._code[position] if position is not None else 0

    @property
    def place(self) -> tuple[Variant, int]:
        """Variant and instruction."""
        return self._variant, self._index

    @property
    def key(self) -> Hashable:
        return (self._variant.id, self._index)

    @property
    def ordinal(self) -> int:
        return self._index

    @property
    def function(self) -> str:
        return self._variant.function.name

    @property
    def variant(self) -> str:
        label = self._variant.label
        return f"{self.function}[{label}]" if label else self.function

    @property
    def module(self) -> str:
        return self._variant.function.module.name

    @property
    def file(self) -> str:
        return self._variant.function.module.file

    @property
    def line(self) -> int:
        place = ir.place_of(self._code)
        return int(place[0]) if place else self._variant.function.facts.line

    @property
    def column(self) -> int:
        place = ir.place_of(self._code)
        return int(place[1]) if place else 0

    @property
    def end(self) -> tuple[int, int]:
        place = ir.place_of(self._code)
        return (int(place[2]), int(place[3])) if place else (self.line, 0)

    @property
    def first(self) -> bool:
        return self._index == 0

    @property
    def in_loop(self) -> bool:
        return bool(self._flags & ir.IN_LOOP)

    @property
    def conditional(self) -> bool:
        return bool(self._flags & ir.CONDITIONAL)

    @property
    def result_used(self) -> bool:
        return bool(self._flags & ir.USED)

    def effect(
        self,
        kind: EventKind,
        target: str = "",
        *,
        columns: tuple[str, ...] = (),
        via: str = "",
        operation: Operation = "",
    ) -> None:
        effects = self._variant.effects.setdefault(self._index, {})
        effects[(kind, target, columns, via, operation)] = None

    def calls(self, value: int) -> None:
        for variant, _ in self._linker.foreign.engine.running(value)[0]:
            note(self._variant.calls, self._index, variant)

    # -- calls ----------------------------------------------------------------------------------

    @property
    def positional(self) -> int:
        count = 0
        for each in self._arguments.positional:
            if type(each) is tuple:
                break
            count += 1
        return count

    @property
    def keywords(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._arguments.keywords if name is not None)

    @property
    def merged(self) -> tuple[int, ...]:
        found: list[int] = []
        for name, variable in self._arguments.keywords:
            if name is None and variable is not None:
                found += self._linker.points_to(variable)
        return tuple(dict.fromkeys(found))

    @property
    def starred(self) -> tuple[int, ...]:
        found: list[int] = []
        for each in self._arguments.positional:
            if isinstance(each, tuple) and each[0] is not None:
                found += self._linker.points_to(each[0])
        return tuple(dict.fromkeys(found))

    @property
    def open_ended(self) -> bool:
        return self.positional < len(self._arguments.positional) or any(
            name is None for name, _ in self._arguments.keywords
        )

    @property
    def in_turns(self) -> bool:
        return self._variant.in_turns

    @property
    def decorates(self) -> bool:
        return bool(self._flags & ir.DECORATES)

    def argument_variable(self, position: int = -1, name: str = "") -> int | None:
        given = self._arguments.positional
        if 0 <= position < self.positional:
            found = given[position]
            return found if not isinstance(found, tuple) else None
        for keyword, variable in self._arguments.keywords:
            if name and keyword == name:
                return variable
        return None

    def argument(self, position: int = -1, name: str = "") -> tuple[int, ...]:
        variable = self.argument_variable(position, name)
        if variable is not None:
            return self._linker.points_to(variable)
        if self.given(position, name):
            return ()
        found: list[int] = []
        if name:
            for keyword, merged in self._arguments.keywords:
                if keyword is None and merged is not None:
                    found += self._slots(merged, name)
        start = self.positional
        if position >= start and start < len(self._arguments.positional):
            starred = self._arguments.positional[start]
            if isinstance(starred, tuple) and starred[0] is not None:
                found += self._slots(starred[0], position - start)
        return tuple(dict.fromkeys(found))

    def _slots(self, variable: int, key: int | str) -> list[int]:
        linker = self._linker
        found: list[int] = []
        for value in linker.points_to(variable):
            if linker.values.kinds[value] == Kind.CONTAINER:
                found += linker.points_to(linker.containers.slot(value, key))
                found += linker.points_to(linker.containers.of(value).element)
        return found

    def text(self, position: int = -1, name: str = "") -> str | None:
        known = {self._linker.values.text(each) for each in self.argument(position, name)}
        return known.pop() if len(known) == 1 else None

    def texts(self, position: int = -1, name: str = "") -> tuple[str, ...]:
        linker = self._linker
        found: dict[str, None] = {}
        for value in self.argument(position, name):
            text = linker.values.text(value)
            if text is not None:
                found[text] = None
            elif linker.values.kinds[value] == Kind.CONTAINER:
                for each in linker.containers.held(value):
                    inner = linker.values.text(each)
                    if inner is not None:
                        found[inner] = None
        return tuple(found)

    def given(self, position: int = -1, name: str = "") -> bool:
        if 0 <= position < self.positional:
            return True
        return bool(name) and name in self.keywords

    def constant(self, position: int = -1, name: str = "") -> object:
        if self._code[0] == ir.CALL:
            written = dict(self._code[5])
            receiver = max(len(self._code[3]) - len(self._arguments.positional), 0)
            if position >= 0 and position + receiver in written:
                return written[position + receiver]
            if name and name in written:
                return written[name]
        return ...

    # -- stores ---------------------------------------------------------------------------------

    @property
    def variable(self) -> int:
        if self._source is None:
            self._source = self._linker.slot("nothing stored")
        return self._source

    @property
    def augmented(self) -> bool:
        return bool(self._flags & ir.AUGMENTED)

    @property
    def deletes(self) -> bool:
        return bool(self._flags & ir.DELETES)
