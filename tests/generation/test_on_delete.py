"""Rows that the database deletes by itself have an owner of their own after the split."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.generation.extract import extract
from migrator.graph.build import build_graph
from migrator.model.errors import Place
from migrator.model.plan import Crossing, Plan, Service
from migrator.model.progress import Silent
from migrator.model.settings import Run, Settings

SHELVES = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
app = Flask(__name__)
db = SQLAlchemy(app)
@event.listens_for(db.engine, "connect")
def connected(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
class Shelf(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    {relationship}
class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    shelf_id = db.Column(db.ForeignKey("shelf.id", ondelete="CASCADE"))
@app.delete("/shelves/<int:key>")
def remove(key):
    db.session.delete(db.session.get(Shelf, key))
    db.session.commit()
    return ""
@app.get("/books")
def books():
    return str(Book.query.all())
"""
CASCADE = 'books = db.relationship("Book", cascade="all, delete"{})'


@pytest.mark.parametrize(
    ("relationship", "pragma", "refused"),
    [
        ("", "PRAGMA foreign_keys=ON", True),
        ("", "PRAGMA foreign_keys=OFF", False),
        (CASCADE.format(""), "PRAGMA foreign_keys=ON", False),
        (CASCADE.format(", passive_deletes=True"), "PRAGMA foreign_keys=ON", True),
    ],
)
def test_what_only_the_database_deletes_is_refused(
    tmp_path: Path, relationship: str, pragma: str, refused: bool
) -> None:
    code = SHELVES.format(relationship=relationship).replace("PRAGMA foreign_keys=ON", pragma)
    (tmp_path / "shop.py").write_text(code)
    graph = build_graph(tmp_path, Settings(), Silent())
    crossing = Crossing(
        function="shop.remove", owner="reading", unit="rows", remedy="row-write", tables=["book"]
    )
    assert "book" in {each.target for each in graph.program.functions["shop.remove"].events}
    plan = Plan(
        services={
            "shelving": Service(tables=["shelf"], entry_points=["route:remove"], calls=[crossing]),
            "reading": Service(tables=["book"], entry_points=["route:books"]),
        }
    )
    problems = extract(graph, plan, "shelving", Run(application="shop:app")).problems
    assert bool(problems) is refused
    for problem in problems:
        assert "book ON DELETE CASCADE; foreign keys are switched on at shop.py:9" in str(problem)
        assert problem.place == Place("shop.py", 18)
