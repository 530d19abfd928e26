"""Puts every entry point into the service where it belongs: writers first, then readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from math import log2

from migrator.model.program import EntryPoint
from migrator.plan.consequences.crossings import COST, Walker
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.findings.bonds import is_giant
from migrator.plan.signals.paths import groups
from migrator.plan.wording import enumerated

_SIBLING_SHARE = 0.5
"""What the company of entry points of the same blueprint counts for, beside the tables read."""

_ITSELF = 2.0
"""What a table counts that the handler reads in its own body, and not somewhere below."""

_MAJORITY = 2 / 3
"""An entry point that touches nothing follows its company only if most of it is in one place."""

_HOME = 6.0
"""What it is worth to a writer to stay in its company: a little more than one call."""


def place(evidence: Evidence, owner: Mapping[str, str]) -> dict[str, str]:
    """Entry point to service, given who owns each table.

    A writer goes where its crossings cost least, or, if it writes nearly everything, to its like;
    one that writes no table but uses files goes to the writers who use them too, since files are
    not replicated; a reader goes to the owner of most of what it reads, where what everybody reads
    counts little; the others go to their like.
    """
    services = sorted(set(owner.values()))
    if not services:
        return {}
    walker = Walker(evidence.reach, evidence.deferral, owner)
    placed: dict[str, str] = {}
    torn: dict[str, list[str]] = {}
    for name in evidence.entries:
        owners = sorted(
            {owner[t] for t in (evidence.own[name] or evidence.bound[name]) if t in owner}
        )
        if len(owners) == 1:
            placed[name] = owners[0]
        elif owners:
            torn[name] = owners
    company = _company(evidence, owner, placed)
    for name, owners in torn.items():
        shares = _share_of_company(company, evidence.entries[name])
        if shares and _is_everywhere(evidence, owner, name):
            placed[name] = min(shares, key=lambda service: (-round(shares[service], 9), service))
            continue
        placed[name] = _cheapest(evidence, walker, owner, company, name, owners)
    placed |= _users_of_files(evidence, placed)
    company = _company(evidence, owner, placed)
    readers = Counter(table for tables in evidence.reads.values() for table in tables)
    waiting = [name for name in evidence.entries if name not in placed]
    for name in sorted(waiting, key=lambda name: (not evidence.reads[name], name)):
        entry = evidence.entries[name]
        placed[name] = _reader(evidence, owner, services, company, readers, placed, entry)
    return placed


def _is_everywhere(evidence: Evidence, owner: Mapping[str, str], name: str) -> bool:
    """Whether it writes most tables and its transactions are split wherever it is: then what it
    writes does not say where it belongs."""
    return is_giant(len(evidence.bound[name]), len(evidence.program.tables)) and any(
        len({owner.get(table) for table in binding.tables}) > 1
        for binding in evidence.transactions
        if binding.entry_point == name
    )


def leave_out_tools(
    evidence: Evidence, owner: Mapping[str, str], placed: Container[str] = ()
) -> None:
    """Leave out commands, but for those in `placed`, whose transactions the owners would split."""
    for name in [n for n, entry in evidence.entries.items() if entry.kind == "command"]:
        torn = [
            binding.tables
            for binding in evidence.transactions
            if binding.entry_point == name and len({owner.get(t) for t in binding.tables}) > 1
        ]
        if torn and name not in placed:
            tables = enumerated(sorted(frozenset().union(*torn)))
            evidence.leave_out(name, f"it commits {tables} together, of several services")


def _users_of_files(evidence: Evidence, placed: Mapping[str, str]) -> dict[str, str]:
    """Entry points that write no table, but use files: they go to who writes, else uses, these."""
    files = [each for each in evidence.program.state if each.kind == "local-file"]
    users = {function for each in files for function in (*each.writers, *each.readers)}
    run = {n: users.intersection(entry.functions) for n, entry in evidence.entries.items()}
    found: dict[str, str] = {}
    for finding in files:
        writers = {*finding.writers}
        touching = {*finding.writers, *finding.readers}
        using = [name for name, functions in run.items() if touching & functions]
        writing = {name for name in using if name in placed and writers & run[name]}
        homes = Counter(placed[name] for name in writing or using if name in placed)
        if homes:
            home = min(homes, key=lambda service: (-homes[service], service))
            found |= {name: home for name in using if name not in placed}
    return found


def _cheapest(
    evidence: Evidence,
    walker: Walker,
    owner: Mapping[str, str],
    company: Mapping[str, Counter[str]],
    name: str,
    owners: list[str],
) -> str:
    entry = evidence.entries[name]
    touched = evidence.bound[name] | evidence.reads[name]
    at_home = _share_of_company(company, entry)

    bonds = [b.tables for b in evidence.transactions if b.entry_point == name]

    def cost(service: str) -> tuple[float, int, str]:
        crossing = walker.cost(service, entry)
        for tables in bonds:
            crossing += COST["merge"] * (len({owner.get(t, service) for t in tables}) > 1)
        crossing -= _HOME * at_home.get(service, 0.0)
        return (round(crossing, 6), -sum(owner.get(t) == service for t in touched), service)

    return min(owners, key=cost)


def _company(
    evidence: Evidence, owner: Mapping[str, str], placed: Mapping[str, str]
) -> dict[str, Counter[str]]:
    """Modules, packages, blueprints and paths to the services of the tables and writers in them."""
    company: dict[str, Counter[str]] = {}
    for table, service in owner.items():
        if table in evidence.program.tables:
            package = evidence.program.tables[table].file.rpartition("/")[0] + "/"
            company.setdefault(package, Counter())[service] += 1
    for name, service in placed.items():
        entry = evidence.entries[name]
        for group in _circles(entry):
            company.setdefault(group, Counter())[service] += 1
    return company


def _share_of_company(company: Mapping[str, Counter[str]], entry: EntryPoint) -> dict[str, float]:
    """Which share of the entry points of its module, package, blueprint and path is where."""
    counters = [company[g] for g in sorted(_circles(entry)) if g in company]
    shares: dict[str, float] = {}
    for counts in counters:
        for service, count in sorted(counts.items()):
            share = count / counts.total() / len(counters)
            shares[service] = shares.get(service, 0.0) + share
    return shares


def _circles(entry: EntryPoint) -> set[str]:
    return {entry.file, _package(entry), *groups(entry)}


def _package(entry: EntryPoint) -> str:
    return entry.file.rpartition("/")[0] + "/"


def _reader(
    evidence: Evidence,
    owner: Mapping[str, str],
    services: list[str],
    company: Mapping[str, Counter[str]],
    readers: Counter[str],
    placed: Mapping[str, str],
    entry: EntryPoint,
) -> str:
    scores: dict[str, float] = {}
    read = [table for table in sorted(evidence.reads[entry.name]) if table in owner]
    itself = {access.table for access in entry.reads if access.path[-1:] == (entry.handler,)}
    for table in read:
        weight = (_ITSELF if table in itself else 1) / log2(2 + readers[table])
        scores[owner[table]] = scores.get(owner[table], 0.0) + weight
    total = sum(scores.values())
    for service in scores:
        scores[service] /= total
    shares = _share_of_company(company, entry)
    if not read:
        scores = {service: share for service, share in shares.items() if share > _MAJORITY}
    for service, share in shares.items() if read else ():
        scores[service] = scores.get(service, 0.0) + _SIBLING_SHARE * share
    if not scores:
        sizes = Counter(placed.values())
        return min(services, key=lambda service: (-sizes[service], service))
    return min(services, key=lambda service: (-round(scores.get(service, 0.0), 9), service))
