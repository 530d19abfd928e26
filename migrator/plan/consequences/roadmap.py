"""The way from the monolith to a plan: each step a state that runs, with a check and a way back.

First the boundaries are kept where the code is, then the code goes out service by service, the
one that costs least for what it is worth first. A team may stop after any step.
"""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model.plan import Plan, Service, Step
from migrator.model.program import Program
from migrator.plan.consequences.crossings import COST
from migrator.plan.consequences.obstacles import obstacles
from migrator.plan.wording import counted, enumerated, sentence

_REPLICA_COST = 1.0
_PLAN = "migrator.plan.yaml"
_OUT = "../services"
"""Beside the monolith, where what is generated has to be: one folder below it for each step."""


def order(services: Mapping[str, Service]) -> list[str]:
    """The services but for the remainder, in the order in which to take them out.

    By what a service costs (crossings and copies, in and out) for each entry point that is then
    on its own.
    """
    cost = costs(services)
    taken = [name for name, service in services.items() if not service.remainder]

    def rank(name: str) -> tuple[float, str]:
        worth = 1 + len(services[name].entry_points)
        return (round((1 + cost[name]) / worth, 9), name)

    return sorted(taken, key=rank)


def costs(services: Mapping[str, Service]) -> dict[str, float]:
    """What crosses in and out of each service, and what must be copied in and out."""
    cost = dict.fromkeys(services, 0.0)
    for name, service in services.items():
        for crossing in service.calls:
            for end in (name, crossing.owner):
                cost[end] += COST[crossing.remedy]
        for replica in service.replicas.values():
            for end in (name, replica.owner):
                cost[end] += _REPLICA_COST
    return cost


def roadmap(program: Program, plan: Plan) -> list[Step]:
    """The steps of a plan whose services are complete; one service ends as a modular monolith."""
    names = [n for n, s in plan.services.items() if not s.remainder and len(plan.services) > 1]
    names.sort(key=lambda name: (plan.services[name].order or len(names) + 1, name))
    steps = [_own_the_tables(plan), _ban_new_crossings(program, plan)]
    if names:
        steps.append(_split_the_data(plan))
    cost = costs(plan.services)
    for number, name in enumerate(names, start=1):
        steps.append(_take_out(plan, name, number, names, cost))
    for number, step in enumerate(steps, start=1):
        step.step = number
    return steps


def _own_the_tables(plan: Plan) -> Step:
    return Step(
        step=0,
        title="own the tables",
        runs="the monolith, unchanged",
        because=f"every table has one of {len(plan.services)} owners from now on, and each change"
        " is checked against that"
        if len(plan.services) > 1
        else "there is one owner, and nothing to cross: the code is only checked for what is new",
        commands=[f"git add {_PLAN}", "run `migrator check . --format github` in CI"],
        check="migrator check .",
        back="take the check out of CI: no code has changed",
    )


def _ban_new_crossings(program: Program, plan: Plan) -> Step:
    crossings = sum(len(service.calls) for service in plan.services.values())
    copies = sum(len(service.replicas) for service in plan.services.values())
    commands = [
        "in the code, take crossings away where it is cheap; `migrator check . --write` then"
        " takes them off the list"
    ]
    due = {each.subject for each in obstacles(program, plan)}
    if due:
        functions = enumerated(sorted(due))
        commands.insert(0, f"decide on what nothing pays for yet: {functions}")
    return Step(
        step=0,
        title="ban new crossings: a modular monolith, and a valid place to stop",
        runs="the monolith; its modules cross only where the plan lists it",
        because=f"{counted(crossings, 'crossing')} and {counted(copies, 'foreign read')} are known;"
        " the list may only shrink",
        commands=commands,
        check="migrator check .",
        back="a crossing that has to be is let in by `migrator check . --write --accept-crossings`",
    )


def _split_the_data(plan: Plan) -> Step:
    return Step(
        step=0,
        title="put the gateway in front, and the data where it can be split off",
        runs="all of the monolith as one service, generated, behind the gateway",
        because="outbox, readiness and gateway are tried before anything is taken apart",
        commands=[f"migrator generate . --step 0 -o {_folder(0)}", f"migrator up {_folder(0)}"],
        check=f"migrator verify . --services {_folder(0)}",
        back=f"`migrator move-data {_folder(0)} DATA --monolith`, and start the monolith on it: its"
        " code is as before",
    )


def _folder(number: int) -> str:
    return f"{_OUT}/step-{number}"


def _take_out(
    plan: Plan, name: str, number: int, names: list[str], cost: Mapping[str, float]
) -> Step:
    service = plan.services[name]
    waited = sum(call.remedy not in ("defer", "copy") for call in service.calls)
    deferred = sum(call.remedy == "defer" for call in service.calls)
    given = sum(
        replica.owner == name
        for other in plan.services.values()
        for replica in other.replicas.values()
    )
    parts = [
        f"it answers {counted(len(service.entry_points), 'entry point')}",
        f"owns {counted(len(service.tables), 'table')}",
        f"{counted(waited, 'call')} and {counted(deferred, 'deferred command')} leave it",
        f"it copies {counted(len(service.replicas), 'table')} in, others copy {given} out",
        service.maturity,
    ]
    remainder = next((n for n, s in plan.services.items() if s.remainder), "")
    left = names[number:] + ([remainder] if remainder else [])
    runs = enumerated(names[:number], 8)
    if left == [remainder]:
        runs += ", and the remainder"
    else:
        runs += f", and {enumerated(left, 8)} as one remainder" if left else ": nothing remains"
    here, before = _folder(number), _folder(number - 1)
    commands = [
        f"migrator generate . --step {number} -o {here}",
        f"migrator move-data {before} {here}",
        f"migrator up {here}",
    ]
    if left:
        commands.append(f"migrator route {name} --to service --percent 10 --services {here}")
    return Step(
        step=0,
        title=f"take out {name}",
        service=name,
        runs=runs,
        because=sentence(parts),
        commands=commands,
        check=f"migrator verify . --services {here}",
        back=f"`migrator move-data {here} {before} --force`, then `migrator up {before}`",
    )
