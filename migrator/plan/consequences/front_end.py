"""Which service answers what no route names: unknown paths, static files, one open connection."""

from __future__ import annotations

from migrator.model.plan import Plan
from migrator.model.program import Program


def default_service(program: Program, plan: Plan) -> str:
    """The service that answers unknown paths and static files.

    The remainder; else the front end: the one whose routes render most templates, then the one
    with most routes.
    """
    remainder = next((name for name, s in sorted(plan.services.items()) if s.remainder), None)
    if remainder is not None:
        return remainder
    weight = dict.fromkeys(sorted(plan.services), (0, 0))
    for name, entry in program.entry_points.items():
        service = plan.service_of(name)
        if entry.kind == "route" and service is not None:
            rendering, routes = weight[service]
            weight[service] = (rendering + bool(entry.templates), routes + 1)
    return max(weight, key=lambda name: weight[name])
