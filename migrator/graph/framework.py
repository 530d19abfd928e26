"""The base of a framework plug-in: what the linker asks it, and when.

The linker (`graph.linking.solver`) moves abstract values (`graph.linking.values`) through the
program until nothing changes. Whatever it does not know by itself (what is outside the project,
and what a plug-in made) it hands to a plug-in:

* an outside dotted name goes to the plug-ins whose `externals` hold it or a prefix of it;
* an opaque value `PLUGIN:WHAT` goes to the plug-in of that name;
* a project class or its instance goes to the plug-ins of its outside and opaque bases, when
  lookup in the project's own classes (C3 order) has reached that base.

A callback returns the values that come out, or None for "not mine", upon which the next plug-in is
asked and at last the default holds (written beside each callback). **A callback is called again
whenever something that it looked at through `engine` or `site` has grown**, so it must be
repeatable and may only add: keep what you collect in dicts by `site.key` or by value, and do not
decide by absence before `finish`. Values that flow later than the return can be connected through
variables: `engine.slot`, `engine.flow`, `engine.add`.

Functions are analysed in *variants*: a method of a base or mixin once per receiver class for which
`receiver_sensitive` says yes (so `Mixin.save` writes one table when called on a `Member`), small
wrappers once per place of call. `Site.function` is the plain name, `Site.variant` tells them apart;
effects are recorded for the variant.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.protocol import CallSite, ClassView, Engine, Site, StoreSite

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis


class Framework:
    """Base of all plug-ins; override what concerns you. One object lives for one analysis."""

    name: str = ""
    """Owner of the opaque values `NAME:...`; listed in `Program.frameworks` when `seen`."""
    externals: tuple[str, ...] = ()
    """Dotted names whose calls, attributes and subclasses come here, prefixes included."""
    adopts: tuple[str, ...] = ()
    """Outside names by which plain classes become the framework's own (`Engine.adopt`)."""
    registering: tuple[str, ...] = ()
    """Methods by which the framework is told of routes and the like: a function that calls one for
    its caller is analysed once per place of call, whatever that costs, so that what belongs
    together (a rule, its endpoint, its view) stays together."""
    naming: tuple[str, ...] = ()
    """Outside functions that make something of the name that they are given first: objects whose
    constructor calls one with a name that is put together are told apart by where they are made."""
    seen: bool = False
    """Set it when the project really uses the framework."""

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        """The outside dotted `name` is mentioned. Default: the value `EXTERNAL name`.

        Give values of your own for objects that a module merely holds (`flask.current_app`).
        """

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        """`callee` is called: an `EXTERNAL` (function or class), an `EXTERNAL_INSTANCE`, an
        `OPAQUE`, a `BOUND` of one of these (a method; `function` names it), or a `CLASS` of the
        project whose constructor is that of an outside base.

        Default: `EXTERNAL_INSTANCE name`; the instance for a `CLASS`; for a decorator the decorated
        definition.
        """

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        """`receiver.name` is read, and no class of the project binds the name.

        `base` is `receiver` itself for outside and opaque values; for a project `CLASS` or its
        `INSTANCE` it is the outside or opaque base at which lookup has arrived. What was stored in
        the attribute (`engine.field`) comes in addition to what you return.

        Default: `BOUND(receiver, EXTERNAL base.name)` for instances (`flask:blueprint.route` for
        opaque ones), `EXTERNAL base.name` for modules and classes.
        """

    def bind(
        self, engine: Engine, site: Site, found: int, receiver: int, name: str
    ) -> Iterable[int] | None:
        """The descriptor protocol: `receiver.name` found your opaque (or outside) value `found` in
        the class of `receiver`, an `INSTANCE`, or in `receiver` itself, a `CLASS`.

        Default: `found` itself.
        """

    def store(
        self, engine: Engine, site: StoreSite, receiver: int, name: str, base: int
    ) -> bool | None:
        """`receiver.name = value` where `receiver` is an opaque value, an outside one, or an
        `INSTANCE` or `CLASS` of the project with outside or opaque `base` (called once a base).

        Called in addition to the default (the value flows into `engine.field`), which True stops.
        """

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        """`receiver[key]` of an opaque or outside value; `key` is a constant or None.

        Default: what was stored there, and for outside values `EXTERNAL_INSTANCE`.
        """

    def store_item(
        self, engine: Engine, site: StoreSite, receiver: int, key: Hashable | None
    ) -> bool | None:
        """`receiver[key] = value` of an opaque or outside value. Default: kept for `item`."""

    def iterate(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        """`for x in receiver` of an opaque or outside value: the values of x. Default: none."""

    def enter(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        """`with receiver as x` of an opaque or outside value: the values of x.

        Default: the receiver itself.
        """

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        """A project class has `base`, an outside or opaque value, among its bases."""

    def unknown_base(self, engine: Engine, class_: ClassView, base: int) -> None:
        """A project class has an outside base that concerns no framework, as far as is known."""

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        """Whether inherited methods are to be analysed for this `CLASS` apart. Default: no."""
        return False

    def instances_apart(self, engine: Engine, class_: int) -> bool:
        """Whether instances of this `CLASS` that are made at different places are to be told apart.

        Its methods are then analysed for each of them and for each place of call. Default: no.
        """
        return False

    def finish(self, analysis: Analysis) -> None:
        """Nothing changes any more: put entry points, tables, hooks into the program and graph."""
