"""From the decisions of a plan to the whole plan: everything that follows is worked out here."""

from __future__ import annotations

from migrator.model.plan import Plan, Replica, Service
from migrator.plan.consequences import calls, folders, replicas, state
from migrator.plan.consequences.digests import origin
from migrator.plan.consequences.outline import Consequences, Outline, follow
from migrator.plan.consequences.roadmap import order, roadmap
from migrator.plan.datastores import choice
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.findings.maturity import maturity_of, sentence_of
from migrator.plan.findings.of_plan import findings
from migrator.plan.naming import purpose


def assemble(
    evidence: Evidence,
    outline: Outline,
    *,
    application: str = "",
    remainder: str = "",
) -> tuple[Plan, Consequences]:
    """The plan that an outline entails, and the walks that it was read off."""
    consequences = follow(evidence, outline)
    services = {
        name: _service(evidence, outline, consequences, name, name == remainder)
        for name in sorted(outline.services)
    }
    kept = {
        name: frozenset(map(evidence.reach.name, walk.kept))
        for name, walk in consequences.walks.items()
    }
    for name, used in folders.folders(evidence.program, kept, outline.owner).items():
        services[name].folders = used
    for number, name in enumerate(order(services), start=1):
        services[name].order = number
    plan = Plan(application=application, services=services)
    for name, maturity in maturity_of(evidence, plan, consequences).items():
        services[name].maturity = sentence_of(maturity)
    plan.findings = findings(evidence, outline, consequences, plan)
    plan.roadmap = roadmap(evidence.program, plan)
    plan.made_from = origin(evidence.program, plan)
    return plan, consequences


def _service(
    evidence: Evidence, outline: Outline, consequences: Consequences, name: str, remainder: bool
) -> Service:
    reach = evidence.reach
    walk = consequences.walks[name]
    tables = frozenset(t for t, owner in outline.owner.items() if owner == name)
    entries = sorted(e for e, service in outline.placed.items() if service == name)
    copies = replicas.foreign_tables(
        reach,
        name,
        outline.owner,
        walk,
        [evidence.entries[e] for e in outline.entry_points(name) if e in evidence.entries],
        sorted(consequences.served[name]),
    )
    return Service(
        purpose=purpose(evidence, tables, entries),
        remainder=remainder,
        tables=sorted(tables),
        entry_points=entries,
        also_answers=sorted(outline.also.get(name, ())),
        replicas={table: Replica(owner=outline.owner[table]) for table in copies},
        calls=calls.crossings(reach, consequences, name),
        datastore=choice.choose(evidence, tables, entries),
        state=state.remedies(
            reach,
            frozenset(map(reach.name, walk.kept)),
            frozenset(
                reach.name(key)
                for other, theirs in consequences.walks.items()
                if other != name
                for key in theirs.kept
            ),
        ),
    )
