"""What a plan says to its reader: what it costs, and which decisions are due."""

from __future__ import annotations

from migrator.model.plan import Finding, Plan
from migrator.plan.consequences.outline import Consequences, Outline
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.findings.bonds import giants
from migrator.plan.findings.cohesion import god_classes, god_tables
from migrator.plan.findings.cross_cutting import cross_cutting
from migrator.plan.findings.decisions import decisions
from migrator.plan.findings.foreign_keys import cut_keys
from migrator.plan.findings.kinds import IDLE, LEFT_OUT, SHARED_STATE, SPLIT
from migrator.plan.findings.maturity import uneven
from migrator.plan.findings.shared_folders import shared_folders
from migrator.plan.wording import enumerated


def findings(
    evidence: Evidence, outline: Outline, consequences: Consequences, plan: Plan
) -> list[Finding]:
    """All findings of a plan whose services are complete, in a fixed order."""
    found = [
        Finding(kind=LEFT_OUT, subject=name, message=reason, at=_place_of(evidence, name))
        for name, reason in sorted(evidence.left_out.items())
    ]
    for binding in consequences.torn:
        parts = [
            f"{enumerated(tables, most=len(tables))} of {owner}"
            for owner in sorted({outline.owner[t] for t in binding.tables})
            if (tables := sorted(t for t in binding.tables if outline.owner[t] == owner))
        ]
        found.append(
            Finding(
                kind=SPLIT,
                subject=binding.entry_point,
                message="one transaction writes " + enumerated(parts, most=len(parts)),
                at=f"{binding.transaction.file}:{binding.transaction.line}",
            )
        )
    found += decisions(evidence.program, plan)
    found += _shared_state(evidence, consequences)
    found += giants(evidence, plan)
    found += [
        Finding(
            kind=IDLE,
            subject=name,
            message=f"no entry point belongs to it: it would run only to own"
            f" {enumerated(service.tables)}",
            hint="leave its tables with the service that uses them most: `migrator explain "
            f"{service.tables[0]}` says which",
        )
        for name, service in sorted(plan.services.items())
        if service.tables and not service.entry_points and not service.remainder
    ]
    found += cut_keys(evidence.program, plan)
    found += shared_folders(plan.services)
    found += god_tables(evidence, plan)
    found += god_classes(evidence, plan, consequences)
    found += uneven(evidence, consequences)
    unique = {(f.kind, f.subject, f.message): f for f in found}
    ordered = [unique[key] for key in sorted(unique)]
    ranked = cross_cutting(evidence, consequences.torn, outline.owner)
    return sorted([*ordered, *ranked], key=lambda finding: finding.kind)


def _shared_state(evidence: Evidence, consequences: Consequences) -> list[Finding]:
    """State that code of several services changes or uses, and of which each will have its own."""
    reach = evidence.reach
    kept = {name: set(map(reach.name, walk.kept)) for name, walk in consequences.walks.items()}
    found = []
    for state in evidence.program.state:
        writers = [name for name, functions in sorted(kept.items()) if functions & {*state.writers}]
        users = [
            name
            for name, functions in sorted(kept.items())
            if functions & {*state.writers, *state.readers}
        ]
        if state.kind in _SHARED and not state.path and writers and len(users) > 1:
            found.append(
                Finding(
                    kind=SHARED_STATE,
                    subject=state.name,
                    message=f"{enumerated(users, 8)} use it and {_SHARED[state.kind]}",
                    at=f"{state.file}:{state.line}",
                )
            )
    return found


_SHARED = {
    "local-file": "each has files of its own",
    "module-mutable": "what one changes, the others do not see: it is emptied for each request",
    "cache": "what one changes, the others do not see: it is emptied for each request",
}


def _place_of(evidence: Evidence, name: str) -> str:
    entry = evidence.program.entry_points.get(name)
    return f"{entry.file}:{entry.line}" if entry else ""
