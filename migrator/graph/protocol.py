"""What the linker shows to plug-ins and does for them: places in the code, classes, values.

Plug-ins stand in `frameworks/`, their base is `framework.py`; the linker fills the protocols.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from migrator.graph.linking.values import Kind, Values
from migrator.model.program import EventKind, Operation


class Annotation(NamedTuple):
    """A written annotation: `Mapped[list["Profile"]]` has one argument, which has one argument."""

    text: str
    """As in the source."""
    name: str
    """The dotted name of its head where it is known (`sqlalchemy.orm.Mapped`), else as written."""
    values: tuple[int, ...]
    """The `CLASS` or `EXTERNAL` values that the head names."""
    arguments: tuple[Annotation, ...]


class ClassAttribute(NamedTuple):
    """A name bound in a class body (not a method's own code), in source order."""

    name: str
    variable: int
    """Give it to `engine.points_to`."""
    line: int
    annotation: Annotation | None


class ClassView(NamedTuple):
    """A class of the project as plug-ins see it."""

    value: int
    name: str
    file: str
    line: int
    end_line: int
    attributes: tuple[ClassAttribute, ...]
    keywords: Mapping[str, int]
    """Keywords of the class statement (`metaclass`, `table`) to their variables."""


class Site(Protocol):
    """A place in a function variant: of a call, an attribute, an item, an iteration."""

    @property
    def key(self) -> Hashable:
        """Unique to this place in this variant: key of what you collect, part of opaque values."""

    @property
    def function(self) -> str:
        """The dotted function (or module) whose code this is."""

    @property
    def variant(self) -> str:
        """The function's name, or for a variant of it the key in `Program.variants`."""

    @property
    def module(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end(self) -> tuple[int, int]:
        """Line and column behind the whole expression."""

    @property
    def first(self) -> bool:
        """Whether it begins the function: there stands what is done in its name (`inside`)."""

    @property
    def in_loop(self) -> bool: ...
    @property
    def conditional(self) -> bool: ...
    @property
    def result_used(self) -> bool: ...

    def effect(
        self,
        kind: EventKind,
        target: str = "",
        *,
        columns: tuple[str, ...] = (),
        via: str = "",
        operation: Operation = "",
    ) -> None:
        """Record an `Event` of the function variant at this place; the same twice is one."""

    def calls(self, value: int) -> None:
        """The function value is called here, which shows only now that all is at rest."""


class CallSite(Site, Protocol):
    """A call. Positions count without the receiver."""

    @property
    def ordinal(self) -> int:
        """Which place of its function it is: a name that stays when lines move."""

    @property
    def positional(self) -> int:
        """How many positional arguments stand before the first `*argument`."""

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names of the keyword arguments, in source order."""

    @property
    def merged(self) -> tuple[int, ...]:
        """The values of `**argument`."""

    @property
    def starred(self) -> tuple[int, ...]:
        """The values of `*argument`."""

    @property
    def open_ended(self) -> bool:
        """Whether there is a `*argument` or `**argument`."""

    @property
    def in_turns(self) -> bool:
        """Whether its function has variants for the turns of a loop, which are places, too."""

    @property
    def decorates(self) -> bool:
        """Whether this is the application of a decorator: its argument 0 is the definition."""

    def argument(self, position: int = -1, name: str = "") -> tuple[int, ...]:
        """The values of an argument, by position or else by keyword; `**{...}` is looked through.
        Empty where it is not given or nothing is known of it."""

    def argument_variable(self, position: int = -1, name: str = "") -> int | None:
        """The variable of an argument, for `engine.flow`; None where it is not given."""

    def text(self, position: int = -1, name: str = "") -> str | None:
        """The argument's text if it is exactly one string constant or template."""

    def texts(self, position: int = -1, name: str = "") -> tuple[str, ...]:
        """Every string that the argument may be, also as elements of a list or tuple."""

    def given(self, position: int = -1, name: str = "") -> bool:
        """Whether the call writes that argument."""

    def constant(self, position: int = -1, name: str = "") -> object:
        """The Python constant (True, None, 3, "x") that is written there, else `...`."""


class StoreSite(Site, Protocol):
    """`receiver.name = value`, `setattr`, `receiver[key] = value`, `del`, `+=`."""

    @property
    def variable(self) -> int:
        """The variable of the value that is stored; for `engine.flow` and `engine.points_to`."""

    @property
    def augmented(self) -> bool:
        """Whether it is `+=` and the like."""

    @property
    def deletes(self) -> bool:
        """Whether it is `del`."""


class Engine(Protocol):
    """What the linker offers to plug-ins. Variables and values are integers."""

    @property
    def values(self) -> Values: ...

    def points_to(self, variable: int) -> tuple[int, ...]:
        """The values of a variable so far; the running callback is called again when it grows."""

    def slot(self, *name: Hashable) -> int:
        """The plug-in's own global variable of that name, made at first use."""

    def field(self, value: int, name: str) -> int:
        """The variable of an attribute of a value itself (its `__dict__`, not its class)."""

    def element(self, container: int) -> int:
        """The variable of what a `CONTAINER` holds."""

    def held(self, container: int) -> tuple[int, ...]:
        """All values that a `CONTAINER` holds, also more than one variable takes."""

    def container(self, name: str, site: Site, *elements: int) -> int:
        """A container value (`builtins.list`) made at this site that holds those values."""

    def add(self, variable: int, *values: int) -> None:
        """Let a variable hold values."""

    def wait(self) -> bool:
        """Whether to come again when all is at rest, for what the absence of values decides."""

    def flow(self, source: int, target: int) -> None:
        """Let all values of `source`, now and later, be values of `target`."""

    def invoke(
        self,
        site: Site,
        callee: int,
        arguments: Sequence[int] = (),
        keywords: Mapping[str, int] | None = None,
        *,
        edge: bool = True,
    ) -> int:
        """The framework calls `callee` with those *variables*, as a consequence of this site.

        Gives the variable of the result. With `edge` the call is an edge and a call event of the
        site's function (a listener that runs inside `send`); without it is only a flow of values
        (the function becomes a handler that runs some other time: a view, a thread, a task).
        """

    def new_instance(self, site: Site, class_: int) -> int:
        """The value of what calling a `CLASS` at that place gives."""

    def captured(self, function: int) -> tuple[int, ...]:
        """The values that a closure holds in the variables of the functions around it."""

    def tell_apart(self, class_: int) -> None:
        """From now on inherited methods are analysed for this `CLASS` apart (see the top)."""

    def attribute(self, site: Site, receiver: int, name: str) -> int:
        """The variable that `receiver.name` read at this site would give."""

    def iterate(self, site: Site, receiver: int) -> int:
        """The variable of the elements of `for x in receiver` at this site."""

    def item(self, site: Site, receiver: int, key: Hashable | None) -> int:
        """The variable of `receiver[key]` at this site; None for a key that is not known."""

    def inside(self, function: int) -> Site | None:
        """The place at the beginning of a `FUNCTION`, for what a framework does in its name."""

    def beginnings(self, function: int) -> tuple[Site, ...]:
        """The same in all variants in which it runs, once nothing changes any more."""

    def keys(self, container: int) -> tuple[Hashable, ...]:
        """The constant keys under which a `CONTAINER` holds something, so far."""

    def under(self, container: int, key: Hashable) -> tuple[int, ...]:
        """What a `CONTAINER` holds under a constant key, so far."""

    def runs(self, value: int) -> tuple[str, ...]:
        """The keys of what runs when a function value is called, in functions and variants."""

    def parameters(self, function: int) -> tuple[tuple[str, bool, str], ...]:
        """The positional parameters of a `FUNCTION`: name, whether it has a default, annotation."""

    def resolve(self, dotted: str) -> tuple[int, ...]:
        """The values of a dotted name of the project (`package.module.Class`) or outside it."""

    def modules(self) -> Collection[str]:
        """The dotted names of all modules of the project."""

    def class_view(self, class_: int) -> ClassView:
        """What a `CLASS` value's statement says."""

    def bases(self, class_: int) -> tuple[int, ...]:
        """The values in C3 order of a `CLASS`, itself first; outside and opaque bases included.
        Outside bases with no known order come after those of the project."""

    def subclasses(self, class_: int) -> tuple[int, ...]:
        """The project classes that have it among their bases, so far, sorted by name."""

    def adopt(self, class_: int, base: int) -> None:
        """Let a `CLASS` have an opaque base that its statement does not name."""

    def class_attribute(self, class_: int, name: str) -> int | None:
        """The variable of the first class in C3 order that binds the name in its body, or None."""

    def class_named(self, name: str) -> tuple[int, ...]:
        """The project's classes whose last (or dotted) name is `name`: for classes in strings."""

    def name_of(self, value: int) -> str:
        """The dotted name of a function, class, module or outside thing."""

    def file_of(self, value: int) -> tuple[str, int, int]:
        """File, line and last line of a function, class or module of the project."""


def with_elements(engine: Engine, values: Iterable[int]) -> list[int]:
    """Values, with what the containers among them hold, however deep; each once."""
    found = dict.fromkeys(values)
    waiting = list(found)
    for value in waiting:
        if engine.values.kind(value) == Kind.CONTAINER:
            fresh = [each for each in engine.held(value) if each not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
    return list(found)


def class_among(engine: Engine, value: int, names: Collection[str]) -> str:
    """Which of some outside classes a value is an instance of, also by a subclass; else nothing."""
    values = engine.values
    kind = values.kind(value)
    if kind == Kind.EXTERNAL_INSTANCE:
        return values.name(value) if values.name(value) in names else ""
    if kind != Kind.INSTANCE:
        return ""
    bases = (values.name(each) for each in engine.bases(values.view(value).owner))
    return next((each for each in bases if each in names), "")
