"""The project's modules, classes and functions, and the variants of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from migrator.facts import ir
from migrator.facts.project import ModuleFacts
from migrator.graph.linking.given import NOTHING, Deciding, Given
from migrator.graph.linking.survey import survey

NONE: frozenset[int] = frozenset()
NO_TURNS: Mapping[int, int] = {}


class Module:
    """A module, or a namespace package (without facts)."""

    __slots__ = ("body", "classes", "facts", "functions", "name", "names", "refs", "value")

    def __init__(self, name: str, facts: ModuleFacts | None, value: int) -> None:
        self.name = name
        self.facts = facts
        self.value = value
        self.names: dict[str, int] = {}
        """Bound names to variables."""
        self.refs: list[int] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.body: Variant | None = None

    @property
    def file(self) -> str:
        return self.facts.file if self.facts is not None else ""


class Function:
    """A definition of a function, lambda or module body."""

    __slots__ = (
        "annotations",
        "apart",
        "captures",
        "class_",
        "deciding",
        "decorating",
        "defaults",
        "facts",
        "first",
        "fixed",
        "guarded",
        "index",
        "makes_functions",
        "memo",
        "methods",
        "module",
        "moving",
        "name",
        "passes",
        "positional",
        "reassigned",
        "returns",
        "size",
        "variants",
    )

    def __init__(self, index: int, name: str, module: Module, facts: ir.FunctionFacts) -> None:
        self.index = index
        self.name = name
        self.module = module
        self.facts = facts
        self.class_: Class | None = None
        self.apart = 0
        """How many of its variants run for instances that are told apart, or below such."""
        self.captures = False
        self.makes_functions = False
        self.memo: dict[int, int] = {}
        """Instructions that read what the function has worked out before; see `memo.py`."""
        self.variants: dict[tuple[Any, ...], Variant] = {}
        self.positional = tuple(p for p in facts.parameters if p.kind <= ir.POSITIONAL)
        known = survey(facts, self.positional)
        self.size = known.size
        self.passes = known.passes
        self.fixed = known.fixed
        self.moving = known.moving
        self.methods = known.methods
        self.decorating = known.decorating
        self.reassigned = known.reassigned
        """For these seven see `survey.Survey`."""
        self.guarded = frozenset([g[0] for g in facts.guards if g[0] >= 0]) or NONE
        """Its parameters that decide what runs, in it or in a function inside of it."""
        self.deciding: tuple[Deciding, ...] | None = None
        """See `given.given`."""
        self.first = next(
            (p.variable for p in facts.parameters if p.kind <= ir.VAR_POSITIONAL), None
        )
        """The variable of the first parameter, or of `*args` where there is no other."""
        self.defaults: dict[str, int] = {}
        self.annotations: dict[str, int] = {}
        self.returns: int | None = None

    @property
    def wraps(self) -> bool:
        """Whether it calls what functions around it hold, or a function inside of it may."""
        return self.makes_functions or any(
            code[0] == ir.CALL and code[2] is not None and any(self.outer((code[2],)))
            for code in self.facts.code
        )

    def outer(self, variables: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Those that belong to functions around it: the function's index in its file, variable."""
        for local in variables:
            if local < 0 and self.facts.refs[~local][0] >= 0:
                yield self.facts.refs[~local]

    def unfix(self, local: int) -> None:
        """Another function sets one of its variables too."""
        self.reassigned |= {local}
        self.fixed = self.fixed[:local] + b"\0" + self.fixed[local + 1 :]


class Class:
    """A class statement."""

    __slots__ = (
        "annotated",
        "attributes",
        "bases",
        "dependents",
        "facts",
        "index",
        "keywords",
        "module",
        "name",
        "order",
        "owner",
        "parents",
        "settled",
        "subclasses",
        "value",
    )

    def __init__(self, index: int, name: str, module: Module, facts: ir.ClassFacts) -> None:
        self.index = index
        self.name = name
        self.module = module
        self.facts = facts
        self.value = -1
        self.owner: Variant | None = None
        self.attributes: dict[str, int] = {}
        self.annotated = frozenset([each[0] for each in facts.attributes if each[3] is not None])
        """Names of attributes that are annotated, and perhaps no more than that."""
        self.keywords: dict[str, int] = {}
        self.bases: list[list[int]] = [[] for _ in facts.bases]
        self.order: tuple[int, ...] | None = None
        self.parents: list[int] | None = None
        """The instances of its direct bases in the project."""
        self.subclasses: set[int] = set()
        self.dependents: list[tuple[Callable[[int, Any], None], int, Any]] = []
        self.settled = False


class Variant:
    """A function's code in one context; `base` is its first variable."""

    __slots__ = (
        "apart",
        "arguments",
        "base",
        "called",
        "calls",
        "chain",
        "depth",
        "effects",
        "env",
        "externals",
        "function",
        "given",
        "id",
        "in_turns",
        "instances",
        "label",
        "outside",
        "raises",
        "ready",
        "receiver",
        "refs",
        "turns",
    )

    def __init__(
        self, id: int, function: Function, env: Variant | None, label: str, base: int
    ) -> None:
        self.id = id
        self.function = function
        self.env = env
        self.label = label
        """What tells it from the function itself; empty for the general variant."""
        self.base = base
        self.refs: list[int] = []
        self.ready = False
        self.called = False
        self.apart = False
        """Whether it runs for an instance that is told apart, or is called by what does."""
        self.receiver: int | None = None
        """The class of receiver that it is for, where that counts."""
        self.given: Given = NOTHING
        """The constants that its parameters hold."""
        self.depth = 0
        self.chain: frozenset[int] = NONE
        self.arguments: dict[int, Any] = {}
        """Instruction to the `calling.Arguments` of the call."""
        self.calls: dict[int, tuple[int, ...]] = {}
        """Instruction to the ids of the variants that it may call."""
        self.instances: dict[int, tuple[int, ...]] = {}
        """Instruction to the classes that it may make an instance of."""
        self.externals: dict[int, tuple[str, ...]] = {}
        """Instruction to the outside names that it may call."""
        self.effects: dict[int, dict[Any, None]] = {}
        self.raises: dict[str, None] = {}
        self.outside = False
        self.in_turns = False
        """Whether a loop of it runs in variants of their own, one a row."""
        self.turns = NO_TURNS
        """Of one turn of a loop: the instruction that iterates to the variable of the row."""

    def around(self, function: Function) -> Variant | None:
        """The variant of that function in which this one stands, or None."""
        holder: Variant | None = self
        while holder is not None and holder.function is not function:
            holder = holder.env
        return holder

    def variable(self, local: int) -> int:
        """The solver's variable of one of the facts'."""
        return self.base + local if local >= 0 else self.refs[~local]


def note(known: dict[int, tuple[Any, ...]], index: int, each: int | str) -> None:
    """Add to what is known of an instruction; most have one thing, so that no set is needed."""
    before = known.get(index, ())
    if each not in before:
        known[index] = (*before, each)
