"""What keeps a crossing from being generated is told by the plan and counted in its score."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.generation.extract import extract
from migrator.graph.build import build_graph
from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Plan, Remedy, Service
from migrator.model.progress import Silent
from migrator.model.settings import Run, Settings
from migrator.plan.consequences.obstacles import obstacles
from migrator.plan.findings.kinds import CUT_KEY, DECISION
from migrator.plan.resolve import resolve
from migrator.plan.score import score

SHOP = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
app = Flask(__name__)
db = SQLAlchemy(app)
class Shelf(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    books = db.Column(db.Integer)
class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    shelf_id = db.Column(db.ForeignKey("shelf.id"ON_DELETE))
class Basket:
    def put(self, book):
        Shelf.query.get(1).books = book
async def later(book):
    Shelf.query.get(1).books = 1
def each(book):
    yield Shelf.query.get(1)
def counted(book):
    Shelf.query.update({"books": 1})
@app.post("/books")
def bought():
    db.session.add(Book())
    counted(1)
    db.session.commit()
    return ""
@app.post("/shelves")
def built():
    db.session.add(Shelf())
    db.session.commit()
    return ""
"""
PRAGMA = """
@event.listens_for(db.engine, "connect")
def connected(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
"""


def shop(root: Path, code: str = "", on_delete: str = "") -> Graph:
    (root / "shop.py").write_text(SHOP.replace("ON_DELETE", on_delete) + code)
    return build_graph(root, Settings(), Silent())


def apart(*calls: Crossing) -> Plan:
    return Plan(
        services={
            "reading": Service(tables=["book"], entry_points=["route:bought"], calls=list(calls)),
            "shelving": Service(tables=["shelf"], entry_points=["route:built", "route:static"]),
        }
    )


def crossing(function: str, remedy: Remedy = "call", unit: str = "function") -> Crossing:
    return Crossing(
        function=f"shop.{function}",
        owner="shelving",
        remedy=remedy,
        unit=unit,  # type: ignore[arg-type]
        tables=["shelf"],
    )


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (crossing("Basket.put"), "a method of Basket, whose instances have no key"),
        (crossing("later"), "asynchronous"),
        (crossing("each"), "a generator"),
        (crossing("counted", "row-write", "rows"), "by a statement (query.update)"),
        (crossing("counted", "saga"), "no code can be made for"),
        (crossing("counted"), ""),
    ],
)
def test_score_and_generation_have_one_list(tmp_path: Path, call: Crossing, why: str) -> None:
    graph, plan = shop(tmp_path), apart(call)
    told = obstacles(graph.program, plan)
    refused = extract(graph, plan, "reading", Run(application="shop:app")).problems
    assert [each.message for each in refused] == [each.message for each in told]
    assert score(plan, graph).automation == (0.0 if why else 1.0)
    assert [why in each.message and bool(each.hint) for each in told] == [True] * bool(why)


def test_a_remedy_that_cannot_be_generated_is_a_decision(tmp_path: Path) -> None:
    graph = shop(tmp_path)
    plan = resolve(graph, apart(crossing("counted", "row-write", "rows")))
    (told,) = (each for each in plan.findings if each.kind == DECISION)
    assert told.message.startswith("no code can be made for it")
    assert "(query.update)" in told.message
    assert score(plan, graph).undecided == 1


@pytest.mark.parametrize(
    ("code", "on_delete", "told"),
    [
        ("", "", ""),
        (PRAGMA, "", "a row of shelf is deleted although it is referred to"),
        (PRAGMA, ', ondelete="CASCADE"', "ON DELETE CASCADE has to be done by the code"),
    ],
)
def test_keys_that_the_database_enforces_are_told_where_they_are_cut(
    tmp_path: Path, code: str, on_delete: str, told: str
) -> None:
    graph = shop(tmp_path, code, on_delete)
    found = [each for each in resolve(graph, apart()).findings if each.kind == CUT_KEY]
    assert [told in each.message for each in found] == [True] * bool(told)
