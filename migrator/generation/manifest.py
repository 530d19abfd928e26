"""`service.json` and `system.json`, from the plan and the graph."""

from __future__ import annotations

import re

from migrator.generation.data import ServiceData
from migrator.generation.dependencies import Dependencies, deferred_details
from migrator.generation.names import source_path, source_root_of
from migrator.generation.routing import routes_of
from migrator.model.graph import Graph
from migrator.model.manifest import (
    ForeignRoute,
    KeptRoute,
    OutgoingCall,
    OwnedTable,
    OwnRoute,
    Registry,
    ReplicaTable,
    RouteRule,
    ServedCall,
    ServiceManifest,
    System,
    UsedFolder,
)
from migrator.model.plan import Crossing, Plan, Service
from migrator.model.program import EntryPoint, Program
from migrator.model.settings import Run
from migrator.plan.consequences.front_end import default_service
from migrator.plan.evidence.details import ANY
from migrator.plan.evidence.reach import Reach

CUT = ("call", "defer", "row-write")
"""The remedies that leave something to do at run time."""


class Manifests:
    """Makes the manifests of one resolved plan."""

    def __init__(self, graph: Graph, plan: Plan, run: Run) -> None:
        self._graph = graph
        self._program = graph.program
        self._plan = plan
        self._run = run
        self._reach = Reach(graph.program)
        self._dependencies = Dependencies(self._reach, plan)
        self._default = default_service(graph.program, plan)
        self._processes = assign_processes(run, graph.program, plan, self._default)

    def of(
        self,
        name: str,
        data: ServiceData,
        registry: Registry,
        lines: int,
        copied_functions: list[str],
    ) -> ServiceManifest:
        """The manifest of one service; the last three come from the extraction of its code."""
        service = self._plan.services[name]
        published = {t for other in self._plan.services.values() for t in other.replicas}
        own, kept, foreign = self._routes(name)
        return ServiceManifest(
            name=name,
            application=self._run.application,
            python=self._run.python,
            remainder=service.remainder,
            framework=self._framework(),
            database_variable=self._run.database_variable,
            fixed_database=self._run.fixed_database,
            tables={
                table: OwnedTable(key=list(key), published=table in published)
                for table, key in sorted(data.tables.items())
            },
            replicas={
                table: ReplicaTable(
                    owner=replica.owner,
                    key=list(data.replica_keys[table]),
                    freshness=replica.freshness,
                    when_late=replica.when_late,
                )
                for table, replica in sorted(service.replicas.items())
            },
            routes=own,
            kept_routes=kept,
            foreign_routes=foreign,
            calls=self._calls(service),
            serves=self._serves(name),
            processes=self._processes.get(name, {}),
            shared_state=sorted(s.name for s in service.state if s.remedy == "shared"),
            rate_limits=sorted(
                s.name for s in service.state if (s.kind, s.remedy) == ("rate-limit", "shared")
            ),
            folders={
                path: UsedFolder(
                    owner=folder.owner,
                    writes=folder.writes,
                    kind=folder.kind,
                    places=places_of(self._program, path),
                )
                for path, folder in sorted(service.folders.items())
            },
            environment=dict(sorted(self._run.environment.items())),
            startup_seconds=self._run.startup_seconds,
            registry=registry,
            lines=lines,
            copied_functions=copied_functions,
        )

    def system(self, services: list[str], plan_digest: str) -> System:
        """What binds the services of one generation together."""
        return System(
            services=services,
            default_service=self._default,
            plan_digest=plan_digest,
            program_digest=self._program.digest,
            monolith=self._program.root,
            monolith_lines=self._program.lines,
            remainder=next((n for n, s in self._plan.services.items() if s.remainder), ""),
            in_transition=sorted(
                {self._plan.service_of(each) or "" for each in self._plan.in_transition()}
            ),
        )

    def _framework(self) -> str:
        frameworks = [e.framework for _, e in routes_of(self._graph, self._plan) if e.framework]
        return frameworks[0] if frameworks else "flask"

    def _routes(
        self, name: str
    ) -> tuple[dict[str, OwnRoute], dict[str, KeptRoute], dict[str, ForeignRoute]]:
        own: dict[str, OwnRoute] = {}
        kept: dict[str, KeptRoute] = {}
        also = self._plan.services[name].also_answers
        foreign: dict[str, ForeignRoute] = {}
        for service, entry in routes_of(self._graph, self._plan):
            endpoint = entry.endpoint or entry.name.partition(":")[2]
            if service == name:
                needs = self._dependencies.of(name, entry)
                own[endpoint] = OwnRoute(
                    entry_point=entry.name, rules=_rules(entry), **needs._asdict()
                )
            elif entry.name in also:
                needs = self._dependencies.of(name, entry)
                kept[endpoint] = KeptRoute(
                    service=service,
                    entry_point=entry.name,
                    rules=_rules(entry),
                    **needs._asdict(),
                )
            else:
                foreign[endpoint] = ForeignRoute(service=service, rules=_rules(entry))
        return own, kept, foreign

    def _calls(self, service: Service) -> dict[str, OutgoingCall]:
        """By function; the rows that one function changes at several owners by owner as well."""
        found: dict[str, OutgoingCall] = {}
        for crossing in service.calls:
            if crossing.remedy in CUT:
                taken = crossing.function in found
                key = f"{crossing.function}@{crossing.owner}" if taken else crossing.function
                found[key] = self._outgoing(crossing)
        return found

    def _outgoing(self, crossing: Crossing) -> OutgoingCall:
        function = self._program.functions.get(crossing.function)
        columns: dict[str, list[str]] = {}
        if crossing.unit == "rows":
            details = deferred_details(self._reach, crossing)
            whole = {table for table, column in details if column == ANY}
            for table, column in sorted(details):
                if table not in whole:
                    columns.setdefault(table, []).append(column)
        return OutgoingCall(
            owner=crossing.owner,
            remedy=crossing.remedy,
            transport=crossing.transport,
            unit=crossing.unit,
            tables=sorted(crossing.tables),
            columns=columns,
            raises=sorted(function.raises) if function else [],
            context=sorted(function.context_reads) if function else [],
        )

    def _serves(self, name: str) -> dict[str, ServedCall]:
        served: dict[str, ServedCall] = {}
        for caller, service in sorted(self._plan.services.items()):
            for crossing in service.calls:
                cut = crossing.unit == "function" and crossing.remedy in ("call", "defer")
                if crossing.owner != name or not cut:
                    continue
                if crossing.function not in served:
                    function = self._program.functions.get(crossing.function)
                    module, qualname = module_and_qualname(self._program, crossing.function)
                    served[crossing.function] = ServedCall(
                        module=module,
                        qualname=qualname,
                        raises=sorted(function.raises) if function else [],
                    )
                if caller not in served[crossing.function].callers:
                    served[crossing.function].callers.append(caller)
        return served


def _rules(entry: EntryPoint) -> list[RouteRule]:
    return [
        RouteRule(
            rule=route.rule,
            methods=list(route.methods),
            defaults=dict(route.defaults),
            strict_slashes=route.strict_slashes,
        )
        for route in entry.routes
    ]


def places_of(program: Program, path: str) -> list[str]:
    """Where a service's code looks for a folder of the monolith, below the service's own folder.

    Code below a source root finds what lies outside of it from its own file, or from where it runs.
    """
    if path.startswith("{data}"):
        return []
    inside = f"src/{source_path(program, path)}"
    rooted = any(root.strip("./") for root in program.source_roots)
    return [inside] if source_root_of(program, path) or not rooted else [path, inside]


def module_and_qualname(program: Program, function: str) -> tuple[str, str]:
    """Split a dotted function where its module ends."""
    parts = function.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:end])
        if module in program.modules:
            return module, ".".join(parts[end:])
    return ".".join(parts[:-1]), parts[-1]


def assign_processes(
    run: Run, program: Program, plan: Plan, default: str
) -> dict[str, dict[str, str]]:
    """Which services run which of the monolith's processes beside the web process.

    A process goes with the entry points that its command names (a module, a script, a command of
    the application); a worker that takes tasks off a queue goes to every service that has tasks;
    one that names nothing we know goes with the default service.
    """
    assigned: dict[str, dict[str, str]] = {}
    for process, command in sorted(run.processes.items()):
        words = set(re.split(r"[\s=:]+", command))
        modules = {word[:-3].replace("/", ".") for word in words if word.endswith(".py")} | words
        services = {
            plan.service_of(entry.name)
            for entry in program.entry_points.values()
            if entry.kind in ("process", "command", "schedule")
            and {entry.name.partition(":")[2], entry.trigger} & modules - {""}
        }
        if not services and words & {"celery", "rq", "dramatiq", "huey"}:
            services = {
                plan.service_of(entry.name)
                for entry in program.entry_points.values()
                if entry.kind in ("task", "schedule")
            }
        for service in sorted(s for s in services if s) or [default]:
            assigned.setdefault(service, {})[process] = command
    return assigned
