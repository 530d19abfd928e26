"""Checks a plan that people edited: is it consistent, does the code still fit, what did it cost."""

from __future__ import annotations

import msgspec

from migrator.model.errors import PlanError
from migrator.model.graph import Graph
from migrator.model.plan import Finding, Plan
from migrator.plan.consequences.digests import changed
from migrator.plan.findings.kinds import DECISION, SPLIT, STALE
from migrator.plan.ratchet import gone_crossings, new_crossings, speaks_for
from migrator.plan.resolve import Resolver
from migrator.plan.score import Score, score
from migrator.plan.scorecard import Change, changes

_STALE_HINT = "read what has changed; `migrator check --write` stamps the plan anew"


class Check(msgspec.Struct, kw_only=True):
    """The result of a check of a plan that is consistent."""

    plan: Plan
    """The plan with all that follows worked out anew."""
    stale: list[str]
    """What has changed in the code that the plan relies on."""
    restamped: bool
    """The code has changed, and nothing that the plan relies on has."""
    score: Score
    changes: list[Change]
    """The figures of the last proposal that are different now."""
    new_crossings: list[Finding]
    """What the code crosses beyond the plan's list."""
    gone_crossings: list[str]
    """What is on the plan's list and crosses no more."""
    edited: bool
    """Tables or entry points were moved since the plan was last written by `check` or `propose`."""
    findings: list[Finding]
    """Everything to be seen to, with its place in the code, the gravest first."""

    @property
    def cost(self) -> list[str]:
        """What it costs more or less than the last proposal, in words."""
        return [f"{c.label}: {c.before} -> {c.after} ({c.difference})" for c in self.changes]

    @property
    def decisions(self) -> list[Finding]:
        """What somebody has to decide or has to know before generating."""
        return [each for each in self.plan.findings if each.kind in (SPLIT, DECISION)]

    @property
    def clean(self) -> bool:
        """Nothing is stale, nothing crosses that is not listed, and nothing is left to decide."""
        undecided = self.score.undecided or self.score.split_transactions
        return not (self.stale or self.new_crossings or undecided)


def check(graph: Graph, plan: Plan, proposal: Plan | None = None) -> Check:
    """Check `plan` against the code and compare it with the last proposal.

    Raises PlanError with every contradiction.
    """
    stale = changed(graph, plan)
    resolver = Resolver(graph)
    resolved, _, now = resolver.scored(plan)
    made = plan.made_from.program
    new = new_crossings(graph.program, plan, resolved)
    return Check(
        plan=resolved,
        stale=[each.what for each in stale],
        restamped=bool(made) and made != graph.program.digest and not stale,
        score=now,
        changes=changes(_score_of(graph, proposal, resolver), now) if proposal is not None else [],
        new_crossings=new,
        gone_crossings=gone_crossings(plan, resolved),
        edited=not speaks_for(plan),
        findings=[
            *new,
            *(
                Finding(kind=STALE, subject="plan", message=each.what, at=each.at, hint=_STALE_HINT)
                for each in stale
            ),
            *(each for each in resolved.findings if each.kind in (SPLIT, DECISION)),
        ],
    )


def _score_of(graph: Graph, proposal: Plan, resolver: Resolver) -> Score:
    """What a proposal costs by the code of today; as it is written where it does not fit it."""
    try:
        return resolver.scored(proposal).score
    except PlanError:
        return score(proposal, graph)
