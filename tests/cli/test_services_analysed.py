"""What `migrator` reads in the services that it made: the plan's entry points, and nothing more."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
LENDING = HERE / "assets" / "lending"
EXAMPLE = HERE.parent / "examples" / "monolith_app"
WORD = re.compile(r"\w+")


def migrator(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "migrator", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(LENDING, id="tiny"),
        pytest.param(EXAMPLE, id="example", marks=pytest.mark.slow),
    ],
)
def services(request, tmp_path_factory):
    """The folders of the services that are generated from a fresh proposal."""
    folder = tmp_path_factory.mktemp("services")
    app = folder / "app"
    leftovers = shutil.ignore_patterns(".migrator", "__pycache__", "migrator.plan.yaml")
    shutil.copytree(request.param, app, ignore=leftovers)
    migrator("propose", app)
    migrator("generate", app, "-o", folder / "services")
    found = sorted(each.parent for each in (folder / "services").glob("*/service.json"))
    assert len(found) >= 2
    return found


def test_entry_points_are_the_plans_and_nothing_foreign_is_written(services):
    for service in services:
        manifest = json.loads((service / "service.json").read_text())
        rows = json.loads(migrator("list", service / "src", "--json"))
        routes = {row["entry point"]: row for row in rows if row["entry point"] != "route:static"}
        planned = {route["entry_point"] for route in manifest["routes"].values()}
        assert {each for each in routes if each.startswith("route:")} == planned - {"route:static"}
        # Servicekit's own tables begin with an underscore.
        written = {table for row in routes.values() for table in row["writes"]}
        assert {t for t in written if t[0] != "_" and t != "sqlite_sequence"} <= {
            *manifest["tables"]
        }


def test_no_definition_is_left_that_no_root_reaches(services):
    for service in services:
        assert unreached(service) == []


def unreached(service):
    """Top-level definitions whose names nothing mentions, however indirectly, from the roots.

    Roots are statements that run when a module is loaded, decorated definitions, templates and
    the manifest. Names are compared without their modules, so that what is found is surely dead.
    """
    defined, mentions, reached = {}, {}, []
    for path in sorted((service / "src").rglob("*.py")):
        if "servicekit" in path.relative_to(service).parts:
            continue  # its processes are started by name, and it is the same in each service
        for node in ast.parse(path.read_text()).body:
            words = {word for text in texts(node) for word in WORD.findall(text)}
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.decorator_list:
                defined.setdefault(node.name, []).append(f"{path}:{node.lineno} {node.name}")
                mentions.setdefault(node.name, set()).update(words)
            elif not isinstance(node, (ast.Import, ast.ImportFrom)):
                reached.extend(words)
    for path in [service / "service.json", *(service / "src").rglob("*.html")]:
        reached.extend(WORD.findall(path.read_text()))
    seen = set()
    while reached:
        word = reached.pop()
        if word not in seen:
            seen.add(word)
            reached.extend(mentions.get(word, ()))
    return [place for name, places in defined.items() if name not in seen for place in places]


def texts(node):
    for each in ast.walk(node):
        match each:
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.Constant(value=str(text)):
                yield text
