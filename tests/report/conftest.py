"""A small real monolith with its plan, its proposals and a proof: what all reports are made of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.facts.settings import load_settings
from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.model.progress import Silent
from migrator.plan.proposals import propose_all
from migrator.proof.comparison import Difference
from migrator.proof.result import Check, Comparison, Proof, Stopped, TestRun
from migrator.proof.trespass import Trespass
from migrator.report.content import Content
from migrator.report.gather import gather

SOURCE = Path(__file__).parents[1] / "assets" / "lending"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    root = tmp_path_factory.mktemp("monolith") / "lending"
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    (root / "toolshed" / "broken.py").write_text("def unfinished(:\n")
    return build_graph(root, load_settings(root), Silent())


@pytest.fixture(scope="session")
def proposals(graph: Graph) -> dict[str, Plan]:
    return {each.name: each.plan for each in propose_all(graph).listed}


@pytest.fixture(scope="session")
def plan(proposals: dict[str, Plan]) -> Plan:
    chosen = next(iter(proposals.values()))
    chosen.application = "lending"
    chosen.services["loans"].purpose = "Owns <b>loans</b> & fees."
    return chosen


def comparison() -> Comparison:
    return Comparison(
        processes=1,
        requests=7,
        equal=6,
        polls=0,
        differences=[
            Difference(request="GET /x", field="status", monolith="200", services="<500>")
        ],
        tests=TestRun(passed=3, total=3),
        broken_tests=[],
        tables=2,
        table_differences=[],
        reordered=[],
        replicas=1,
        replica_differences=[],
        trespasses=[
            Trespass(
                service="loans", table="borrower", owner="people", written=True, place="shop.py:9"
            )
        ],
    )


@pytest.fixture(scope="session")
def proof() -> Proof:
    return Proof(
        application="lending",
        plan_digest="",
        program_digest="",
        monolith_tests=TestRun(passed=3, total=3),
        comparisons=[comparison()],
        checks=[Check(name="own writes are read", passed=True, summary="2000 pairs")],
        stopped=[Stopped(service="loans", routes=5, kept=4, probed=4, as_before=4, unavailable=0)],
    )


@pytest.fixture(scope="session")
def content(graph: Graph, plan: Plan, proof: Proof, proposals: dict[str, Plan]) -> Content:
    return gather(graph, plan, proof, "lending", proposals)


@pytest.fixture(scope="session")
def bare(graph: Graph) -> Content:
    """An analysis alone."""
    return gather(graph, None, None, "lending")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless Chromium: of the machine, or of Playwright; without one the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        path = named or driver.chromium.executable_path
        if not Path(path).exists():
            pytest.skip(
                "no browser on this machine: `apt-get install chromium`, or `playwright install"
                " chromium`, or name one in CHROMIUM"
            )
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()
