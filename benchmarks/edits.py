"""What share of the commits of real histories an analysis brings up to date without linking.

    python benchmarks/edits.py GIT_DIRECTORY... [--commits 400]

For the last commits that change Python files: those where only lines of code have moved, or tests
have changed, as `migrator.graph.renewal` takes them over; those where nothing but constants differs
beside; and the rest, which is linked from the start. Prints Markdown.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from migrator.facts.moves import moves
from migrator.facts.syntax import parse

KINDS = ("renewed", "constants", "linked")
TEST = re.compile(r"(^|/)(tests?/|test_|conftest\.py|[^/]*_test\.py)")


class _WithoutConstants(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.copy_location(ast.Constant(0), node)


def git(directory: Path, *arguments: str) -> bytes:
    command = ["git", "--git-dir", directory, *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


def kind_of_file(before: bytes, after: bytes) -> str:
    """What one file's change asks of an analysis."""
    if moves(before, after) is not None:
        return "renewed"
    try:
        trees = [ast.dump(_WithoutConstants().visit(parse(each))) for each in (before, after)]
    except (SyntaxError, ValueError, RecursionError):
        return "linked"
    return "constants" if trees[0] == trees[1] else "linked"


def kind_of(directory: Path, commit: str) -> str:
    """What a commit asks of an analysis: the most that any of its files does."""
    found = "renewed"
    changed = git(directory, "diff-tree", "-r", "--no-commit-id", "--name-status", commit)
    for line in changed.decode().splitlines():
        status, _, path = line.partition("\t")
        if not path.endswith(".py") or TEST.search(path):
            continue
        if status != "M":
            return "linked"
        before, after = (
            git(directory, "show", f"{each}:{path}") for each in (f"{commit}^", commit)
        )
        found = max(found, kind_of_file(before, after), key=KINDS.index)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=400)
    options = parser.parse_args()
    print("| commits of | " + " | ".join(KINDS) + " |\n|---|---|---|---|")
    for directory in options.repositories:
        last = ["log", "--no-merges", "-n", str(options.commits), "--format=%H", "--", "*.py"]
        commits = git(directory, *last).decode().split()
        counts = Counter(kind_of(directory, each) for each in commits)
        shares = (f"{counts[kind]} ({counts[kind] / len(commits):.0%})" for kind in KINDS)
        print(f"| {directory.parent.name} | " + " | ".join(shares) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
