"""Modules, the services where they are at home, and what they use of each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Set

from migrator.model.graph import EdgeKind, Graph
from migrator.model.plan import Plan
from migrator.model.program import Program
from migrator.report.content import SHARED, Dependency, ModuleView

_ANCHOR = 5.0
"""What a handler or a model says of its module's home, in functions that only one service has."""

_MAJORITY = 0.5

_COUNTED = {
    EdgeKind.IMPORTS: 0,
    EdgeKind.CALLS: 1,
    EdgeKind.INSTANTIATES: 1,
    EdgeKind.INHERITS: 2,
}


def modules(program: Program, plan: Plan | None, kept: Mapping[str, Set[str]]) -> list[ModuleView]:
    """All modules by home and name; `kept`: service to the functions whose code it has."""
    keepers: dict[str, list[str]] = defaultdict(list)
    for service in sorted(kept):
        for kept_function in kept[service]:
            keepers[kept_function].append(service)
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    having: dict[str, set[str]] = defaultdict(set)
    lines: Counter[str] = Counter()
    for name, function in program.functions.items():
        lines[function.file] = max(lines[function.file], function.end_line)
        for service in keepers.get(name, ()):
            votes[function.file][service] += 1 / len(keepers[name])
            having[function.file].add(service)
    for file, service in _anchors(program, plan):
        votes[file][service] += _ANCHOR
        having[file].add(service)
    homes = {file: _home(votes[file]) for file in votes}
    _follow_package(program, homes)
    return sorted(
        (
            ModuleView(
                name=name,
                file=file,
                lines=lines[file],
                home=homes.get(file, SHARED),
                services=sorted(having.get(file, ())),
            )
            for name, file in program.modules.items()
        ),
        key=lambda module: (module.home, module.name),
    )


def _anchors(program: Program, plan: Plan | None) -> list[tuple[str, str]]:
    """File and service of each handler and each model of the plan."""
    if plan is None:
        return []
    handlers = [
        (program.entry_points[entry].file, name)
        for name, service in plan.services.items()
        for entry in service.entry_points
        if entry in program.entry_points
    ]
    models = [
        (program.tables[table].file, name)
        for name, service in plan.services.items()
        for table in service.tables
        if table in program.tables
    ]
    return handlers + models


def _home(votes: Mapping[str, float]) -> str:
    service = max(sorted(votes), key=votes.__getitem__)
    return service if votes[service] > _MAJORITY * sum(votes.values()) else SHARED


def _follow_package(program: Program, homes: dict[str, str]) -> None:
    """A module that nothing tells of is where all others of its package are, if they agree."""
    around: dict[str, set[str]] = defaultdict(set)
    for name, file in program.modules.items():
        if file in homes:
            around[_package(name, file)].add(homes[file])
    for name, file in program.modules.items():
        agreed = around.get(_package(name, file), set())
        if file not in homes and len(agreed) == 1:
            homes[file] = next(iter(agreed))


def _package(module: str, file: str) -> str:
    return module if file.endswith("__init__.py") else module.rpartition(".")[0]


def dependencies(graph: Graph, listed: list[ModuleView]) -> list[Dependency]:
    """What each module uses of others: places in the code, counted by kind of edge."""
    columns = graph.to_columns()
    position = {module.file: number for number, module in enumerate(listed)}
    of_string = [position.get(text, -1) for text in columns.strings]
    of_node = [of_string[file] for file in columns.node_file]
    counts: dict[tuple[int, int], list[int]] = {}
    for kind, source, target, line in zip(
        columns.edge_kind, columns.edge_source, columns.edge_target, columns.edge_line, strict=True
    ):
        column = _COUNTED.get(EdgeKind(kind))
        pair = of_node[source], of_node[target]
        if column is None or -1 in pair or pair[0] == pair[1]:
            continue
        found = counts.setdefault(pair, [0, 0, 0, 0])
        if not found[3] or (column == 1 and not found[1]):
            found[3] = line
        found[column] += 1
    return [Dependency(*pair, *found) for pair, found in sorted(counts.items())]
