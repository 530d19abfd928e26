"""Names of one file while it is walked: frames of functions, versions of locals, references.

The body of a function is walked after the code around it, so that all names which the functions
around it bind are known by then. Its own names are not: a name that is read before any assignment
gets a reference (a negative variable), and whether that means a variable of its own, of a function
around it, or of the module is settled when its walk is over.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from migrator.facts.guards import Condition
from migrator.facts.ir import (
    COPY,
    FIRST_PARAMETER,
    YIELDED,
    Annotation,
    FunctionFacts,
    Guard,
    Instruction,
    ParameterFacts,
)

Env = dict[str, int]


class Loop:
    """The states of names at `break` and `continue` of a loop that is being walked."""

    __slots__ = ("broken", "leaving")

    def __init__(self) -> None:
        self.leaving: list[Env] = []
        self.broken: list[Env] = []
        """Those at `break`: an `else` is left out there."""


_NO_NAMES: frozenset[str] = frozenset()


class Frame:
    """One function (or the module, index 0) that is being walked."""

    __slots__ = (
        "body",
        "cells",
        "class_",
        "code",
        "constants",
        "count",
        "decorators",
        "end_line",
        "env",
        "flags",
        "global_names",
        "guards",
        "index",
        "line",
        "loops",
        "name",
        "named",
        "nonlocal_names",
        "parameters",
        "parent",
        "refs",
        "returns",
        "trials",
        "versions",
        "waiting",
    )

    def __init__(self, index: int, parent: Frame | None, name: str, class_: int) -> None:
        self.index = index
        self.parent = parent
        self.name = name
        self.class_ = class_
        self.count = FIRST_PARAMETER
        self.code: list[Instruction] = []
        self.guards: list[Guard] = []
        self.env: Env = {}
        self.versions: dict[str, list[int]] = {}
        self.cells: dict[str, int] = {}
        self.waiting: dict[str, int] = {}
        self.refs: list[tuple[int, int]] = []
        self.global_names = _NO_NAMES
        self.nonlocal_names = _NO_NAMES
        self.constants: dict[tuple[type, object], int] = {}
        self.loops: list[Loop] = []
        self.trials: list[dict[str, list[int]]] = []
        self.named = -1
        """The last variable that was given to a name as it was."""
        self.flags = 0
        self.parameters: tuple[ParameterFacts, ...] = ()
        self.returns: Annotation | None = None
        self.decorators: tuple[str, ...] = ()
        self.line = 0
        self.end_line = 0
        self.body: list[ast.stmt] | ast.expr = []

    @property
    def prefix(self) -> str:
        """What stands before the names of definitions inside it."""
        return f"{self.name}." if self.name else ""

    def new(self) -> int:
        """A new variable of this function."""
        variable = self.count
        self.count = variable + 1
        return variable

    def read(self, name: str) -> int:
        """The variable of a name of a function, where its code stands now."""
        known = self.env.get(name)
        return self.reference(name) if known is None else known

    def reference(self, name: str) -> int:
        """The reference that stands for a name which nothing has been given to here so far."""
        waiting = self.waiting.get(name)
        if waiting is None:
            self.refs.append((-2, 0))
            waiting = self.waiting[name] = -len(self.refs)
        return waiting

    def parameter(self, name: str) -> int | None:
        """The variable of a name that was read: a parameter as it came, or of a function around."""
        known = self.env.get(name)
        if known is None:
            return self.waiting.get(name)
        return known if known < FIRST_PARAMETER + len(self.parameters) else None

    def guard(self, conditions: Sequence[Condition], start: int) -> None:
        """The instructions since `start` run only where these conditions hold."""
        end = len(self.code)
        if end > start:
            self.guards += [(*condition, start, end) for condition in conditions]

    def guard_turns(self, conditions: Sequence[Sequence[Condition]], start: int) -> None:
        """Of the instructions since `start` each next one comes from the next of several ways."""
        if any(conditions):
            for index in range(start, len(self.code)):
                needed = conditions[(index - start) % len(conditions)]
                self.guards += [(*each, index, index + 1) for each in needed]

    def write(self, name: str) -> int:
        """The new variable of a name of a function that is assigned now."""
        if name in self.nonlocal_names or name in self.global_names:
            return self.read(name)
        variable = self.count
        self.count = variable + 1
        return self.give(name, variable)

    def give(self, name: str, variable: int) -> int:
        """Let a variable that no other name has be the new one of a name that is assigned now."""
        self.env[name] = variable
        versions = self.versions.get(name)
        if versions is None:
            self.versions[name] = [variable]
        else:
            versions.append(variable)
        for trial in self.trials:
            trial.setdefault(name, []).append(variable)
        return variable

    def cell(self, name: str) -> int:
        """The variable that holds whatever a bound name ever holds."""
        known = self.cells.get(name)
        if known is None:
            versions = self.versions[name]
            if len(versions) == 1:
                known = versions[0]
            else:
                known = self.new()
                for version in versions:
                    self.code.append((COPY, known, version))
            self.cells[name] = known
        return known

    def merge(self, envs: list[Env]) -> None:
        """Continue where several ways meet; what differs between them gets a new variable."""
        if not envs:
            return
        first = envs[0]
        if len(envs) > 1:
            first = dict(first)
            for env in envs[1:]:
                for name, variable in env.items():
                    known = first.get(name)
                    if known is None:
                        first[name] = variable
                    elif known != variable:
                        both = self.new()
                        self.code.append((COPY, both, known))
                        self.code.append((COPY, both, variable))
                        first[name] = both
        self.env = first

    def close_loop(self, start: Env, envs: list[Env]) -> None:
        """What a name holds at the end of a turn, it may hold at the start of the next."""
        for env in envs:
            for name, variable in env.items():
                known = start.get(name)
                if known is None:
                    start[name] = variable
                elif known != variable:
                    self.code.append((COPY, known, variable))
        self.env = start

    def facts(self) -> FunctionFacts:
        """What is kept of it, once every frame has been settled."""
        return FunctionFacts(
            self.name,
            self.line,
            self.end_line,
            self.parent.index if self.parent is not None else -1,
            self.class_,
            self.flags,
            self.parameters,
            self.returns,
            self.decorators,
            tuple(self.refs),
            self.count,
            self.code or [(COPY, YIELDED, YIELDED)],  # a place for what others do in its name
            self._settled_guards(),
        )

    def _settled_guards(self) -> tuple[Guard, ...]:
        """Those of parameters that keep what they came with."""
        if not self.guards:
            return ()
        changed = {instruction[1] for instruction in self.code if instruction[0] == COPY}
        return tuple(
            guard
            for guard in self.guards
            if (guard[0] not in changed if guard[0] >= 0 else self.refs[~guard[0]][0] > 0)
        )


class Names:
    """The names of the module, and the settling of references."""

    def __init__(self) -> None:
        self.indices: dict[str, int] = {}
        self.bound: set[str] = set()

    def index(self, name: str) -> int:
        """The index of a name of the module."""
        known = self.indices.get(name)
        if known is None:
            known = self.indices[name] = len(self.indices)
        return known

    def settle(self, frame: Frame) -> None:
        """Decide what the waiting references of a function mean."""
        for name, reference in frame.waiting.items():
            frame.refs[~reference] = self._meaning(frame, name)
            if name in frame.nonlocal_names:
                owner, variable = frame.refs[~reference]
                _spread(frame, name, owner, variable)

    def _meaning(self, frame: Frame, name: str) -> tuple[int, int]:
        if name in frame.global_names:
            return (-1, self.index(name))
        if name in frame.versions:
            return (frame.index, frame.cell(name))
        outer = frame.parent
        while outer is not None and outer.parent is not None:
            if name in outer.versions and name not in outer.global_names:
                return (outer.index, outer.cell(name))
            if name in outer.global_names:
                break
            outer = outer.parent
        return (-1, self.index(name))


def _spread(frame: Frame, name: str, owner: int, variable: int) -> None:
    """An assignment through `nonlocal` is seen by every later reading in the owner."""
    outer = frame.parent
    while outer is not None and outer.index != owner:
        outer = outer.parent
    if outer is None or owner < 1:
        return
    for version in outer.versions.get(name, ()):
        if version != variable:
            outer.code.append((COPY, version, variable))
