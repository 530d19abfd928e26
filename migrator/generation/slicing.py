"""The part of the monolith that one service needs: a fixpoint over units from its roots."""

from __future__ import annotations

import ast
import re
from collections import deque

from migrator.generation.inner import foreign_registrations, foreign_work
from migrator.generation.loading import Loading
from migrator.generation.mapping import Mapping
from migrator.generation.names import Project, Target, Touched, Whole
from migrator.generation.registrations import Registrations, Rule, definitions_in
from migrator.generation.scopes import Reference, References, Text, references
from migrator.generation.sliced import Slice, cut_functions
from migrator.generation.source import FunctionNode, Module, Unit
from migrator.model.plan import Plan
from migrator.model.program import EntryPoint
from migrator.model.settings import Run

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def slice_service(
    project: Project,
    plan: Plan,
    service: str,
    run: Run,
    pickled: dict[str, tuple[str, ...]] | None = None,
) -> Slice:
    """Work out which units `service` keeps.

    `pickled` are the dotted definitions that the rows of tables name.
    """
    slicer = _Slicer(project, plan, service, run, pickled or {})
    slicer.close()
    return slicer.slice


class _Slicer:
    def __init__(
        self,
        project: Project,
        plan: Plan,
        service: str,
        run: Run,
        pickled: dict[str, tuple[str, ...]],
    ) -> None:
        self.pickled = pickled
        self.project = project
        self.program = project.program
        self.plan = plan
        self.service = plan.services[service]
        self.name = service
        self.run = run
        self.starts, self.roots = self._starts()
        self.registrations = Registrations(
            project, frozenset(self.service.answered), frozenset(self.roots)
        )
        self.slice = Slice(cuts=cut_functions(self.registrations, self.service))
        self.slice.registrations = self.registrations
        self.mapping = Mapping(project)
        self.queue: deque[Unit] = deque()
        self.waiting: dict[Unit, list[Unit]] = {}
        self.waiting_active: dict[Unit, list[Unit]] = {}
        self.active: set[Unit] = set()
        self.ruled: set[Module] = set()
        self.loading = Loading(project, self.starts, self.roots)
        self.slice.loading = self.loading
        self.parents = self.registrations.parents(self.loading.modules)

        self.used: dict[Module, set[str]] = {}

    # Roots

    def _starts(self) -> tuple[list[Module], list[Unit]]:
        dotted, _, attribute = self.run.application.partition(":")
        starts = [self.project.modules[dotted]] if dotted in self.project.modules else []
        roots: list[Unit] = []
        if starts and attribute:
            name = _IDENTIFIER.match(attribute)
            found = self.project.lookup(starts[0], name.group() if name else attribute)
            roots.extend(each for each in found if isinstance(each, Unit))
        for entry in self.service.answered:
            kind, _, worker = entry.partition(":")
            if kind == "process" and worker in self.project.modules:
                starts.append(self.project.modules[worker])
        return starts, roots

    def _keep_roots(self) -> None:
        for module in self.starts:
            self.keep_module(module)
            for unit in module.units:
                if unit.kind == "main":
                    self.keep(unit)
        for unit in self.roots:
            self.keep(unit)
        for name in self.service.answered:
            entry = self.program.entry_points.get(name)
            if entry is not None:
                self._keep_dotted(*self._reached(entry))
        for table in self.service.tables:
            for unit in self.mapping.of_table(table):
                self.keep(unit)
        for table in (*self.service.tables, *self.service.replicas):
            self._keep_dotted(*self.pickled.get(table, ()))
        self._keep_calls()
        for value in self.run.environment.values():
            for module in self.starts[:1]:
                self._read(module, Text((value,), "", ast.Constant(value)))
        for module in self.loading.modules:
            self._apply_rules(module)

    def _reached(self, entry: EntryPoint) -> set[str]:
        """The functions that the graph knows an entry point to reach, none beyond a cut.

        Names lead to nearly all of them; dynamic calls are why the graph is asked.
        """
        possible = set(entry.functions)
        found: set[str] = set()
        waiting = [entry.handler, *entry.hooks]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            function = self.program.functions.get(name)
            if function is not None and name not in self.slice.cuts:
                targets = (each.target for each in function.events if each.kind == "call")
                waiting.extend(possible.intersection(targets))
        return found

    def _keep_calls(self) -> None:
        for name, other in sorted(self.plan.services.items()):
            for crossing in other.calls:
                if crossing.unit == "function" and crossing.owner == self.name != name:
                    self._keep_dotted(crossing.function)
                if name == self.name or crossing.owner == self.name:
                    function = self.program.functions.get(crossing.function)
                    if function is not None and crossing.unit == "function":
                        types = [t for each in function.parameters for t in each.types]
                        self._keep_dotted(*function.raises, *function.returns, *types)

    def _keep_dotted(self, *names: str) -> None:
        for name in names:
            for part in re.findall(r"[\w.]+", name):
                for unit in self.project.unit_of(part):
                    self.keep(unit)

    # Rules

    def _apply_rules(self, module: Module) -> None:
        if module in self.ruled:
            return
        self.ruled.add(module)
        for unit in module.units:
            rule = self.registrations.rule(unit)
            if rule is not None:
                self._apply(unit, rule)

    def _apply(self, unit: Unit, rule: Rule) -> None:
        if rule.how == "always":
            self.keep(unit)
        elif rule.how == "when":
            for each in rule.units:
                if each in self.slice.live:
                    self.keep(unit)
                self.waiting.setdefault(each, []).append(unit)
        elif rule.how == "active":
            for each in rule.units:
                if each in self.active:
                    self.keep(unit)
                self.waiting_active.setdefault(each, []).append(unit)

    def _activate(self, blueprint: Unit) -> None:
        if blueprint in self.active:
            return
        self.active.add(blueprint)
        for unit in self.waiting_active.get(blueprint, ()):
            self.keep(unit)
        for parent in self.parents.get(blueprint, ()):
            self._activate(parent)

    # Keeping

    def keep(self, unit: Unit) -> None:
        """Keep a unit and, in time, all that it refers to."""
        if unit not in self.slice.live:
            self.slice.live.add(unit)
            self.keep_module(unit.module)
            self.queue.append(unit)

    def keep_module(self, module: Module) -> None:
        """Keep a module as a file, and the packages that it lies in."""
        if module in self.slice.modules:
            return
        self.slice.modules.add(module)
        parent = self.project.modules.get(module.name.rpartition(".")[0])
        if parent is not None:
            self.keep_module(parent)
        self._apply_rules(module)

    def keep_whole(self, module: Module) -> None:
        """Keep all of a module but the handlers of other services."""
        self.keep_module(module)
        for unit in module.units:
            entries = self.registrations.handlers.get(unit, [])
            foreign = entries and not any(map(self.registrations.is_own, entries))
            if (
                unit.kind != "main"
                and not foreign
                and self.registrations.rule(unit) != Rule("never")
            ):
                self.keep(unit)

    def accept(self, target: Target) -> None:
        """Keep what a name leads to."""
        if isinstance(target, Unit):
            self.keep(target)
        elif isinstance(target, Touched):
            self.keep_module(target.module)
        elif isinstance(target, Whole):
            self.keep_whole(target.module)

    def _references(self, unit: Unit) -> References:
        stripped = self.registrations.foreign_decorators(unit) if unit.kind == "definition" else []
        if stripped:
            self.slice.stripped[unit] = stripped
        removed = foreign_registrations(self.registrations, unit)
        if removed:
            self.slice.removed[unit] = removed
        left_out: list[ast.AST] = [*stripped, *removed]
        bodiless: list[ast.AST] = []
        for cut in self.slice.cuts.values():
            if cut.unit is unit:
                left_out.extend(cut.leaving)
                bodiless.append(cut.node)
        for each in foreign_work(self.registrations, unit):
            self.slice.elsewhere[each.entry.handler] = each
            bodiless.append(each.node)
        if not left_out and not bodiless:
            return self.project.references_of(unit)
        return references(unit.module, [unit.node], left_out, bodiless)

    def _process(self, unit: Unit) -> None:
        module = unit.module
        for mate in module.units:
            if mate.node is not unit.node and _share_a_line(mate, unit):
                self.keep(mate)
        if unit.block is not None:
            for reference in references(module, [unit.block.test]).names:
                self._follow(unit, reference)
        if unit.alias is not None:
            for target in self.project.through(unit.imports[0].target, escapes=False):
                self.accept(target)
        elif unit.kind != "exports":
            found = self._references(unit)
            for reference in found.names:
                self._follow(unit, reference)
            for each in found.imports:
                for target in self.project.through(each, escapes=False):
                    self.accept(target)
            for text in found.texts:
                self._read(module, text)
        for related in self.mapping.related(unit):
            self.keep(related)
        for waiting in self.waiting.get(unit, ()):
            self.keep(waiting)
        if self._is_own_registration(unit):
            for blueprint in self.registrations.blueprints_of(unit):
                self._activate(blueprint)

    def _is_own_registration(self, unit: Unit) -> bool:
        if unit.kind == "effect":
            return self.registrations.rule(unit) == Rule("always")
        handlers = [*self.registrations.handlers.get(unit, ())]
        if isinstance(unit.node, FunctionNode):
            for _, node in definitions_in(unit.node, unit.name):
                handlers.extend(self.registrations.nested.get(id(node), ()))
        return any(map(self.registrations.is_own, handlers))

    def _follow(self, unit: Unit, reference: Reference) -> None:
        for target in self.project.resolve(unit.module, reference):
            self.accept(target)
        if reference.chain and reference.chain[-1] == "__subclasses__":
            for base in self.project.origins(unit.module, reference.chain[:-1]):
                self._keep_dotted(*self.mapping.subclasses.get(base.name, ()))

    def _read(self, module: Module, text: Text) -> None:
        for target in self.project.named_in(module, text):
            self.accept(target)
        for unit in self.mapping.named_in(text):
            self.keep(unit)

    # The fixpoint

    def close(self) -> None:
        """Keep until nothing more is reached, and everything kept is imported."""
        self._keep_roots()
        while True:
            while self.queue:
                self._process(self.queue.popleft())
            before = len(self.slice.live)
            if self._owns_everything():
                for module in sorted(self.loading.modules, key=lambda each: each.name):
                    self.keep_module(module)
                for module in sorted(self.slice.modules, key=lambda each: each.name):
                    for unit in module.units:
                        self.keep(unit)
            self._keep_imports_for_effect()
            self._keep_paths()
            if len(self.slice.live) == before and not self.queue:
                break

    def _owns_everything(self) -> bool:
        return not self.slice.cuts and set(self.program.entry_points) <= set(self.service.answered)

    def _keep_imports_for_effect(self) -> None:
        """Imports that nothing in their module uses: they stand for what importing does."""
        for module in sorted(self.slice.modules, key=lambda each: each.name):
            used = self._used_names(module)
            for unit in module.units:
                if unit.alias is None or unit in self.slice.live or unit.kind == "future":
                    continue
                if unit.binds & used or "*" in unit.alias.name or unit.block is not None:
                    continue
                loaded = self.project.imported_modules(unit.imports[0].target)
                outside = not loaded and unit.imports[0].target.module not in self.project.tops
                if outside or self._is_kept_already(unit, loaded):
                    self.keep(unit)

    def _is_kept_already(self, unit: Unit, loaded: list[Module]) -> bool:
        targets = list(self.project.through(unit.imports[0].target, escapes=False))
        units = [each for each in targets if isinstance(each, Unit) and each is not unit]
        if units:
            return all(each in self.slice.live for each in units)
        return bool(loaded) and any(each in self.slice.live for each in loaded[-1].units)

    def _used_names(self, module: Module) -> set[str]:
        used = self.used.get(module)
        if used is None:
            used = self.used[module] = {
                reference.chain[0]
                for unit in module.units
                if unit.alias is None
                for reference in self.project.references_of(unit).names
                if reference.origin is None
            }
            for unit in module.units:
                if unit.block is not None:
                    used.update(r.chain[0] for r in references(module, [unit.block.test]).names)
                if unit.kind == "exports":
                    used.update(
                        str(each.value)
                        for each in ast.walk(unit.node)
                        if isinstance(each, ast.Constant)
                    )
        return used

    def _keep_paths(self) -> None:
        self.slice.unreached = []
        for lazily in (False, True):
            reached = self.loading.reached(self.slice.live, lazily=lazily)
            for module in sorted(self.slice.modules, key=lambda each: each.name):
                if module in reached or (not lazily and module not in self.loading.modules):
                    continue
                if not lazily and not any(unit in self.slice.live for unit in module.units):
                    continue
                path = self.loading.path(module, reached, self.slice.modules, lazily=lazily)
                for unit in path:
                    self.keep(unit)
                if path:
                    reached = self.loading.reached(self.slice.live, lazily=lazily)
                elif lazily:
                    self.slice.unreached.append(module)


def _share_a_line(one: Unit, other: Unit) -> bool:
    return one.first_line <= other.last_line and other.first_line <= one.last_line
