"""The URL map of an application that runs beside the routes that analysis found.

    python benchmarks/url_maps.py PROJECT PYTHON MODULE:EXPRESSION

PYTHON is the interpreter of an environment with the application's requirements; MODULE:EXPRESSION
gives the application there (`shop.app:create_app("testing")`), run in PROJECT with the environment
as it is. PROJECT was analysed before. Prints rules and endpoints in both, missing and extra, and
the first of those that differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from migrator.graph.store import load

_ASK = """
import importlib, json, os, sys
sys.path.insert(0, os.getcwd())
name, expression = sys.argv[1].split(":", 1)
application = eval(expression, vars(importlib.import_module(name)))
rules = [
    (rule.endpoint, rule.rule, sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}))
    for rule in application.url_map.iter_rules()
    if not rule.build_only
]
print("\\n" + json.dumps(rules))
"""
_SHOWN = 10

Rules = dict[tuple[str, str], set[str]]


def served(root: Path, python: str, application: str) -> Rules:
    """The rules of the running application: endpoint and rule to methods."""
    command = [python, "-c", _ASK, application]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{application} did not start under {python}:\n{done.stderr[-2000:]}")
    found: Rules = {}
    for endpoint, rule, methods in json.loads(done.stdout.splitlines()[-1]):
        found.setdefault((endpoint, rule), set()).update(methods)
    return found


def predicted(root: Path) -> Rules:
    """The rules that analysis found."""
    found: Rules = {}
    for entry in load(root).program.entry_points.values():
        for route in entry.routes:
            found.setdefault((entry.endpoint, route.rule), set()).update(route.methods)
    return found


def main() -> None:
    """Compare and print."""
    root = Path(sys.argv[1])
    true, ours = served(root, sys.argv[2], sys.argv[3]), predicted(root)
    both = set(true) & set(ours)
    equal = sum(true[each] == ours[each] for each in both)
    endpoints = {endpoint for endpoint, _ in true}
    known = endpoints & {endpoint for endpoint, _ in ours}
    print(
        f"rules {len(both)} of {len(true)} ({equal} with equal methods), {len(set(ours) - both)}"
        f" more; endpoints {len(known)} of {len(endpoints)}"
    )
    for title, keys in (("missing", set(true) - both), ("more", set(ours) - both)):
        for endpoint, rule in sorted(keys)[:_SHOWN]:
            print(f"  {title}: {rule} ({endpoint})")


if __name__ == "__main__":
    main()
