"""What forbids generating a plan, as far as plan, graph and settings tell it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from migrator.generation.output import read_record
from migrator.generation.templating import variable_name
from migrator.model.distributions import Installed
from migrator.model.errors import ConfigurationError, MigratorError, Place, PlanError, Refused
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.model.program import Program
from migrator.plan.consequences.digests import changes
from migrator.plan.evidence.reach import Reach
from migrator.plan.evidence.support import require_supported
from migrator.plan.resolve import resolve
from migrator.plan.store import place_in
from migrator.plan.wording import enumerated

_TOLD = 10
"""So many changes of the code are told; `check` has them all."""


def consistent_plan(graph: Graph, plan: Plan, output: Path) -> Plan:
    """The plan with all that follows from it; raises what forbids generating it into `output`.

    That is everything that can be told before the monolith is installed: a framework that is not
    supported, a folder of somebody else, a stale plan, a plan that contradicts itself.
    """
    require_supported(graph.program)
    _require_outside(output, Path(graph.program.root))
    read_record(output)
    _require_current(graph, plan)
    return resolve(graph, plan)


def _require_outside(output: Path, root: Path) -> None:
    """Services inside the monolith would be read, and copied, as parts of it the next time."""
    if output.resolve().is_relative_to(root.resolve()):
        raise ConfigurationError(
            f"lies inside the monolith {root}, of which it would then be a part",
            place=Place(str(output)),
            hint=f"name a folder beside it: -o {root.resolve().parent / 'services'}",
        )


def _require_current(graph: Graph, plan: Plan) -> None:
    stale = changes(graph, plan)
    if stale:
        told = stale if len(stale) <= _TOLD else stale[: _TOLD - 1]
        if len(stale) > len(told):
            told.append(f"{len(stale) - len(told)} more of what it relies on have changed")
        raise PlanError(
            [
                MigratorError(f"the plan is stale: {change}", place=place_in(plan))
                for change in told
            ],
            hint="`migrator check` says all that has changed, `migrator check --write` stamps the"
            " plan anew, and `migrator propose --force` makes another",
        )


def unusable_names(names: list[str]) -> Iterable[MigratorError]:
    """Services whose folder or environment variable would be that of another."""
    taken: dict[str, str] = {}
    for name in names:
        other = taken.setdefault(variable_name(name), name)
        if other != name:
            yield MigratorError(
                f"service {name!r} has the name of {other}", hint="give it another name in the plan"
            )


def without_sqlalchemy(graph: Graph, installed: Installed) -> Iterable[MigratorError]:
    """Applications with raw connections only: servicekit hangs on SQLAlchemy's."""
    if any(each.name.lower() == "sqlalchemy" for each in installed.distributions):
        return
    places = (
        Place(function.file, event.line)
        for function in graph.program.functions.values()
        for event in function.events
        if event.kind in ("read", "write")
    )
    yield Refused(
        "the application opens its database without SQLAlchemy, on whose connections services "
        "attach copies and guard them",
        place=next(places, None),
        hint="open it through SQLAlchemy; until then the plan can be kept as a modular monolith: "
        "migrator check .",
    )


def missing_at_start(program: Program, plan: Plan) -> Iterable[str]:
    """Tables that starting the application writes and a service has not, in words for each service.

    It is no entry point: every process of every service does it, and where it runs may depend on
    settings. So it is told, and not refused. What is read first is written no more, since the state
    that services start from is that of an application which was started once.
    """
    start = Reach(program).start
    if start is None:
        return
    function = program.functions[start.function]
    place = f"{function.file}:{function.line}"
    for service, planned in sorted(plan.services.items()):
        lacking = sorted(start.writes - {*planned.tables, *planned.replicas})
        if lacking:
            yield (
                f"{service} may not start: {start.function} ({place}) writes"
                f" {enumerated(lacking, 4)} as the application starts, which {service} has not; let"
                " `migrate` or `seed` of [tool.migrator.run] do it once, and not each process"
            )
