"""Which team owns the code of which table: as CODEOWNERS says, else who changed it most."""

from __future__ import annotations

from pathlib import Path

from migrator.facts.codeowners import read_code_owners
from migrator.plan.evidence import Evidence


def team_of_tables(evidence: Evidence) -> tuple[dict[str, str], str]:
    """Table to team, and where that is known from; an empty mapping, and why nothing is known.

    The file that counts is the one that declares the table.
    """
    program = evidence.program
    if not program.root or not Path(program.root).is_dir():
        return {}, "the folder of the code is not there to look for CODEOWNERS or git"
    root = Path(program.root)
    owners = read_code_owners(root)
    teams = {
        name: found[0]
        for name, table in sorted(program.tables.items())
        if (found := owners.of(table.file))
    }
    if teams:
        return teams, owners.file
    history = evidence.history
    if history.missing:
        return {}, f"there is no CODEOWNERS, and {history.missing}"
    for name, table in sorted(program.tables.items()):
        counts = history.authors(table.file)
        if counts:
            teams[name] = min(counts, key=lambda author: (-counts[author], author))
    if len(set(teams.values())) < 2:
        return {}, "there is no CODEOWNERS, and one author wrote all tables"
    return teams, "authors in git"
