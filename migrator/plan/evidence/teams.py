"""Which team owns the code of which table: as CODEOWNERS says, else who changed it most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from migrator.facts.codeowners import read_code_owners
from migrator.plan.evidence.evidence import Evidence


def team_of_tables(evidence: Evidence) -> tuple[dict[str, str], str]:
    """Table to team, and where that is known from; an empty mapping, and why nothing is known.

    The file that counts is the one that declares the table. Where all are declared by one team,
    as in an application with one file of models, it is the code that writes the table.
    """
    program = evidence.program
    if not program.root or not Path(program.root).is_dir():
        return {}, "the folder of the code is not there to look for CODEOWNERS or git"
    root = Path(program.root)
    owners = read_code_owners(root)
    declared = {name: table.file for name, table in sorted(program.tables.items())}
    if any(owners.of(file) for file in declared.values()):

        def owner(file: str) -> str:
            return next(iter(owners.of(file)), "")

        return _of_declared_or_written(evidence, declared, owner), owners.file
    history = evidence.history
    if history.missing:
        return {}, f"there is no CODEOWNERS, and {history.missing}"

    def author(file: str) -> str:
        counts = history.authors(file)
        return min(counts, key=lambda each: (-counts[each], each), default="")

    teams = _of_declared_or_written(evidence, declared, author)
    if len(set(teams.values())) < 2:
        return {}, "there is no CODEOWNERS, and one author wrote all tables"
    return teams, "authors in git"


def _of_declared_or_written(
    evidence: Evidence, declared: Mapping[str, str], team: Callable[[str], str]
) -> dict[str, str]:
    teams = {table: found for table, file in declared.items() if (found := team(file))}
    if len(set(teams.values())) > 1:
        return teams
    votes: dict[str, Counter[str]] = {}
    for function in evidence.program.functions.values():
        written = {e.target for e in function.events if e.kind == "write"} & declared.keys()
        if written and (found := team(function.file)):
            for table in written:
                votes.setdefault(table, Counter())[found] += 1
    writing = {
        table: min(counts, key=lambda each: (-counts[each], each))
        for table, counts in sorted(votes.items())
    }
    return {**teams, **writing}
