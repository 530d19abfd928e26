"""What still needs the old code: requests that what remains of the monolith answers, services that
have not proven themselves for long enough, and the definitions that can go once they have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from migrator.generation.routing import routed_patterns
from migrator.model.graph import Graph
from migrator.model.plan import Gate, Plan
from migrator.model.private import PRIVATE
from migrator.operation.service import read_manifest
from migrator.operation.system import read_system
from migrator.proof.history import days_of_equal_answers, read

DELETIONS = "deletions.txt"
_UNKNOWN = "(no route)"
_FAILED = 500


class Hit(msgspec.Struct, kw_only=True):
    """Requests of one route that the remainder answered."""

    route: str
    requests: int
    owner: str
    """Whose route it is by the plan."""


class GateView(msgspec.Struct, kw_only=True):
    """Whether the old code that a service replaces may be deleted."""

    service: str
    days: int
    """On which both sides were asked and answered equally, since they last did not."""
    coverage: float
    """Of its routes, those that it has answered."""
    unmet: list[str]
    """What is missing; empty: the old code may go."""


class Deletion(msgspec.Struct, kw_only=True):
    """A definition of the monolith that nothing but services that were taken out needs."""

    file: str
    line: int
    end_line: int
    name: str
    services: list[str]
    allowed: bool
    """Whether all of them have passed their gate."""


class Retirement(msgspec.Struct, kw_only=True):
    """All of it, of one generated system."""

    remainder: str
    """Empty: nothing remains."""
    requests: int
    """In the gateway's log."""
    hits: list[Hit]
    gates: list[GateView]
    deletions: list[Deletion]


class _Logged(msgspec.Struct):
    method: str
    uri: str
    status: int
    service: str


class _Kept(msgspec.Struct):
    name: str
    file: str
    line: int
    end_line: int


def retirement(graph: Graph, plan: Plan, output: Path) -> Retirement:
    """What the services in `output` tell of the code that they replace.

    Read from the gateway's log, the comparisons of `migrator route --mirror`, and what each
    service has a copy of. Raises ConfigurationError when `output` holds no services.
    """
    system = read_system(output)
    taken = [name for name in system.services if name != system.remainder]
    answered: Counter[tuple[str, str]] = Counter()
    failed: set[tuple[str, str]] = set()
    route_of = _Routes(graph, plan)
    for each in _log(output):
        known = (each.service, route_of(each))
        answered[known] += 1
        if each.status >= _FAILED:
            failed.add(known)
    routes = {name: set(read_manifest(output / name).routes) for name in system.services}
    owner = {endpoint: name for name, own in routes.items() for endpoint in own}
    history = read(output)
    last = "" if system.remainder else max(taken, key=lambda each: _order(plan, each), default="")
    gates = [
        _gate(
            plan.gate,
            name,
            days_of_equal_answers(history, name),
            {r for s, r in answered if s == name and (s, r) not in failed} & routes[name],
            routes[name],
            in_transition=name in system.in_transition,
            two_sided=name != last,
        )
        for name in taken
    ]
    return Retirement(
        remainder=system.remainder,
        requests=answered.total(),
        hits=[
            Hit(route=route, requests=count, owner=owner.get(route, system.default_service))
            for (service, route), count in answered.most_common()
            if service == system.remainder
        ],
        gates=gates,
        deletions=_deletions(output, system.services, system.remainder, gates),
    )


def written(deletions: Iterable[Deletion]) -> str:
    """The deletion list as lines `FILE:LINE-LINE  NAME  SERVICES`, first what may go now."""
    by_permission: dict[bool, list[str]] = {True: [], False: []}
    for each in deletions:
        place = f"{each.file}:{each.line}-{each.end_line}"
        line = f"{place}  {each.name}  {', '.join(each.services)}"
        by_permission[each.allowed].append(line)
    return "\n".join(
        [
            "# May be deleted from the monolith: its services have passed their gate.",
            *by_permission[True],
            "",
            "# Not yet: a service of these has not.",
            *by_permission[False],
            "",
        ]
    )


def _order(plan: Plan, name: str) -> int:
    return plan.services[name].order if name in plan.services else 0


def _gate(
    gate: Gate,
    name: str,
    days: int,
    used: set[str],
    routes: set[str],
    *,
    in_transition: bool,
    two_sided: bool,
) -> GateView:
    """Days are not asked of the last service: it is what remained, with no other side to ask."""
    coverage = len(used) / len(routes) if routes else 1.0
    unmet = []
    if two_sided and days < gate.days:
        unmet.append(f"{days} of {gate.days} days of equal answers")
    if coverage < gate.coverage:
        unmet.append(f"{coverage:.0%} of {gate.coverage:.0%} of its routes were answered by it")
    if in_transition:
        unmet.append("the remainder can still answer its reads: take the next step first")
    return GateView(service=name, days=days, coverage=round(coverage, 4), unmet=unmet)


def _deletions(
    output: Path, services: list[str], remainder: str, gates: list[GateView]
) -> list[Deletion]:
    kept = {
        name: {
            each.name: each
            for each in msgspec.json.decode(
                (output / name / "origin.json").read_bytes(), type=list[_Kept]
            )
        }
        for name in services
    }
    passed = {gate.service for gate in gates if not gate.unmet}
    needed = set(kept.get(remainder, ()))
    found = []
    gone = {n: each for s, own in kept.items() if s != remainder for n, each in own.items()}
    for name, each in gone.items():
        if name not in needed:
            users = sorted(s for s, own in kept.items() if name in own)
            found.append(
                Deletion(
                    file=each.file,
                    line=each.line,
                    end_line=each.end_line,
                    name=name,
                    services=users,
                    allowed=set(users) <= passed,
                )
            )
    return sorted(found, key=lambda each: (each.file, each.line, each.name))


class _Routes:
    """Which endpoint a logged request was of."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self._patterns = [
            (re.compile(each.regex.encode()), frozenset(each.methods), each.endpoint)
            for each in routed_patterns(graph, plan)
        ]
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, request: _Logged) -> str:
        path = request.uri.partition("?")[0]
        known = self._known.get((request.method, path))
        if known is None:
            known = self._known[request.method, path] = self._find(request.method, path)
        return known

    def _find(self, method: str, path: str) -> str:
        return next(
            (
                endpoint
                for regex, methods, endpoint in self._patterns
                if method in methods and regex.fullmatch(path.encode("utf-8", "surrogateescape"))
            ),
            _UNKNOWN,
        )


def _log(output: Path) -> Iterator[_Logged]:
    file = output / PRIVATE / "gateway" / "access.log"
    if not file.is_file():
        return
    with file.open("rb") as stream:
        for line in stream:
            try:
                yield msgspec.json.decode(line, type=_Logged)
            except msgspec.DecodeError:
                continue  # a line that a crash broke off, or bytes that are no UTF-8
