"""Takes a plan that people edited, and works out anew what follows from their decisions."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

import msgspec

from migrator.model.errors import MigratorError, PlanError
from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Datastore, Plan, Remedy, Service
from migrator.model.program import Program
from migrator.plan.assemble import assemble
from migrator.plan.consequences.folders import with_decisions as folders_with_decisions
from migrator.plan.consequences.outline import Consequences, Outline
from migrator.plan.consequences.roadmap import roadmap
from migrator.plan.consequences.rows import obstacle_of
from migrator.plan.evidence.evidence import Evidence, gather, of_any_plan
from migrator.plan.findings.kinds import LEFT_OUT
from migrator.plan.findings.of_plan import findings
from migrator.plan.partition.constraints import SERVICE_NAME_HINT, is_service_name
from migrator.plan.placement import leave_out_tools, place
from migrator.plan.score import Score, score
from migrator.plan.store import place_in
from migrator.plan.wording import enumerated

_PAYS = {"row-write": {"row-write", "saga", "merge"}, "merge": {"row-write", "saga", "merge"}}
"""For a derived remedy that is a decision: the remedies by which a person may decide it."""

_CUT = ("call", "defer", "row-write", "saga", "merge")


def resolve(graph: Graph, plan: Plan) -> Plan:
    """The plan with replicas, calls and findings derived anew; what a person set there is kept.

    A remainder gets every table and entry point that no other service has. Raises PlanError with
    every problem: unknown or repeated names, what has no owner, and crossings that need a
    decision which the plan does not make.
    """
    resolved, _ = resolve_with_consequences(graph, plan)
    return resolved


def resolve_with_consequences(graph: Graph, plan: Plan) -> tuple[Plan, Consequences]:
    """`resolve`, and the walks that the plan was derived from."""
    return _resolved(graph, plan, of_any_plan(graph.program))


class Scored(NamedTuple):
    """A plan as it follows from the code of today, the walks behind it, and its score."""

    plan: Plan
    consequences: Consequences
    score: Score


class Resolver:
    """Resolves and scores several plans of one graph: what they have in common is done once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known = of_any_plan(graph.program)
        self._scored: dict[bytes, Scored] = {}

    def scored(self, plan: Plan) -> Scored:
        """`resolve_with_consequences` and `score`; raises what they raise.

        Plans that differ in their proposal's name alone are one.
        """
        key = msgspec.msgpack.encode(msgspec.structs.replace(plan, proposal=""))
        if key not in self._scored:
            resolved, consequences = _resolved(self._graph, plan, self._known)
            numbers = score(resolved, self._graph, consequences)
            self._scored[key] = Scored(resolved, consequences, numbers)
        found = self._scored[key]
        return found._replace(plan=msgspec.structs.replace(found.plan, proposal=plan.proposal))


def _resolved(graph: Graph, plan: Plan, known: Evidence) -> tuple[Plan, Consequences]:
    evidence = _evidence(graph, plan, known)
    outline, problems = _outline(evidence, plan)
    if problems:
        raise PlanError(problems)
    remainder = next((name for name, s in plan.services.items() if s.remainder), "")
    derived, consequences = assemble(
        evidence, outline, application=plan.application, remainder=remainder
    )
    for name, service in derived.services.items():
        before = plan.services[name]
        derived.services[name] = _with_decisions(graph.program, service, before, plan.remedies)
        problems += _undecided(graph.program, plan, name, derived.services[name])
        problems += _unfit(plan, name, derived.services[name])
        problems += _folders_of_nobody(plan, name)
    _keep_order(plan, derived)
    problems += _of_nothing(graph.program, plan, derived)
    if problems:
        raise PlanError(problems)
    derived.findings = findings(evidence, outline, consequences, derived)
    derived.roadmap = roadmap(graph.program, derived)
    derived.version, derived.proposal = plan.version, plan.proposal
    derived.demands, derived.remedies = plan.demands, plan.remedies
    derived.gate = plan.gate
    return derived, consequences


def _evidence(graph: Graph, plan: Plan, known: Evidence) -> Evidence:
    """The evidence with what the plan itself leaves out, and without what it takes in."""
    placed = {entry for service in plan.services.values() for entry in service.entry_points}
    left_out = {f.subject: f.message for f in plan.findings if f.kind == LEFT_OUT}
    return gather(graph.program, left_out=left_out, taken=placed, known=known)


def _outline(evidence: Evidence, plan: Plan) -> tuple[Outline, list[MigratorError]]:
    problems: list[MigratorError] = []
    if not plan.services:
        problems.append(
            MigratorError(
                "the plan has no service",
                place=place_in(plan, "services"),
                hint="`migrator propose -o FILE` writes one that has",
            )
        )
    remainders = [name for name, service in plan.services.items() if service.remainder]
    for name in remainders[1:]:
        problems.append(
            MigratorError(
                f"{remainders[0]} is the remainder already, and there is only one",
                place=place_in(plan, "services", name, "remainder"),
            )
        )
    for name in plan.services:
        if not is_service_name(name):
            problems.append(
                MigratorError(
                    f"{name} cannot be the name of a service",
                    place=place_in(plan, "services", name),
                    hint=SERVICE_NAME_HINT,
                )
            )
    program = evidence.program
    owner = _assigned(plan, "tables", "table", list(program.tables), problems)
    known = list(program.entry_points)
    placed = _assigned(plan, "entry_points", "entry point", known, problems)
    rest = remainders[0] if remainders else ""
    for table in sorted(set(program.tables) - set(owner)):
        if rest:
            owner[table] = rest
        else:
            problems.append(_unowned(plan, table))
    leave_out_tools(evidence, owner, placed)
    free = [name for name in evidence.entries if name not in placed]
    if rest:
        placed.update(dict.fromkeys(free, rest))
    elif free and not problems:
        suggested = place(evidence, owner)
        problems += [_unplaced(plan, name, suggested[name]) for name in free]
    also = {n: tuple(s.also_answers) for n, s in plan.services.items() if s.also_answers}
    return Outline(tuple(sorted(plan.services)), owner, placed, also), problems


def _assigned(
    plan: Plan, section: str, what: str, known: list[str], problems: list[MigratorError]
) -> dict[str, str]:
    """Name to service, from one section of all services; what is wrong goes to `problems`."""
    found: dict[str, str] = {}
    for service in plan.services:
        for name in getattr(plan.services[service], section):
            at = place_in(plan, "services", service, section, name)
            if name not in known:
                close = get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"take it out of {section}"
                problems.append(
                    MigratorError(f"the code has no {what} {name}", place=at, hint=hint)
                )
            elif name in found:
                where = f"{found[name]} and {service}" if found[name] != service else service
                problems.append(
                    MigratorError(
                        f"the {what} {name} stands twice: in {where}",
                        place=at,
                        hint="take one of them out",
                    )
                )
            else:
                found[name] = service
    return found


def _unowned(plan: Plan, table: str) -> MigratorError:
    return MigratorError(
        f"no service owns the table {table}",
        place=place_in(plan, "services"),
        hint=f"add `- {table}` to the tables of a service, or give one `remainder: true`",
    )


def _unplaced(plan: Plan, entry: str, service: str) -> MigratorError:
    return MigratorError(
        f"no service has the entry point {entry}",
        place=place_in(plan, "services", service, "entry_points"),
        hint=f"add `- {entry}` to the entry points of {service}, which owns what it uses",
    )


def _with_decisions(
    program: Program, derived: Service, before: Service, decided: Mapping[str, Remedy]
) -> Service:
    """What follows, with what a person set in its place."""
    replicas = {}
    for table, replica in derived.replicas.items():
        old = before.replicas.get(table)
        if old is not None:
            replica = msgspec.structs.replace(
                replica, freshness=old.freshness, when_late=old.when_late
            )
        replicas[table] = replica
    remedies = {(each.name, each.kind): each for each in before.state}
    return msgspec.structs.replace(
        derived,
        purpose=before.purpose or derived.purpose,
        maturity=derived.maturity or before.maturity,
        replicas=replicas,
        calls=[_decided(call, before, decided.get(call.function)) for call in derived.calls],
        datastore=_store(derived.datastore, before.datastore),
        folders=folders_with_decisions(program, derived.folders, before.folders),
        state=[
            msgspec.structs.replace(each, remedy=remedies.get((each.name, each.kind), each).remedy)
            for each in derived.state
        ],
    )


def _store(derived: Datastore, before: Datastore) -> Datastore:
    """The store that follows, unless a person chose another engine or kind."""
    chosen = (before.engine, before.kind) != (derived.engine, derived.kind)
    return before if chosen else derived


def _decided(call: Crossing, before: Service, of_function: Remedy | None) -> Crossing:
    """A crossing with the transport that the plan already gave it, and the remedy.

    What is decided of a function comes before what stands at one of its crossings.
    """
    same = [c for c in before.calls if c.function == call.function]
    old = next((c for c in same if c.owner == call.owner), same[0] if len(same) == 1 else None)
    if old is not None:
        call = msgspec.structs.replace(call, transport=old.transport)
    wanted = of_function or (old.remedy if old is not None else call.remedy)
    if wanted in (call.remedy, "copy"):
        return call
    if call.remedy in _PAYS and wanted not in _PAYS[call.remedy]:
        return call
    rows = wanted == "row-write" or call.unit == "rows"
    if old is not None and of_function is None:
        rows = rows or (wanted == "defer" and old.unit == "rows")
    return msgspec.structs.replace(call, remedy=wanted, unit="rows" if rows else "function")


def _unfit(plan: Plan, name: str, service: Service) -> list[MigratorError]:
    """Crossings that cannot have the remedy that is decided for their function."""
    return [
        MigratorError(
            f"{name} cannot write {enumerated(call.tables)} of {call.owner} by"
            f" {plan.remedies[call.function]}: {call.because}",
            place=place_in(plan, "remedies", call.function),
            hint=f"{enumerated(sorted(_PAYS.get(call.remedy, _CUT)))} can pay for it",
        )
        for call in service.calls
        if plan.remedies.get(call.function, call.remedy) != call.remedy
    ]


def _of_nothing(program: Program, plan: Plan, derived: Plan) -> list[MigratorError]:
    """Decisions for functions that the code does not have."""
    crossing = {call.function for service in derived.services.values() for call in service.calls}
    found = []
    for function in plan.remedies:
        if function not in program.functions and function not in crossing:
            close = get_close_matches(function, crossing or program.functions, 1)
            hint = f"did you mean {close[0]}?" if close else "take it out of remedies"
            place = place_in(plan, "remedies", function)
            message = f"the code has no function {function}"
            found.append(MigratorError(message, place=place, hint=hint))
    return found


def _undecided(program: Program, plan: Plan, name: str, service: Service) -> list[MigratorError]:
    """Crossings that nothing pays for and that the plan does not mention."""
    problems: list[MigratorError] = []
    for call in service.calls:
        if call.remedy != "merge":
            continue
        mentioned = call.function in plan.remedies or any(
            c.function == call.function and c.remedy == "merge" for c in plan.services[name].calls
        )
        if not mentioned:
            hint = "move the tables or the entry point"
            if not obstacle_of(program, call):
                hint += f", or write `{call.function}: row-write` (or saga) under `remedies`"
            problems.append(
                MigratorError(
                    f"{name} cannot write {enumerated(call.tables)} of {call.owner}:"
                    f" {call.function}: {call.because}",
                    place=place_in(plan, "services", call.owner, "tables", call.tables[0]),
                    hint=hint,
                )
            )
    return problems


def _folders_of_nobody(plan: Plan, name: str) -> list[MigratorError]:
    return [
        MigratorError(
            f"{path} belongs to {folder.owner}, and the plan has no such service",
            place=place_in(plan, "services", name, "folders", path),
            hint=f"its owner is one of {enumerated(sorted(plan.services), 8)}",
        )
        for path, folder in plan.services[name].folders.items()
        if folder.owner not in plan.services
    ]


def _keep_order(plan: Plan, derived: Plan) -> None:
    """The order that the plan has; services without one come last."""
    taken = [name for name, service in derived.services.items() if not service.remainder]

    def key(name: str) -> tuple[int, int]:
        set_before = plan.services[name].order
        return (set_before if set_before > 0 else len(taken) + 1, derived.services[name].order)

    for number, name in enumerate(sorted(taken, key=key), start=1):
        derived.services[name].order = number
