"""Checks a plan that people edited: is it consistent, does the code still fit, what did it cost."""

from __future__ import annotations

import msgspec

from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.plan.digests import changes
from migrator.plan.findings import DECISION, SPLIT
from migrator.plan.resolve import resolve_with_consequences
from migrator.plan.score import Score, difference, score


class Check(msgspec.Struct, kw_only=True):
    """The result of a check of a plan that is consistent."""

    plan: Plan
    """The plan with all that follows worked out anew."""
    stale: list[str]
    """What has changed in the code that the plan relies on."""
    restamped: bool
    """The code has changed, and nothing that the plan relies on has."""
    score: Score
    cost: list[str]
    """What it costs more or less than the last proposal."""

    @property
    def decisions(self) -> list[str]:
        """What somebody has to decide or has to know before generating."""
        return [
            f"{finding.at}: {finding.subject}: {finding.message}"
            for finding in self.plan.findings
            if finding.kind in (SPLIT, DECISION)
        ]

    @property
    def clean(self) -> bool:
        """Nothing is stale, and nothing is left to decide."""
        return not self.stale and not self.score.undecided and not self.score.split_transactions


def check(graph: Graph, plan: Plan, proposal: Plan | None = None) -> Check:
    """Check `plan` against the code and compare it with the last proposal.

    Raises PlanError with every contradiction.
    """
    stale = changes(graph, plan)
    resolved, consequences = resolve_with_consequences(graph, plan)
    now = score(resolved, graph, consequences)
    cost = difference(score(proposal, graph), now) if proposal is not None else []
    made = plan.made_from.program
    return Check(
        plan=resolved,
        stale=stale,
        restamped=bool(made) and made != graph.program.digest and not stale,
        score=now,
        cost=cost,
    )
