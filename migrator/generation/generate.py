"""From a plan to services on disk: code, data, contracts, packaging, gateway and deployment."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from migrator.facts.files import of_this_machine
from migrator.generation.contracts import openapi
from migrator.generation.data import ServiceData, split_schema, without_unmade
from migrator.generation.deployment import compose, python_series, service_files
from migrator.generation.extract import Extraction, extract, place_at
from migrator.generation.gateway import TEMPLATE, gateway_template
from migrator.generation.manifest import Manifests
from migrator.generation.names import Project
from migrator.generation.output import Written, write_output
from migrator.generation.packaging import Pinning
from migrator.generation.preconditions import (
    consistent_plan,
    missing_at_start,
    unusable_names,
    without_sqlalchemy,
)
from migrator.generation.readme import service_readme, system_readme
from migrator.generation.registry import as_served
from migrator.generation.routing import unsaid
from migrator.generation.templating import render, template_folder
from migrator.model.distributions import Installed
from migrator.model.errors import (
    ConfigurationError,
    MigratorError,
    PlanError,
    Refusals,
    Refused,
)
from migrator.model.graph import Graph
from migrator.model.manifest import ServiceManifest, System
from migrator.model.plan import Plan
from migrator.model.progress import Progress, Silent
from migrator.model.registered import Registered
from migrator.model.schema import Schema
from migrator.model.settings import Run, Settings
from migrator.plan.consequences.front_end import default_service
from migrator.plan.consequences.obstacles import beside_crossings

T = TypeVar("T")
TASK = "generate"


class GeneratedService(msgspec.Struct, kw_only=True):
    """One service that was written, in figures."""

    name: str
    purpose: str
    files: int
    lines: int
    tables: int
    routes: int
    replicas: int
    calls: int
    """Functions (or rows) that a request waits for at another service."""
    deferred: int
    distributions: int


class Generated(msgspec.Struct, kw_only=True):
    """What `generate` wrote."""

    output: str
    services: list[GeneratedService]
    monolith_lines: int
    default_service: str
    written: Written = msgspec.field(default_factory=Written)
    """What that meant for the files that were there."""


@dataclass
class _Service:
    """One service on its way to disk."""

    name: str
    extraction: Extraction
    data: ServiceData
    manifest: ServiceManifest
    dependencies: list[str]
    requirements: str


def generate(
    graph: Graph,
    plan: Plan,
    settings: Settings,
    output: Path,
    progress: Progress | None = None,
    *,
    schema: Schema,
    installed: Installed,
    uv_variables: Mapping[str, str] | None = None,
    registered: Registered | None = None,
) -> Generated:
    """Write the services of `plan` into `output`, all of them or nothing.

    `schema` and `installed` are of the monolith (`migrator.operation.monolith`); `uv_variables` is
    the environment in which uv finds the package index (default: that of this process);
    `registered` is what the monolith has when it is imported, None where it could not be asked.
    Raises
    ConfigurationError when the output holds something else or nothing says how the application is
    run, PlanError when the plan is stale or contradicts itself, and Refusals with everything of all
    services that cannot be carried over.
    """
    progress = progress or Silent()
    if settings.run is None:
        raise ConfigurationError(
            "nothing says how the application is run",
            hint="`migrator init` writes [tool.migrator.run] into pyproject.toml",
        )
    plan = consistent_plan(graph, plan, output)
    served = copy.copy(graph)
    served.program = as_served(graph.program, registered)
    plan, unmade = without_unmade(schema, plan, graph.program)
    for table in unmade:
        progress.warn(f"left out: the table {table}: `migrate` does not make it, nothing uses it")
    pinning = Pinning(installed, uv_variables)
    assembly = _Assembly(served, plan, settings.run, schema, pinning, progress, registered)
    files = assembly.files()
    written = write_output(output, files, _times(graph, files))
    return assembly.summary(output, files, written)


def _times(graph: Graph, files: Mapping[str, bytes]) -> dict[str, float]:
    """When the files that are the monolith's to the byte were changed, in seconds of the epoch.

    A static file is served with its time and a tag made of it, so that a browser's copy stays good.
    """
    root = Path(graph.program.root)
    roots = [root / each for each in graph.program.source_roots] or [root]
    times = {}
    for path, content in files.items():
        name = path.partition("/src/")[2]
        for original in (folder / name for folder in roots if name):
            if original.is_file() and original.read_bytes() == content:
                times[path] = original.stat().st_mtime
    return times


class _Assembly:
    """Collects everything that is to be written, and everything that is refused."""

    def __init__(
        self,
        graph: Graph,
        plan: Plan,
        run: Run,
        schema: Schema,
        pinning: Pinning,
        progress: Progress,
        registered: Registered | None,
    ) -> None:
        self._graph = graph
        self._registered = registered
        self._plan = plan
        # One service alone is described by its package as the monolith was.
        alone = len(plan.services) == 1
        self._descriptions = {} if alone or registered is None else registered.descriptions
        self._run = run
        self._schema = schema
        self._project = Project(graph.program)
        self._pinning = pinning
        self._python = pinning.installed
        self._progress = progress
        self._problems: list[MigratorError] = []
        self._services: list[_Service] = []
        self._default = default_service(graph.program, plan)

    def files(self) -> dict[str, bytes]:
        """Every file by its path below the output; raises Refusals with all that is refused."""
        names = sorted(self._plan.services)
        self._progress.start(TASK, 2 * len(names) + 1)
        self._problems.extend(unusable_names(names))
        self._problems.extend(
            Refused(each.message, place=place_at(each.at), hint=each.hint)
            for each in beside_crossings(self._graph.program, self._plan)
        )
        self._problems.extend(without_sqlalchemy(self._graph, self._python))
        split = self._attempt(
            lambda: split_schema(self._schema, self._plan, self._default),
            {name: ServiceData() for name in names},
        )
        gateway = self._attempt(lambda: gateway_template(self._graph, self._plan), "")
        self._progress.advance(TASK, detail="schema")
        extractions = []
        for name in names:
            extractions.append(self._extracted(name))
            self._progress.advance(TASK, detail=f"code of {name}")
        self._stop_if_refused()
        manifests = Manifests(self._graph, self._plan, self._run)
        copied = _copied(extractions)
        for name, extraction in zip(names, extractions, strict=True):
            self._services.append(self._service(name, extraction, split[name], manifests, copied))
            self._progress.advance(TASK, detail=f"requirements of {name}")
        self._stop_if_refused()
        files: dict[str, str | bytes] = {}
        for service in self._services:
            for path, content in self._service_files(service).items():
                files[f"{service.name}/{path}"] = content
        files |= self._system_files(gateway, manifests)
        self._progress.finish(TASK, f"{len(names)} services, {len(files)} files")
        for words in unsaid(self._graph, self._plan):
            self._progress.warn(f"gateway: {words}")
        for words in missing_at_start(self._graph.program, self._plan):
            self._progress.warn(words)
        return {p: c.encode() if isinstance(c, str) else c for p, c in sorted(files.items())}

    def _attempt(self, make: Callable[[], T], otherwise: T) -> T:
        try:
            return make()
        except PlanError as error:
            self._problems.extend(error.problems)
        except Refused as error:
            self._problems.append(error)
        return otherwise

    def _stop_if_refused(self) -> None:
        if not self._problems:
            return
        if all(isinstance(problem, Refused) for problem in self._problems):
            raise Refusals(self._problems)
        raise PlanError(self._problems)

    def _extracted(self, name: str) -> Extraction:
        extraction = extract(
            self._graph,
            self._plan,
            name,
            self._run,
            self._progress,
            project=self._project,
            pickled=self._schema.pickled,
            registered=self._registered,
        )
        self._problems.extend(extraction.problems)
        return extraction

    def _service(
        self,
        name: str,
        extraction: Extraction,
        data: ServiceData,
        manifests: Manifests,
        copied: set[str],
    ) -> _Service:
        own_copies = sorted(copied & {kept.name for kept in extraction.kept})
        manifest = manifests.of(name, data, extraction.registry, extraction.lines, own_copies)
        if self._registered is not None:
            manifest.random_settings = self._registered.random_settings
        if name == self._default:
            manifest.descriptions = {
                endpoint: f"contracts/described/{endpoint}.json" for endpoint in self._descriptions
            }
        dependencies: list[str] = self._attempt(
            lambda: self._pinning.direct(extraction.distributions, manifest.processes.values()), []
        )
        requirements = self._attempt(lambda: self._pinning.closed(dependencies, name), "")
        return _Service(name, extraction, data, manifest, dependencies, requirements)

    def _service_files(self, service: _Service) -> dict[str, str | bytes]:
        manifest = service.manifest
        purpose = self._plan.services[service.name].purpose
        files: dict[str, str | bytes] = {
            f"src/{path}": content for path, content in service.extraction.files.items()
        }
        files |= _folder("service/servicekit", "src/servicekit")
        files |= _folder("service/tests", "tests")
        private = of_this_machine(Path(self._graph.program.root), service.extraction.files)
        files |= service_files(manifest, self._python, private)
        for endpoint, path in manifest.descriptions.items():
            files[path] = self._descriptions[endpoint] + "\n"
        files["service.json"] = _json(manifest)
        files["origin.json"] = _json([asdict(kept) for kept in service.extraction.kept])
        files["pyproject.toml"] = render(
            "service/pyproject.toml.j2",
            origin="Only what the service's code and servicekit import; pins: requirements.txt.",
            name=service.name,
            purpose=" ".join(purpose.split()),
            python=python_series(self._python),
            dependencies=service.dependencies,
        )
        files["requirements.txt"] = (
            f"# Pinned as in the monolith, for Python {python_series(self._python)}.\n"
            + service.requirements
        )
        files["migrations/0001_schema.sql"] = service.data.schema_sql
        files["migrations/replicas.sql"] = service.data.replicas_sql
        files["contracts/openapi.yaml"] = openapi(
            manifest, self._graph.program, purpose, version="1.0.0"
        )
        files["README.md"] = service_readme(
            manifest,
            self._plan,
            self._graph.program.lines,
            service.data.dropped_keys,
            python_series(self._python),
        )
        return files

    def _system_files(self, gateway: str, manifests: Manifests) -> dict[str, str | bytes]:
        described = [service.manifest for service in self._services]
        purposes = {name: service.purpose for name, service in self._plan.services.items()}
        system: System = manifests.system(
            [service.name for service in self._services], plan_digest(self._plan)
        )
        name = self._plan.application or Path(self._graph.program.root).name
        return {
            "system.json": _json(system),
            TEMPLATE: gateway,
            "gateway/Dockerfile": (template_folder() / "gateway" / "Dockerfile").read_bytes(),
            "compose.yaml": compose(described, purposes, name),
            "README.md": system_readme(
                described, self._plan, self._default, self._graph.program.lines
            ),
        }

    def summary(self, output: Path, files: dict[str, bytes], written: Written) -> Generated:
        """What was written, in figures."""
        return Generated(
            output=str(output),
            written=written,
            monolith_lines=self._graph.program.lines,
            default_service=self._default,
            services=[
                GeneratedService(
                    name=each.name,
                    purpose=self._plan.services[each.name].purpose,
                    files=sum(path.startswith(each.name + "/") for path in files),
                    lines=each.manifest.lines,
                    tables=len(each.manifest.tables),
                    routes=len(each.manifest.routes),
                    replicas=len(each.manifest.replicas),
                    calls=sum(call.remedy != "defer" for call in each.manifest.calls.values()),
                    deferred=sum(call.remedy == "defer" for call in each.manifest.calls.values()),
                    distributions=len(each.dependencies),
                )
                for each in self._services
            ],
        )


def plan_digest(plan: Plan) -> str:
    """The digest by which a generated system knows its plan."""
    return hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()


def _copied(extractions: Iterable[Extraction]) -> set[str]:
    """Definitions that more than one service has a copy of."""
    seen: set[str] = set()
    copied: set[str] = set()
    for extraction in extractions:
        names = {kept.name for kept in extraction.kept}
        copied |= names & seen
        seen |= names
    return copied


def _folder(source: str, target: str) -> dict[str, str | bytes]:
    """The files of a template folder as they are, under another path."""
    root = template_folder() / source
    return {
        f"{target}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _json(value: object) -> bytes:
    encoded = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(encoded, indent=2) + b"\n"
