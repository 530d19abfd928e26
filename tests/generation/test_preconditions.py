"""What starting the application writes of tables is told where a service has not got them."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.generation.preconditions import missing_at_start
from migrator.graph.build import build_graph
from migrator.model.plan import Plan, Replica, Service
from migrator.model.progress import Silent
from migrator.model.settings import Run, Settings
from migrator.plan.resolve import resolve

SHOP = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class Role(db.Model):
    id = db.Column(db.Integer, primary_key=True)
class Order(db.Model):
    id = db.Column(db.Integer, primary_key=True)
def defaults():
    if not Role.query.first():
        db.session.add(Role())
    db.session.commit()
def make():
    app = Flask(__name__)
    db.init_app(app)
    with app.app_context():
        db.create_all()
        CALLED
    return app
"""

STARTED = Settings(run=Run(application="shop:make()"))


@pytest.mark.parametrize(
    ("called", "replicas", "told"),
    [
        ("pass", (), False),
        ("defaults()", (), True),
        ("defaults()", ("role",), False),
    ],
)
def test_what_is_written_at_the_start(
    tmp_path: Path, called: str, replicas: tuple[str, ...], told: bool
) -> None:
    (tmp_path / "shop.py").write_text(SHOP.replace("CALLED", called))
    program = build_graph(tmp_path, STARTED, Silent()).program
    copies = {each: Replica(owner="people") for each in replicas}
    plan = Plan(
        services={
            "people": Service(tables=["role"]),
            "selling": Service(tables=["order"], replicas=copies),
        }
    )
    found = list(missing_at_start(program, plan))
    assert [each.partition(" ")[0] for each in found] == ["selling"] * told
    assert all("shop.make (shop.py:" in each and "writes role" in each for each in found)


@pytest.mark.parametrize(("called", "copied"), [("pass", []), ("defaults()", ["role"])])
def test_what_is_read_at_the_start_is_copied_to_every_service(
    tmp_path: Path, called: str, copied: list[str]
) -> None:
    (tmp_path / "shop.py").write_text(SHOP.replace("CALLED", called))
    graph = build_graph(tmp_path, STARTED, Silent())
    people = Service(tables=["role"], entry_points=["route:static"])
    plan = Plan(services={"people": people, "selling": Service(tables=["order"])})
    found = resolve(graph, plan)
    assert sorted(found.services["selling"].replicas) == copied
    assert found.services["people"].replicas == {}
    assert list(missing_at_start(graph.program, found)) == []
