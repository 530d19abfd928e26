"""Maturity of services: what tests reach, types, complexity, churn."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from migrator.facts.codeowners import read_code_owners
from migrator.facts.history import read_history
from migrator.facts.inspection import inspect_file
from migrator.facts.settings import Settings
from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.progress import Silent
from migrator.plan.evidence.evidence import gather
from migrator.plan.findings.kinds import MATURITY
from migrator.plan.findings.maturity import maturity_of
from migrator.plan.partition.constraints import Constraints
from migrator.plan.proposals import propose_all
from migrator.plan.propose import propose_with_consequences

TANGLED = "".join(f"    if number == {n}:\n        number += {n}\n" for n in range(40))

APP = {
    "fruit/__init__.py": "",
    "fruit/models.py": """
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Apple(db.Model):
    id = db.Column(db.Integer, primary_key=True)


class Pear(db.Model):
    id = db.Column(db.Integer, primary_key=True)
""",
    "fruit/app.py": """
from flask import Flask

from fruit.apples import apples
from fruit.models import db
from fruit.pears import pears

app = Flask(__name__)
db.init_app(app)
app.register_blueprint(apples)
app.register_blueprint(pears)
""",
    "fruit/apples.py": """
from flask import Blueprint

from fruit.models import Apple, db

apples = Blueprint("apples", __name__)


@apples.get("/apples/<int:number>")
def show(number: int) -> str:
    return str(db.session.get(Apple, number).id)


@apples.post("/apples")
def add() -> str:
    db.session.add(Apple())
    db.session.commit()
    return ""
"""
    + "\n\ndef weigh(number: int) -> int:\n"
    + "    number += 1\n" * 40
    + "    return number\n",
    "fruit/pears.py": f"""
from flask import Blueprint

from fruit.apples import weigh
from fruit.models import Pear, db

pears = Blueprint("pears", __name__)


def tangle(number):
{TANGLED}
    return number


@pears.post("/pears")
def add():
    db.session.add(Pear(id=tangle(3)))
    db.session.commit()
    return str(weigh(3))


@pears.cli.command("drop")
def drop():
    db.session.query(Pear).delete()
    db.session.commit()
""",
    "tests/test_fruit.py": """
from fruit.apples import weigh


def test_apples(client, base):
    client.post("/apples")
    client.get(f"{base}/apples/{1}?deep=yes")
    client.get("/pears")
    assert weigh(1) == 41
""",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fruit")
    for name, text in APP.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def graph(root: Path) -> Graph:
    return build_graph(root, Settings(), Silent())


def test_tests_reach_entry_points_by_url_and_functions_by_call(graph: Graph) -> None:
    assert graph.program.tests == ["tests/test_fruit.py"]
    tested = gather(graph.program).tests
    assert tested.entry_points == {"route:apples.add", "route:apples.show"}
    assert tested.called == {"fruit.apples.weigh"}
    assert "fruit.pears.tangle" not in tested.functions


def test_services_are_measured_side_by_side(graph: Graph) -> None:
    wanted = Constraints(owners={"apple": "apples", "pear": "pears"})
    plan, consequences = propose_with_consequences(graph, wanted)
    measured = maturity_of(gather(graph.program), plan, consequences)
    assert measured["apples"].tested == 1.0
    assert measured["apples"].typed == 1.0
    assert measured["apples"].untested_entry_points == ()
    # Routes before commands, though a sorted plan has them after.
    assert plan.services["pears"].entry_points[0] == "command:drop"
    assert measured["pears"].untested_entry_points == ("route:pears.add", "command:drop")
    assert measured["pears"].most_complex == "fruit.pears.tangle (41)"
    assert "run route:pears.add and command:drop beside the old" in plan.services["pears"].maturity
    assert measured["pears"].recent_commits is None
    (found,) = [f for f in plan.findings if f.kind == MATURITY]
    assert found.subject == "pears"
    assert found.message.startswith("fruit/pears.py (") and "fruit/apples.py (" in found.message


def test_what_a_file_tells(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "def f(a: int, b=1, *c) -> int:\n    return a and b or [x for x in c if x]\n"
    )
    (only,) = inspect_file(tmp_path / "m.py").functions
    assert (only.complexity, only.annotated, only.annotatable) == (4, 2, 4)
    (tmp_path / "broken.py").write_text("def f(:\n")
    assert inspect_file(tmp_path / "broken.py").functions == ()


def test_history_and_owners(root: Path, graph: Graph) -> None:
    assert read_history(root).missing
    assert "no CODEOWNERS" in propose_all(graph).left_out["by-team"]
    (root / "CODEOWNERS").write_text("* @fruit/core\n/fruit/models.py @fruit/data\n")
    try:
        owners = read_code_owners(root)
        assert owners.of("fruit/apples.py") == ("@fruit/core",)
        assert owners.of("fruit/models.py") == ("@fruit/data",)
        assert propose_all(graph).left_out["by-team"] == "one team has all tables (CODEOWNERS)"
        (root / "CODEOWNERS").write_text("* @fruit/core\n/fruit/pears.py @fruit/juice\n")
        by_team = propose_all(graph)["by-team"].plan
        assert {n: s.tables for n, s in by_team.services.items()} == {
            "core": ["apple"],
            "juice": ["pear"],
        }
    finally:
        (root / "CODEOWNERS").unlink()
    git = ["git", "-C", str(root), "-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
    for command in (["init", "-q"], ["add", "fruit"], ["commit", "-q", "-m", "fruit"]):
        subprocess.run([*git, *command], check=True)
    history = read_history(root)
    assert (history.missing, len(history.commits)) == ("", 1)
    assert history.authors("fruit/models.py") == {"Eve": 1}
