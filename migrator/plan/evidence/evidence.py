"""What the partition is made from: which entry point is bound to which tables, and by what."""

from __future__ import annotations

import shlex
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from migrator.facts.history import History, Repository
from migrator.facts.inspection import Texts
from migrator.model.program import EntryPoint, Program, Transaction
from migrator.plan.evidence.deferral import Deferral
from migrator.plan.evidence.intent import Intent, intent
from migrator.plan.evidence.reach import Reach
from migrator.plan.evidence.table_usage import Usage
from migrator.plan.evidence.tested import ReachedByTests

_BROAD_SHARE = 0.5
_BROAD_TABLES = 4


class Binding(NamedTuple):
    """Tables that an entry point writes in one transaction."""

    entry_point: str
    tables: frozenset[str]
    transaction: Transaction


@dataclass
class Evidence:
    """Entry points with what binds them. `left_out`: those that no service gets, with why."""

    program: Program
    reach: Reach
    deferral: Deferral
    entries: dict[str, EntryPoint] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    bound: dict[str, frozenset[str]] = field(default_factory=dict)
    reads: dict[str, frozenset[str]] = field(default_factory=dict)
    """Tables that the entry point reads on its own account, hooks left out."""
    transactions: list[Binding] = field(default_factory=list)
    texts: Texts = field(default_factory=lambda: Texts(""))
    usage: Usage = field(default_factory=lambda: Usage(Program(), Texts("")))
    repository: Repository = field(default_factory=lambda: Repository(""))
    tests: ReachedByTests = field(default_factory=lambda: ReachedByTests(Program(), Texts("")))
    worked_out: dict[object, Any] = field(default_factory=dict)
    """What was derived from the entry points, by what it was asked with; forgotten with one."""

    @property
    def intent(self) -> Intent:
        """What entry points are there to write, of what binds them."""
        if "intent" not in self.worked_out:
            self.worked_out["intent"] = intent(self.reach, self.deferral, self.entries, self.bound)
        known: Intent = self.worked_out["intent"]
        return known

    @property
    def own(self) -> Mapping[str, frozenset[str]]:
        """The tables that each entry point is there to write."""
        return self.intent.own

    @property
    def history(self) -> History:
        """What git knows of the code."""
        return self.repository.history

    @property
    def working(self) -> dict[str, EntryPoint]:
        """The entry points that the application lives by: commands are tools of its keepers."""
        return {name: entry for name, entry in self.entries.items() if entry.kind != "command"}

    @property
    def bonds(self) -> list[frozenset[str]]:
        """Tables that must stay together, since the application's work commits them together."""
        working = self.working
        return [b.tables for b in self.transactions if b.entry_point in working]

    def copied(self) -> Evidence:
        """The same evidence, of which entry points may be left out without changing this one."""
        return replace(
            self,
            entries=dict(self.entries),
            left_out=dict(self.left_out),
            bound=dict(self.bound),
            reads=dict(self.reads),
            transactions=list(self.transactions),
            worked_out=dict(self.worked_out),
        )

    def leave_out(self, name: str, reason: str) -> None:
        """Take an entry point out of the plan, and say why."""
        del self.entries[name], self.bound[name], self.reads[name]
        self.transactions = [b for b in self.transactions if b.entry_point != name]
        self.left_out[name] = reason
        self.worked_out.clear()


def gather(
    program: Program,
    setup: tuple[str, ...] = (),
    *,
    left_out: Mapping[str, str] | None = None,
    taken: Container[str] = (),
    known: Evidence | None = None,
) -> Evidence:
    """The evidence of a program; `setup` are shell commands that only make and fill a schema.

    A plan that exists says which entry points it leaves out, with why, and which it has taken in.
    What no plan changes is taken from `known`: `of_any_plan` of the same program.
    """
    evidence = (known or of_any_plan(program)).copied()
    around = set(program.hooks)
    declared = frozenset(program.tables)
    for name, entry in sorted(program.entry_points.items()):
        reason = (left_out or {}).get(name) or _not_for_a_service(program, entry, setup)
        if reason and name not in taken:
            evidence.left_out[name] = reason
            continue
        evidence.entries[name] = entry
        bound = evidence.deferral.bound(entry)
        evidence.bound[name] = bound
        evidence.reads[name] = frozenset(
            a.table for a in entry.reads if not a.in_hook and around.isdisjoint(a.path)
        )
        for transaction in entry.transactions:
            # Those that SQL names and nothing declares have no owner that could split it.
            together = frozenset(transaction.tables) & bound & declared
            if len(together) > 1:
                evidence.transactions.append(Binding(name, together, transaction))
    return evidence


def of_any_plan(program: Program) -> Evidence:
    """What is the same whichever entry points a plan takes in; it has none yet."""
    reach = Reach(program)
    texts = Texts(program.root)
    return Evidence(
        program,
        reach,
        Deferral(reach),
        texts=texts,
        usage=Usage(program, texts),
        repository=Repository(program.root),
        tests=ReachedByTests(program, texts),
    )


def _not_for_a_service(program: Program, entry: EntryPoint, setup: tuple[str, ...]) -> str:
    if entry.kind != "command":
        return ""
    names = {entry.trigger, entry.name.partition(":")[2], entry.handler} - {""}
    for command in setup:
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        if names & set(words):
            return "it makes or fills the schema; data is moved to a service, not made again"
    written = {access.table for access in entry.writes}
    if len(written) >= max(_BROAD_TABLES, _BROAD_SHARE * len(program.tables)):
        return f"it writes {len(written)} of {len(program.tables)} tables, of every domain"
    return ""
