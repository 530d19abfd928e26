"""The monolith's own code that one service of a plan needs, cut out.

Comments, formatting and module paths stay. Functions that cross become calls of their owner, state
that left the process is kept in the service's store, and nothing is stubbed silently: what cannot
be carried over is in `Extraction.problems`, with place and what to do.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from migrator.facts.syntax import parse
from migrator.generation.gates import check
from migrator.generation.inner import remove_statements
from migrator.generation.names import Project, source_path
from migrator.generation.pruning import Edit, prune
from migrator.generation.registry import expected_registry
from migrator.generation.resources import (
    configured_files,
    needed_data,
    needed_templates,
    read_beside_code,
    read_templates,
)
from migrator.generation.rewriting import (
    cut_body,
    idle_body,
    strip_decorators,
)
from migrator.generation.sliced import Slice
from migrator.generation.slicing import slice_service
from migrator.generation.source import Module, Unit
from migrator.generation.state import add_imports, move_state
from migrator.model.errors import MigratorError, Place, Refused
from migrator.model.graph import Graph
from migrator.model.manifest import Registry
from migrator.model.plan import Crossing, Plan, Service, StateRemedy
from migrator.model.program import EntryPoint
from migrator.model.progress import Progress, Silent, step
from migrator.model.registered import Registered
from migrator.model.settings import Run
from migrator.plan.consequences.obstacles import Obstacle, obstacle


@dataclass(frozen=True)
class KeptDefinition:
    """A definition that was copied: where it stood and what it said, for the drift check."""

    name: str
    file: str
    line: int
    end_line: int
    digest: str
    rewritten: bool = False
    """Its text in the service differs from the monolith's."""


@dataclass
class Extraction:
    """The code of one service."""

    service: str
    files: dict[str, bytes] = field(default_factory=dict)
    """Path below the service's `src/` to content: modules, templates, static files, data."""
    modules: list[str] = field(default_factory=list)
    """The dotted modules among the files."""
    kept: list[KeptDefinition] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    """Dotted definitions of the monolith that are not in the service."""
    distributions: list[str] = field(default_factory=list)
    """Top-level import names from outside of the monolith and the standard library."""
    lines: int = 0
    """Lines of Python kept."""
    registry: Registry = field(default_factory=Registry)
    foreign_endpoints: list[str] = field(default_factory=list)
    """Endpoints that siblings answer; servicekit registers them so that their URLs build."""
    still_registered: list[str] = field(default_factory=list)
    """Those of them that kept code registers itself, since they stand inside a function."""
    problems: list[MigratorError] = field(default_factory=list)


def extract(
    graph: Graph,
    plan: Plan,
    service: str,
    run: Run,
    progress: Progress | None = None,
    *,
    project: Project | None = None,
    pickled: dict[str, tuple[str, ...]] | None = None,
    registered: Registered | None = None,
) -> Extraction:
    """Cut out the code of `service`.

    `pickled` are the dotted definitions that the rows of tables name, `registered` is what the
    monolith has when it runs, where it could be asked.

    Reads the monolith's files below `graph.program.root`, writes nothing. All that cannot be
    carried over is collected in `problems`; the caller decides whether to go on. Who extracts
    several services makes one `Project(graph.program)` for all, so that files are read once.
    """
    progress = progress or Silent()
    with step(progress, f"extract {service}"):
        project = project or Project(graph.program)
        part = slice_service(project, plan, service, run, pickled)
        return _Extractor(project, plan, service, part, run, registered).extract()


class _Extractor:
    def __init__(
        self,
        project: Project,
        plan: Plan,
        service: str,
        part: Slice,
        run: Run,
        registered: Registered | None,
    ) -> None:
        self.project = project
        self.registered = registered
        self.run = run
        self.program = project.program
        self.whole_plan = plan
        self.service = service
        self.plan: Service = plan.services[service]
        self.part = part
        self.modules = sorted(part.modules, key=lambda each: each.name)
        self.result = Extraction(service)
        self.edits: dict[Module, list[Edit]] = {}
        self.new_imports: dict[Module, list[str]] = {}
        self.rewritten: set[Unit] = set()

    def extract(self) -> Extraction:
        """Write all that the slice keeps."""
        result = self.result
        result.problems.extend(self._unreadable())
        start = self.run.application.partition(":")[0]
        if start not in self.program.modules:
            result.problems.append(
                Refused(
                    f"The application {self.run.application} is not in the monolith's code",
                    hint="Correct `application` in [tool.migrator.run]; `migrator doctor` checks "
                    "it.",
                )
            )
        self._cut_functions()
        self._move_state()
        self._leave_registrations()
        texts = {each.name: self._text(each) for each in self.modules}
        for module in self.modules:
            text = texts[module.name]
            result.files[module.path] = text.decode("utf-8").encode(module.encoding)
            result.lines += text.count(b"\n")
        result.modules = [each.name for each in self.modules]
        result.problems.extend(check(self.project, texts))
        self._definitions()
        self._resources()
        result.distributions = distributions(self.project, texts)
        self._endpoints()
        result.registry = expected_registry(
            self.project, self.part.live, self._own(), self.registered
        )
        return result

    def _unreadable(self) -> Iterable[MigratorError]:
        imported = {edge.target.module for unit in self.part.live for edge in unit.imports} | {
            f"{edge.target.module}.{edge.target.name}"
            for unit in self.part.live
            for edge in unit.imports
        }
        for name, error in sorted(self.project.unreadable.items()):
            if name in imported:
                yield error

    # Rewriting

    def _edit(self, unit: Unit, edits: list[Edit]) -> None:
        if edits:
            self.rewritten.add(unit)
            self.edits.setdefault(unit.module, []).extend(edits)

    def _cut_functions(self) -> None:
        refused = set()
        for crossing in self.plan.calls:
            found = obstacle(self.program, self.service, crossing)
            if found is None and crossing.remedy in ("call", "defer"):
                found = self._unknown(crossing)
            if found is not None:
                refused.add(crossing.function)
                self.result.problems.append(
                    Refused(found.message, place=place_at(found.at), hint=found.hint)
                )
        for name, cut in sorted(self.part.cuts.items()):
            if cut.unit in self.part.live and name not in refused:
                self._edit(cut.unit, cut_body(self.program, cut.unit.module, cut))

    def _unknown(self, crossing: Crossing) -> Obstacle | None:
        if crossing.unit == "rows" or crossing.function in self.part.cuts:
            return None
        return Obstacle(
            crossing.function,
            f"{crossing.function}, which the plan cuts, is no function of the monolith",
            "`migrator check` brings the plan up to date",
            "",
        )

    def _leave_registrations(self) -> None:
        for unit, decorators in self.part.stripped.items():
            self._edit(unit, strip_decorators(unit.module, decorators))
        for unit, statements in self.part.removed.items():
            self._edit(unit, remove_statements(unit, statements))
        for name, foreign in sorted(self.part.elsewhere.items()):
            if name not in self.part.cuts:
                entry = foreign.entry.name
                owner = self.whole_plan.service_of(entry) or "that owns it"
                edits = idle_body(foreign.unit.module, foreign.node, owner, entry)
                self._edit(foreign.unit, edits)

    def _move_state(self) -> None:
        for remedy in self.plan.state:
            if remedy.remedy not in ("shared", "request", "lease"):
                continue
            units = self._state_units(remedy)
            if not units and not self._lies_elsewhere(remedy):
                self.result.problems.append(
                    Refused(
                        f"{remedy.name}, to which the plan gives the remedy `{remedy.remedy}`, is "
                        "not defined at the top level of a module",
                        place=place_at(remedy.at),
                        hint="Move it there, or set its remedy to `keep`.",
                    )
                )
            for unit in units:
                if unit not in self.part.live or remedy.name in self.part.elsewhere:
                    continue
                try:
                    edits, line = move_state(self.project, unit, remedy)
                except Refused as refused:
                    self.result.problems.append(refused)
                    continue
                self._edit(unit, edits)
                if line:
                    self.new_imports.setdefault(unit.module, []).append(line)

    def _lies_elsewhere(self, remedy: StateRemedy) -> bool:
        """Whether it is bound, but in code that this service does not have, such as a script."""
        bound = self.project.unit_of(remedy.name)
        return bool(bound) and self.part.live.isdisjoint(bound)

    def _state_units(self, remedy: StateRemedy) -> list[Unit]:
        units = self.project.unit_of(remedy.name)
        if remedy.remedy == "lease":
            return units[:1] or self._main_functions(remedy.name)
        # The variable may be bound again elsewhere: the first is where it is made.
        return [each for each in units if each.kind in ("assignment", "definition")][:1]

    def _main_functions(self, module: str) -> list[Unit]:
        """What a worker's module calls when it is run."""
        return [
            origin
            for unit in getattr(self.project.modules.get(module), "units", ())
            if unit.kind == "main"
            for reference in self.project.references_of(unit).names
            if reference.called
            for origin in self.project.origins(unit.module, reference.chain)
            if origin.kind == "definition"
        ][:1]

    def _text(self, module: Module) -> bytes:
        text = prune(module, self.part.live, self.edits.get(module, ()))
        lines = self.new_imports.get(module)
        return add_imports(text, lines, self.project.tops) if lines else text

    # What is known of the result

    def _definitions(self) -> None:
        for module in self.project.modules.values():
            for unit in module.units:
                if unit.kind != "definition":
                    continue
                if unit not in self.part.live:
                    self.result.dropped.append(unit.name)
                    continue
                self.result.kept.append(
                    KeptDefinition(
                        unit.name,
                        module.file,
                        unit.first_line,
                        unit.last_line,
                        module.digest(unit),
                        unit in self.rewritten,
                    )
                )
        self.result.kept.sort(key=lambda each: (each.file, each.line))
        self.result.dropped.sort()

    def _resources(self) -> None:
        root = Path(self.program.root)
        templates = read_templates(self.program)
        live = sorted(self.part.live, key=lambda each: (each.module.name, each.index))
        rendered = [name for entry in self._own() for name in entry.templates]
        for name in sorted(needed_templates(self.project, templates, live, rendered)):
            file = templates.files[name]
            self.result.files[source_path(self.program, file)] = (root / file).read_bytes()
        data = needed_data(self.project, templates, self.modules, live, self.plan.folders)
        opened = self.registered.opened if self.registered else []
        beside = read_beside_code(self.program, templates, opened, self.plan.folders)
        for file in [*configured_files(self.program, self.run), *beside]:
            data.setdefault(source_path(self.program, file), file)
        for path, file in sorted(data.items()):
            self.result.files.setdefault(path, (root / file).read_bytes())

    def _own(self) -> list[EntryPoint]:
        entries = self.program.entry_points
        return [entries[each] for each in self.plan.answered if each in entries]

    def _endpoints(self) -> None:
        own = {each.endpoint for each in self._own()}
        for entry in self.program.entry_points.values():
            if entry.kind != "route" or entry.endpoint in own:
                continue
            self.result.foreign_endpoints.append(entry.endpoint)
            registrations = self.part.registrations
            assert registrations is not None
            units = self.project.unit_of(entry.handler)
            stripped = any(
                unit in self.part.stripped or unit in self.part.removed for unit in units
            )
            decorated = any(entry in registrations.handlers.get(unit, ()) for unit in units)
            alive = any(unit in self.part.live for unit in units)
            if alive and not stripped and (not decorated or not _is_decorated(units)):
                self.result.still_registered.append(entry.endpoint)
        self.result.foreign_endpoints.sort()
        self.result.still_registered.sort()


def place_at(at: str) -> Place | None:
    """The place that `file:line` names; None where it names none."""
    file, _, line = at.partition(":")
    return Place(file, int(line) if line.isdigit() else 0) if file else None


def _is_decorated(units: Iterable[Unit]) -> bool:
    return any(getattr(unit.node, "decorator_list", ()) for unit in units)


def distributions(project: Project, texts: dict[str, bytes]) -> list[str]:
    """The top-level names that extracted modules import from outside, without the standard library.

    servicekit and the monolith's own packages are left out.
    """
    found: set[str] = set()
    for name in texts:
        found |= _outside(project, texts[name])
    return sorted(found)


def _outside(project: Project, text: bytes) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.Import):
            names.update(each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return {
        each
        for each in names
        if each not in sys.stdlib_module_names
        and each not in project.tops
        and each not in ("servicekit", "__future__")
    }
