"""What the monolith imports when it starts, and by which imports.

A definition that is kept is of no use when nobody imports its module: a model stays unmapped, a
listener unregistered. So every kept module is reached through imports that the monolith had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import NamedTuple

from migrator.generation.names import Project
from migrator.generation.scopes import Reference, references
from migrator.generation.source import DefinitionNode, Module, Unit


class Load(NamedTuple):
    """That `unit`, when it runs or is called, imports `module`."""

    unit: Unit
    module: Module


class Loading:
    """The imports of the monolith from its start modules on."""

    def __init__(self, project: Project, starts: Iterable[Module], called: Iterable[Unit]) -> None:
        self.project = project
        self.starts = list(starts)
        self.at_start: dict[Module, list[Load]] = {}
        """The imports that run at start, by the module in which they stand."""
        self._called: set[Unit] = set()
        self._called_in: dict[Module, list[Unit]] = {}
        self._run(called)
        self.anywhere = {
            module: [Load(unit, each) for unit in module.units for each in self._loads(unit, True)]
            for module in project.modules.values()
        }

    @property
    def modules(self) -> Collection[Module]:
        """All modules that are imported at start."""
        return self.at_start.keys()

    def _loads(self, unit: Unit, when_called: bool) -> list[Module]:
        if unit.block is not None:
            return []
        found = [
            module
            for edge in unit.imports
            if when_called or not edge.function
            for module in self.project.imported_modules(edge.target)
        ]
        if when_called or not isinstance(unit.node, DefinitionNode):
            for text in self.project.references_of(unit).texts:
                for target in self.project.named_in(unit.module, text):
                    if not isinstance(target, Unit):
                        found.append(target.module)
        return found

    def _run(self, called: Iterable[Unit]) -> None:
        waiting: deque[Module | Unit] = deque([*self.starts, *called])
        while waiting:
            item = waiting.popleft()
            if isinstance(item, Unit):
                if item not in self._called:
                    self._called.add(item)
                    waiting.extend(self._call(item))
            elif item not in self.at_start:
                self.at_start[item] = []
                for unit in item.units:
                    waiting.extend(self._execute(unit))
                for unit in self._called_in.get(item, ()):
                    waiting.extend(self._load(unit, True))

    def _execute(self, unit: Unit) -> list[Module | Unit]:
        if unit.kind == "main" and unit.module not in self.starts:
            return []
        found: list[Module | Unit] = list(self._load(unit, False))
        if isinstance(unit.node, DefinitionNode):
            names = references(unit.module, unit.node.decorator_list).names
        else:
            names = self.project.references_of(unit).names
        for reference in names:
            if reference.called:
                found.extend(self._definitions(unit.module, reference))
        return found

    def _call(self, unit: Unit) -> list[Module | Unit]:
        self._called_in.setdefault(unit.module, []).append(unit)
        found: list[Module | Unit] = []
        if unit.module in self.at_start:
            found.extend(self._load(unit, True))
        for reference in self.project.references_of(unit).names:
            if not reference.called:
                continue
            found.extend(self._definitions(unit.module, reference))
        return found

    def _definitions(self, module: Module, reference: Reference) -> list[Unit]:
        return [
            each
            for each in self.project.origins_of(module, reference)
            if isinstance(each.node, DefinitionNode)
        ]

    def _load(self, unit: Unit, when_called: bool) -> list[Module]:
        modules = self._loads(unit, when_called)
        self.at_start[unit.module].extend(Load(unit, each) for each in modules)
        return modules

    def reached(self, live: Collection[Unit], *, lazily: bool) -> set[Module]:
        """The modules that a slice of these units imports, at start or (`lazily`) ever."""
        loads = self.anywhere if lazily else self.at_start
        found: set[Module] = set()
        waiting = deque(self.starts)
        while waiting:
            module = waiting.popleft()
            if module in found:
                continue
            found.add(module)
            parent = self.project.modules.get(module.name.rpartition(".")[0])
            if parent is not None:
                waiting.append(parent)
            waiting.extend(each.module for each in loads.get(module, ()) if each.unit in live)
        return found

    def path(
        self, target: Module, reached: Collection[Module], live: Collection[Module], *, lazily: bool
    ) -> list[Unit]:
        """The imports that lead from what is reached to `target`, as few new modules as can be.

        Empty when the monolith had no such way.
        """
        loads = self.anywhere if lazily else self.at_start
        # Breadth first; a module that is kept anyway costs nothing.
        known = sorted(reached, key=lambda each: each.name)
        came: dict[Module, Load | None] = dict.fromkeys(known)
        waiting = deque(came)
        while waiting:
            module = waiting.popleft()
            if module is target:
                break
            for load in loads.get(module, ()):
                if load.module not in came:
                    came[load.module] = load
                    if load.module in live:
                        waiting.appendleft(load.module)
                    else:
                        waiting.append(load.module)
        units: list[Unit] = []
        step = came.get(target)
        while step is not None:
            units.append(step.unit)
            step = came[step.unit.module]
        return units
