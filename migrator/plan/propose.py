"""Proposes a plan: where the boundaries lie, and what follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from migrator.model.errors import ConfigurationError, Place
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.plan.assemble import assemble
from migrator.plan.consequences.outline import Consequences, Outline
from migrator.plan.evidence.evidence import Evidence, gather
from migrator.plan.evidence.support import require_supported, supported
from migrator.plan.naming import names, numbered
from migrator.plan.partition.constraints import (
    REMAINDER,
    Constraints,
    atoms_of,
    check_names,
    conflicts,
    demands_of,
    infeasible,
)
from migrator.plan.partition.cut import Limits, counts_of, cuts, merge_bound
from migrator.plan.partition.network import Network
from migrator.plan.placement import leave_out_tools, place
from migrator.plan.signals.affinity import Affinity, measure
from migrator.plan.wording import enumerated

_FEW_ENTRY_POINTS = 5


def propose(graph: Graph, constraints: Constraints | None = None) -> Plan:
    """The plan that we would begin the conversation with; the same input, the same plan.

    Raises ConfigurationError when a constraint names something unknown or cannot be met, and
    Refusals when the application is of a framework that is not read yet.
    """
    return propose_with_consequences(graph, constraints)[0]


def propose_with_consequences(
    graph: Graph, constraints: Constraints | None = None
) -> tuple[Plan, Consequences]:
    """`propose`, and the walks that the plan was derived from."""
    wanted = constraints or Constraints()
    evidence = evidence_for(graph, wanted)
    plan, consequences = plan_of(evidence, boundaries(evidence, wanted), wanted)
    plan.demands = demands_of(wanted)
    return plan, consequences


def evidence_for(graph: Graph, wanted: Constraints) -> Evidence:
    """What proposals are made from. Raises what `propose` raises."""
    program = graph.program
    require_supported(program)
    check_names(program, wanted)
    if not program.tables:
        raise ConfigurationError(
            "the analysis found no table, and services are made of tables",
            place=Place(program.root),
            hint=f"supported are {supported()}; `migrator analyze` says what it recognises",
        )
    return gather(program, wanted.setup)


def plan_of(
    evidence: Evidence, groups: list[frozenset[str]], wanted: Constraints
) -> tuple[Plan, Consequences]:
    """The plan with a service for each group of tables; takes tools out of `evidence`."""
    outline, remainder = outline_of(evidence, groups, wanted)
    return assemble(evidence, outline, application=wanted.application, remainder=remainder)


def boundaries(evidence: Evidence, wanted: Constraints) -> list[frozenset[str]]:
    """The groups of tables that become services."""
    affinity = measure(evidence, wanted.weights)
    atoms = inseparable(evidence, wanted)
    network = Network(atoms, affinity.total, conflicts(wanted))
    least, most = wanted.services or (1, 0)
    options = cuts(network, Limits(least, most, wanted.largest))
    if not options:
        raise infeasible(
            wanted,
            lambda asked: counts_of(
                Network(inseparable(evidence, asked), affinity.total, conflicts(asked)),
                asked.largest,
            ),
            _kept_whole(evidence, atoms),
        )
    chosen = max(options, key=lambda cut: (round(cut.quality, 6), -len(cut.groups)))
    groups = _folded(evidence, affinity, list(chosen.groups), wanted, least)
    return homed(evidence, groups, wanted)


def homed(
    evidence: Evidence, groups: list[frozenset[str]], wanted: Constraints
) -> list[frozenset[str]]:
    """Without groups that nothing would run for; each joins the one that it is tied to most.

    Commands are run by hand: no service is there for their sake. Groups that are demanded by name
    stay, and no fewer are left than are demanded.
    """
    least = wanted.services[0] if wanted.services else 1
    affinity = measure(evidence, wanted.weights)
    while len(groups) > least:
        numbers = {table: str(i) for i, group in enumerate(groups) for table in group}
        gathered = evidence.copied()
        leave_out_tools(gathered, numbers)
        used = {
            groups[int(number)]
            for name, number in place(gathered, numbers).items()
            if gathered.entries[name].kind != "command"
        }
        empty = [g for g in groups if g not in used and wanted.pinned.keys().isdisjoint(g)]
        joined = groups
        for group in empty:
            if len(joined) > least and len(joined) > 1:
                joined = _joined(affinity, joined, [group], wanted)
        if joined == groups:
            break
        groups = joined
    return groups


def inseparable(evidence: Evidence, wanted: Constraints) -> list[frozenset[str]]:
    """The least sets of tables that demands and transactions keep together.

    A transaction that would make a set larger than demanded is split, and the plan says so.
    """
    atoms = atoms_of(evidence.program.tables, wanted)
    bonds = [*atoms, *evidence.bonds]
    return merge_bound(evidence.program.tables, bonds, conflicts(wanted), wanted.largest)[0]


def apart_by(wanted: Constraints) -> Callable[[str, str], bool]:
    """Whether two tables must not be of one service."""
    pairs = conflicts(wanted)
    return lambda a, b: (min(a, b), max(a, b)) in pairs


def _kept_whole(evidence: Evidence, atoms: list[frozenset[str]], most: int = 3) -> list[str]:
    """The largest sets that stay together, each with the transaction that binds most of it."""
    said = []
    several = [atom for atom in atoms if len(atom) > 1]
    for atom in sorted(several, key=lambda atom: (-len(atom), sorted(atom)))[:most]:
        within = [b for b in evidence.transactions if b.tables <= atom]
        widest = max(within, key=lambda b: (len(b.tables), sorted(b.tables)), default=None)
        at = widest.transaction if widest else None
        said.append(enumerated(sorted(atom)) + (f" ({at.file}:{at.line})" if at else ""))
    return [*said, f"and {len(several) - most} more sets"] if len(several) > most else said


def _folded(
    evidence: Evidence,
    affinity: Affinity,
    groups: list[frozenset[str]],
    wanted: Constraints,
    least: int,
) -> list[frozenset[str]]:
    """Without groups that are no domain; each is joined to the group that it is tied to most.

    No domain: tables that nobody writes, and a single table without a package and hardly used.
    """
    while len(groups) > least:
        trivial = [group for group in groups if _is_trivial(evidence, group)]
        joined = _joined(affinity, groups, trivial, wanted)
        if joined == groups:
            break
        groups = joined
    return sorted(groups, key=min)


def _joined(
    affinity: Affinity,
    groups: list[frozenset[str]],
    candidates: list[frozenset[str]],
    wanted: Constraints,
) -> list[frozenset[str]]:
    """The groups after the candidate with the strongest tie has joined; the same if none may."""
    apart = apart_by(wanted)
    options = [
        (_tie(affinity, group, other), group, other)
        for group in candidates
        for other in groups
        if other != group and not any(apart(a, b) for a in group for b in other)
        if not wanted.largest or len(group) + len(other) <= wanted.largest
    ]
    if not options:
        return groups
    _, group, other = max(options, key=lambda o: (round(o[0], 9), len(o[2]), min(o[1]), min(o[2])))
    return sorted([*(g for g in groups if g not in (group, other)), group | other], key=min)


def _tie(affinity: Affinity, group: frozenset[str], other: frozenset[str]) -> float:
    both = [affinity.between(a, b) for a in sorted(group) for b in sorted(other)]
    return sum(both) / len(other)


def _is_trivial(evidence: Evidence, group: frozenset[str]) -> bool:
    users = sum(bool(group & bound) for bound in evidence.bound.values())
    if len(group) > 1:
        return users == 0
    (table,) = group
    folders = Counter(t.file.rpartition("/")[0] for t in evidence.program.tables.values())
    folder = evidence.program.tables[table].file.rpartition("/")[0]
    own_package = folders[folder] == 1 and any(
        evidence.bound[name] == group and entry.file.rpartition("/")[0] == folder
        for name, entry in evidence.entries.items()
    )
    return users < _FEW_ENTRY_POINTS and not own_package


def _not_demanded(called: list[str], i: int, wanted: Constraints) -> str:
    """A group that happens to have a demanded name is that service, unless demands forbid it."""
    if called[i] in wanted.pinned.values() and wanted.limits_size:
        return next(n for n in numbered(called[i], len(called)) if n not in called)
    return called[i]


def outline_of(
    evidence: Evidence, groups: list[frozenset[str]], wanted: Constraints
) -> tuple[Outline, str]:
    """The groups with names and entry points, and the remainder's name if there is one.

    Takes tools out of `evidence`.
    """
    numbers = {table: str(i) for i, group in enumerate(groups) for table in group}
    leave_out_tools(evidence, numbers)
    placed = {e: int(n) for e, n in place(evidence, numbers).items()}
    called = names(evidence, groups, placed)
    for i, group in enumerate(groups):
        pinned = sorted({wanted.pinned[table] for table in group if table in wanted.pinned})
        called[i] = pinned[0] if pinned else _not_demanded(called, i, wanted)
    if not wanted.first:
        owner = {table: called[i] for i, group in enumerate(groups) for table in group}
        by_name = {entry: called[number] for entry, number in placed.items()}
        rest = REMAINDER if wanted.remainder else ""
        return Outline(tuple(sorted(called)), owner, by_name), rest
    number = next(
        (i for i, g in enumerate(groups) if wanted.first == called[i] or wanted.first in g), None
    )
    if number is None:
        raise ConfigurationError(
            f"no service would be called {wanted.first}, and no table is",
            hint="one of: " + ", ".join(sorted(called)),
        )
    owner = {t: called[number] if t in groups[number] else REMAINDER for t in sorted(numbers)}
    by_name = place(evidence, owner)
    return Outline((called[number], REMAINDER), owner, by_name), REMAINDER
