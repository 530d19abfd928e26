"""The abstract values that flow through an analysed program, interned as small integers.

A *value* stands for all run-time objects that the analysis does not tell apart. The solver moves
the integers; whoever needs to know more asks `Values` for the kind, the name and the parts.

====================  ==========================================================================
kind                  stands for
====================  ==========================================================================
`FUNCTION`            a function or lambda of the project; `name` is its dotted name
`CLASS`               a class of the project; `name` is its dotted name
`INSTANCE`            the instances of a project class; `owner` is the `CLASS` value; `parts` is
                      the place where they were made, if the class's instances are told apart
`MODULE`              a module of the project
`EXTERNAL`            something outside, by dotted name: `flask.Flask`, `builtins.len`
`EXTERNAL_INSTANCE`   what calling that outside thing gives: an instance of `flask.Flask`, or the
                      result of `requests.get`; `builtins.str`, `builtins.int` for literals
`BOUND`               a function bound to a receiver; `receiver` and `function` are values.
                      `function` may be an `EXTERNAL` too: a method of an outside thing
`CONTAINER`           a list, tuple, dict, set or generator made at one place; `name` is the outside
                      class (`builtins.list`); the solver keeps its element and its keyed slots
`STRING`              a string constant; `name` is its text
`TEMPLATE`            a string of which parts are unknown; each unknown part reads `{}`
`PARTIAL`             `functools.partial(function, ...)`
`SUPER`               `super()` in a class for a receiver
`DESCRIPTOR`          `property`, `classmethod`, `staticmethod` around a function
`OPAQUE`              what a framework plug-in makes: `tag` says what it is and which plug-in owns
                      it (`sqlalchemy:query`), `parts` are hashable details (values, strings)
====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, NamedTuple


class Kind:
    """What a value is, as a number; see the table above.

    Not an enumeration: reading a member of one takes longer than most of what is done with it.
    """

    FUNCTION: Final = 0
    CLASS: Final = 1
    INSTANCE: Final = 2
    MODULE: Final = 3
    EXTERNAL: Final = 4
    EXTERNAL_INSTANCE: Final = 5
    BOUND: Final = 6
    CONTAINER: Final = 7
    STRING: Final = 8
    TEMPLATE: Final = 9
    PARTIAL: Final = 10
    SUPER: Final = 11
    DESCRIPTOR: Final = 12
    OPAQUE: Final = 13


OUTSIDE = frozenset(
    {Kind.STRING, Kind.TEMPLATE, Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.DESCRIPTOR}
)
"""The kinds of values of which a variable need not hold many."""


class Value(NamedTuple):
    """The view of one value. Parts that a kind does not have are empty or -1."""

    id: int
    kind: int
    name: str
    """Dotted name, text of a string, or tag of an opaque value."""
    owner: int
    """`INSTANCE`: its class; `BOUND`: its receiver; `DESCRIPTOR`, `PARTIAL`: what it wraps."""
    function: int
    """`BOUND`: the function that is bound."""
    parts: tuple[Hashable, ...]
    """`OPAQUE`: what its plug-in put in."""

    @property
    def tag(self) -> str:
        """The tag of an opaque value, else the empty string."""
        return self.name if self.kind == Kind.OPAQUE else ""


class Values:
    """The table of all values: from parts to integer and back. Equal parts, same integer."""

    __slots__ = (
        "_bound",
        "_ids",
        "_outside",
        "_plain_instances",
        "functions",
        "kinds",
        "names",
        "outside",
        "owners",
        "parts",
    )

    def __init__(self) -> None:
        self._ids: dict[tuple[Hashable, ...], int] = {}
        self._bound: dict[int, int] = {}
        self._plain_instances: dict[int, int] = {}
        self._outside = OUTSIDE
        self.outside = bytearray()
        """By value: whether it says little of the project's own code; see `OUTSIDE`."""
        self.kinds: list[int] = []
        self.names: list[str] = []
        self.owners: list[int] = []
        self.functions: list[int] = []
        self.parts: list[tuple[Hashable, ...]] = []

    def __len__(self) -> int:
        return len(self.kinds)

    def _intern(
        self,
        key: tuple[Hashable, ...],
        kind: int,
        name: str,
        owner: int = -1,
        function: int = -1,
        parts: tuple[Hashable, ...] = (),
    ) -> int:
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = self._add(kind, name, owner, function, parts)
        return known

    def _add(
        self, kind: int, name: str, owner: int, function: int, parts: tuple[Hashable, ...]
    ) -> int:
        made = len(self.kinds)
        self.kinds.append(kind)
        self.outside.append(self._is_outside(kind, owner, function))
        self.names.append(name)
        self.owners.append(owner)
        self.functions.append(function)
        self.parts.append(parts)
        return made

    def _is_outside(self, kind: int, owner: int, function: int) -> bool:
        if kind == Kind.BOUND:
            return self.kinds[function] == Kind.EXTERNAL and self.kinds[owner] in self._outside
        return kind in self._outside

    def count_containers_as_outside(self) -> None:
        """In a large program one container among many says little."""
        self._outside = OUTSIDE | {Kind.CONTAINER}

    # -- made by the linker ---------------------------------------------------------------------

    def definition(self, kind: int, name: str, index: int) -> int:
        """A function, class or module of the project; `index` tells namesakes apart."""
        return self._intern((kind, index), kind, name, parts=(index,))

    def container(self, name: str, *place: Hashable) -> int:
        """The container of outside class `name` (`builtins.list`) that is made at `place`."""
        return self._intern((Kind.CONTAINER, name, *place), Kind.CONTAINER, name, parts=place)

    def partial(self, function: int, *place: Hashable) -> int:
        """`functools.partial(function)` made at `place`."""
        return self._intern(
            (Kind.PARTIAL, function, *place), Kind.PARTIAL, "functools.partial", function
        )

    def super_of(self, class_: int, receiver: int) -> int:
        """`super()` inside `class_` for `receiver`."""
        return self._intern((Kind.SUPER, class_, receiver), Kind.SUPER, "super", receiver, class_)

    def descriptor(self, name: str, wrapped: int) -> int:
        """`builtins.property`, `builtins.classmethod` or `builtins.staticmethod` around a value."""
        return self._intern((Kind.DESCRIPTOR, name, wrapped), Kind.DESCRIPTOR, name, wrapped)

    def function(self, name: str, identity: Hashable) -> int:
        """A function, or a closure: one and the same definition in different surroundings."""
        return self._intern((Kind.FUNCTION, identity), Kind.FUNCTION, name, parts=(identity,))

    def number(self, value: int) -> int:
        """A constant of `builtins.int` or `builtins.bool`; its one part is the number."""
        name = f"builtins.{type(value).__name__}"
        key = (Kind.EXTERNAL_INSTANCE, name, value)
        return self._intern(key, Kind.EXTERNAL_INSTANCE, name, parts=(value,))

    def is_apart(self, value: int) -> bool:
        """Whether it is an instance that is told apart by the place where it was made."""
        return self.kinds[value] == Kind.INSTANCE and bool(self.parts[value])

    # -- made by linker and plug-ins ------------------------------------------------------------

    def instance(self, class_: int, *place: Hashable) -> int:
        """The instances of a class: of a `CLASS`, or of an `EXTERNAL` (an outside instance).

        With a place only those of a `CLASS` that are made there, for classes whose instances are
        told apart (`Framework.instances_apart`).
        """
        if not place:
            known = self._plain_instances.get(class_)
            if known is None:
                known = self._plain_instances[class_] = self._instance(class_, ())
            return known
        return self._instance(class_, place)

    def _instance(self, class_: int, place: tuple[Hashable, ...]) -> int:
        if self.kinds[class_] == Kind.EXTERNAL:
            return self.external_instance(self.names[class_])
        key = (Kind.INSTANCE, class_, *place)
        return self._intern(key, Kind.INSTANCE, self.names[class_], class_, parts=place)

    def external(self, name: str) -> int:
        """Something outside the project, by its dotted name."""
        return self._intern((Kind.EXTERNAL, name), Kind.EXTERNAL, name)

    def mentions(self, name: str) -> bool:
        """Whether the program mentions that outside name."""
        return (Kind.EXTERNAL, name) in self._ids

    def external_instance(self, name: str) -> int:
        """What calling the outside thing `name` gives."""
        return self._intern((Kind.EXTERNAL_INSTANCE, name), Kind.EXTERNAL_INSTANCE, name)

    def is_text(self, value: int) -> bool:
        """Whether it is a string, known or not."""
        kind = self.kinds[value]
        if kind == Kind.EXTERNAL_INSTANCE:
            return self.names[value] == "builtins.str"
        return kind == Kind.STRING

    def bound(self, receiver: int, function: int) -> int:
        """`function` (a `FUNCTION`, `EXTERNAL`, or `OPAQUE`) bound to `receiver`."""
        key = receiver << 32 | function
        known = self._bound.get(key)
        if known is None:
            known = self._bound[key] = self._add(
                Kind.BOUND, self.names[function], receiver, function, ()
            )
        return known

    def string(self, text: str) -> int:
        """A string constant."""
        return self._intern((Kind.STRING, text), Kind.STRING, text)

    def template(self, text: str) -> int:
        """A string with unknown parts, each written `{}`."""
        return self._intern((Kind.TEMPLATE, text), Kind.TEMPLATE, text)

    def opaque(self, tag: str, *parts: Hashable) -> int:
        """A plug-in's own value. `tag` is `PLUGIN:WHAT`; calls, attributes, items and iteration of
        it come to the plug-in whose `name` is `PLUGIN`. Equal tag and parts are the same value, so
        parts decide how finely things are told apart (give `site.key` to tell places apart)."""
        return self._intern((Kind.OPAQUE, tag, *parts), Kind.OPAQUE, tag, parts=parts)

    # -- views ------------------------------------------------------------------------------------

    def view(self, value: int) -> Value:
        """All that the table knows of a value."""
        return Value(
            value,
            self.kinds[value],
            self.names[value],
            self.owners[value],
            self.functions[value],
            self.parts[value],
        )

    def kind(self, value: int) -> int:
        """The kind of a value."""
        return self.kinds[value]

    def name(self, value: int) -> str:
        """The dotted name, the text of a string, or the tag."""
        return self.names[value]

    def is_instance_of(self, value: int, external: str) -> bool:
        """Whether it is an outside instance of exactly that dotted name."""
        return self.kinds[value] == Kind.EXTERNAL_INSTANCE and self.names[value] == external

    def text(self, value: int) -> str | None:
        """The text of a string constant or template, else None."""
        return self.names[value] if self.kinds[value] in (Kind.STRING, Kind.TEMPLATE) else None
