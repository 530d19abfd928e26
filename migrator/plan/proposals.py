"""Several proposals beside each other, and whether any of them beats not splitting at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from migrator.model.errors import ConfigurationError
from migrator.model.graph import Graph
from migrator.model.plan import Finding, Plan
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.findings.bonds import loosened, told
from migrator.plan.findings.cross_cutting import only_by_the_way
from migrator.plan.findings.kinds import CROSS_CUTTING
from migrator.plan.partition.constraints import Constraints, demands_of
from migrator.plan.propose import boundaries, evidence_for, homed, plan_of
from migrator.plan.score import Score, score
from migrator.plan.signals.affinity import measure
from migrator.plan.strategies import (
    ONE_SERVICE,
    STRATEGIES,
    WHOLE_TRANSACTIONS,
    Groups,
    modularity,
)
from migrator.plan.wording import counted

_NO_CUT = "transactions, demands or close ties keep all tables in one service"
_SOME_STRUCTURE = 0.3
"""Newman and Girvan (Phys. Rev. E 69, 026113): networks with communities reach 0.3 to 0.7."""

_MOST_SLOWED = 0.5
"""The share of routes that may wait for another service."""

_MOST_COPIED = 0.9
"""The share of the code that each service may have to carry with it, on average."""


class Proposal(msgspec.Struct, kw_only=True):
    """One named way to cut, with what it costs; `against`: why it does not beat not splitting."""

    name: str
    tradeoff: str
    plan: Plan
    score: Score
    modularity: float
    against: list[str] = []
    same_as: str = ""
    """An earlier proposal that cuts in the same way."""

    @property
    def remake(self) -> list[Finding]:
        """What splits transactions all over the application, that of most first: worth remaking."""
        return [each for each in self.plan.findings if each.kind == CROSS_CUTTING]


class Proposals(msgspec.Struct, kw_only=True):
    """All proposals that there are, the default first."""

    listed: list[Proposal]
    left_out: dict[str, str]
    """Those that cannot be made here, with why."""
    signals_left_out: dict[str, str] = {}
    """Signals that have no evidence here, or that were switched off, with why."""
    split_is_demanded: bool = False
    """Whether a demand asks for more than one service."""

    def __getitem__(self, name: str) -> Proposal:
        """The proposal of that name. Raises ConfigurationError where there is none."""
        for each in self.listed:
            if each.name == name:
                return each
        why = self.left_out.get(name)
        raise ConfigurationError(
            f"there is no proposal {name}" + (f": {why}" if why else ""),
            hint="one of: " + ", ".join(each.name for each in self.listed),
        )

    @property
    def worth_splitting(self) -> bool:
        """Whether a proposal beats leaving the monolith whole."""
        return any(not each.against for each in self.listed if each.name != ONE_SERVICE)

    @property
    def default(self) -> str:
        """The proposal that is written unless another is asked for: what beats not splitting, or is
        demanded, else not to split."""
        known = {each.name: each for each in self.listed}
        if self.worth_splitting or ONE_SERVICE not in known or self.split_is_demanded:
            return WHOLE_TRANSACTIONS
        return ONE_SERVICE

    @property
    def verdict(self) -> list[str]:
        """Why no proposal beats not splitting, each once; empty if one does."""
        if self.worth_splitting:
            return []
        reasons = {
            "; ".join(each.against): f"{each.name}: {'; '.join(each.against)}"
            for each in reversed(self.listed)
            if each.against
        }
        return list(reversed(reasons.values())) or ["nothing but one service can be made of it"]


def propose_all(graph: Graph, constraints: Constraints | None = None) -> Proposals:
    """Every proposal that can be made; the same input, the same proposals.

    Raises what `propose` raises: where the default proposal cannot be made, none can.
    """
    wanted = constraints or Constraints()
    evidence = evidence_for(graph, wanted)
    groups = boundaries(evidence, wanted)
    loose = loosened(evidence, wanted)
    binding = "; ".join(told(evidence, loose.entry_points)) if loose else ""
    listed: list[Proposal] = []
    left_out: dict[str, str] = {}
    for name, strategy in STRATEGIES.items():
        try:
            made, named = strategy.make(evidence, groups, wanted)
            if made != groups and name != ONE_SERVICE:
                made = homed(evidence, made, wanted)
            _require_allowed(made, wanted)
            pinned = [group for group in made if not wanted.pinned.keys().isdisjoint(group)]
            for table in frozenset().union(*pinned):
                named.pop(table, None)
            owned = replace(wanted, owners={**named, **wanted.owners})
            listed.append(_proposal(graph, evidence, name, made, owned, listed, binding))
            listed[-1].plan.demands = demands_of(wanted)
        except ConfigurationError as error:
            if name == WHOLE_TRANSACTIONS:
                raise
            left_out[name] = error.message
    _compare_with_one_service(listed)
    return Proposals(
        listed=listed,
        left_out=left_out,
        signals_left_out=measure(evidence, wanted.weights).missing,
        split_is_demanded=bool(
            (wanted.services and wanted.services[0] > 1)
            or wanted.apart
            or wanted.pinned
            or wanted.first
            or wanted.largest
        ),
    )


def _compare_with_one_service(listed: list[Proposal]) -> None:
    """What cuts nothing is the same as `one-service`, and not the other way round."""
    whole = next((each for each in listed if each.name == ONE_SERVICE), None)
    if whole is not None:
        for each in listed:
            if each is not whole and cut_of(each.plan) == cut_of(whole.plan):
                each.same_as = ONE_SERVICE
        whole.same_as = ""


def _require_allowed(groups: Groups, wanted: Constraints) -> None:
    least, most = wanted.services or (1, len(groups))
    if not least <= len(groups) <= most:
        asked = f"{least}" if least == most else f"{least} to {most}"
        raise ConfigurationError(f"it has {counted(len(groups), 'service')}, not {asked}")
    largest = max(map(len, groups))
    if wanted.largest and largest > wanted.largest:
        raise ConfigurationError(f"a service would own {largest} tables, not {wanted.largest}")


def _proposal(
    graph: Graph,
    evidence: Evidence,
    name: str,
    groups: Groups,
    wanted: Constraints,
    before: Sequence[Proposal],
    binding: str,
) -> Proposal:
    plan, consequences = plan_of(evidence.copied(), groups, wanted)
    plan.proposal = name
    proposal = Proposal(
        name=name,
        tradeoff=STRATEGIES[name].tradeoff,
        plan=plan,
        score=score(plan, graph, consequences),
        modularity=modularity(measure(evidence, wanted.weights), groups),
        same_as=next((each.name for each in before if cut_of(each.plan) == cut_of(plan)), ""),
    )
    if name != ONE_SERVICE:
        by_the_way = only_by_the_way(evidence, consequences.torn, plan.owners())
        proposal.against = _against(proposal, binding, len(by_the_way))
    return proposal


def cut_of(plan: Plan) -> frozenset[tuple[frozenset[str], frozenset[str]]]:
    """What is decided, whatever the services are called: tables and entry points together."""
    return frozenset(
        (frozenset(s.tables), frozenset(s.entry_points)) for s in plan.services.values()
    )


def _against(proposal: Proposal, binding: str, by_the_way: int) -> list[str]:
    """Why a cut does not beat one service; each reason with its figure."""
    scored = proposal.score
    if len(scored.services) < 2:
        return [f"transactions keep all tables in one service: {binding}" if binding else _NO_CUT]
    reasons = []
    if proposal.modularity < _SOME_STRUCTURE and len(proposal.plan.services) > 1:
        reasons.append(
            f"the tables form no domains: modularity {proposal.modularity:.2f},"
            f" under {_SOME_STRUCTURE}"
        )
    if scored.split_transactions:
        split = counted(scored.split_transactions, "transaction")
        only = f", {by_the_way} of them only by what is written by the way" if by_the_way else ""
        reasons.append(f"{split} would be split{only}")
    routes = sum(each.routes for each in scored.services)
    whole = scored.whole
    if whole is not None and routes and whole.latency.slowed / routes > _MOST_SLOWED:
        reasons.append(
            f"{whole.latency.slowed} of {counted(routes, 'route')} would wait for another service"
        )
    shares = [each.share for each in scored.services if each.share]
    if shares and sum(shares) / len(shares) > _MOST_COPIED:
        mean = sum(shares) / len(shares)
        reasons.append(f"each service would carry {mean:.0%} of the code")
    return reasons
