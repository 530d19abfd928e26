"""Verify fails loudly when the analysis has missed a write: with table, owner and place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from migrator.cli.main import main
from migrator.facts.settings import load_run, load_settings
from migrator.generation.generate import generate
from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.program import Function
from migrator.model.progress import Silent
from migrator.operation.environment import uv_variables
from migrator.operation.monolith import read_installed, read_schema
from migrator.plan.propose import propose

LENDING = Path(__file__).parents[1] / "assets" / "lending"

pytestmark = pytest.mark.slow


def forget_write(graph: Graph, function: str, table: str) -> None:
    """Take every fact that `function` writes `table` out of a graph."""
    program, replace = graph.program, msgspec.structs.replace
    forgotten = 0

    def without(each: Function) -> Function:
        nonlocal forgotten
        if each.name.partition("[")[0] != function:
            return each
        kept = tuple(e for e in each.events if not (e.kind == "write" and e.target == table))
        forgotten += len(each.events) - len(kept)
        return replace(each, events=kept)

    program.functions = {name: without(each) for name, each in program.functions.items()}
    program.variants = {name: without(each) for name, each in program.variants.items()}
    for name, entry in program.entry_points.items():
        kept = tuple(
            access
            for access in entry.writes
            if access.table != table or access.path[-1].partition("[")[0] != function
        )
        program.entry_points[name] = replace(entry, writes=kept)
    assert forgotten, f"{function} writes no {table}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("left_out") / "app"
    return Path(
        shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    )


@pytest.fixture
def services_without(app: Path, tmp_path: Path) -> Callable[[str, str], Path]:
    """Generates the services from a graph that lacks one write."""

    def make(function: str, table: str) -> Path:
        settings, run, output = load_settings(app), load_run(app), tmp_path / "services"
        graph = build_graph(app, settings, Silent())
        forget_write(graph, function, table)
        generate(
            graph,
            propose(graph),
            settings,
            output,
            schema=read_schema(app, run, Silent()),
            installed=read_installed(app, run, Silent()),
            uv_variables=uv_variables(os.environ),
        )
        return output

    return make


def line_of(file: Path, function: str, text: str) -> int:
    lines = file.read_text().splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(f"def {function}("))
    return next(n for n in range(begin, len(lines)) if text in lines[n]) + 1


@pytest.mark.parametrize(
    ("module", "function", "table", "owner", "written"),
    [
        ("workshop/shelf.py", "put_back", "tool", "bench", True),
        ("toolshed/people.py", "note", "journal", "people", False),
    ],
    ids=["a replica is written", "there is no replica"],
)
def test_a_write_that_the_facts_lack(
    app: Path,
    services_without: Callable[[str, str], Path],
    capsys: pytest.CaptureFixture[str],
    module: str,
    function: str,
    table: str,
    owner: str,
    written: bool,
) -> None:
    name = f"{module.removesuffix('.py').replace('/', '.')}.{function}"
    services = services_without(name, table)
    verify = ["verify", str(app), "--services", str(services), "--quick", "--processes", "1"]
    with pytest.raises(SystemExit) as ended:
        main(verify)
    assert ended.value.code == 1
    said = capsys.readouterr().out
    place = f"{module}:{line_of(app / module, function, 'Session.commit()')}"
    first = said.splitlines()[0]
    assert first.startswith(f"FAIL  1: {place}: loans uses table {table}, which {owner} owns: ")
    assert said.rstrip().endswith("NOT PROVEN")
    proof = json.loads((services / ".migrator" / "proof.json").read_text())
    (trespass,) = proof["comparisons"][0]["trespasses"]
    assert (trespass["written"], trespass["place"]) == (written, place)
    assert trespass["count"] >= 1


def test_a_monolith_that_does_not_start(
    app: Path,
    services_without: Callable[[str, str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    services = services_without("workshop.shelf.put_back", "tool")
    broken = Path(shutil.copytree(app, tmp_path / "app", symlinks=True))
    settings = broken / "pyproject.toml"
    settings.write_text(settings.read_text().replace("desk:app", "desk:nothing"))
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(broken), "--services", str(services), "--quick", "--json"])
    assert ended.value.code == 1
    told = capsys.readouterr()
    (error,) = json.loads(told.out)["errors"]
    assert error["message"].startswith("the monolith: web ended")
    assert f"migrator doctor {broken}" in error["hint"]
    assert "Failed to find attribute 'nothing'" in error["log"]
