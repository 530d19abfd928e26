"""Stores by evidence: types, keys and what the code does with rows, never by a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.facts.settings import Settings
from migrator.graph.build import build_graph
from migrator.model.plan import Datastore
from migrator.model.progress import Silent
from migrator.plan.evidence.evidence import gather
from migrator.plan.propose import propose

APP = """
from datetime import datetime, timedelta

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

db = SQLAlchemy()


class Apple(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String)
    about = db.Column(db.Text)
    facts = db.Column(db.JSON)
    photo = db.Column(db.LargeBinary)
    parent_id = db.Column(db.ForeignKey("apple.id"))


class Pear(db.Model):
    code = db.Column(db.String, primary_key=True)
    good_until = db.Column(db.DateTime)
    content = db.Column(db.String)


class Plum(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    picked_at = db.Column(db.DateTime)
    weight = db.Column(db.Integer)


class Fig(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    ripe = db.Column(db.Boolean)
    apple_id = db.Column(db.ForeignKey("apple.id"))


app = Flask(__name__)
db.init_app(app)


@app.get("/apples")
def apples():
    found = Apple.query.filter(Apple.about.ilike("%" + request.args["q"] + "%"))
    return {"apples": [apple.name for apple in found]}


@app.post("/apples")
def add():
    apple = Apple(name="a")
    db.session.add(apple)
    db.session.add(Fig(apple_id=1))
    db.session.commit()
    return ""


@app.post("/figs")
def ripen():
    for fig in Fig.query.filter(Fig.ripe == False):
        fig.ripe = True
    db.session.commit()
    return ""


@app.get("/pears/<code>")
def pear(code):
    found = db.session.get(Pear, code)
    return found.content


@app.post("/pears")
def put():
    db.session.add(Pear(code="x", good_until=datetime.now() + timedelta(1)))
    Pear.query.filter(Pear.good_until < datetime.now()).delete()
    db.session.commit()
    return ""


@app.post("/plums")
def weigh():
    db.session.add(Plum(picked_at=datetime.now(), weight=3))
    db.session.commit()
    return ""


@app.get("/plums")
def weights():
    newest = db.session.scalars(select(Plum).order_by(Plum.picked_at.desc()))
    return {"weights": [plum.weight for plum in newest]}
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Datastore]:
    root: Path = tmp_path_factory.mktemp("orchard")
    (root / "fruit.py").write_text(APP)
    graph = build_graph(root, Settings(), Silent())
    plan = propose(graph)
    return {table: s.datastore for s in plan.services.values() for table in s.tables}


def advised(stores: dict[str, Datastore], table: str) -> set[str]:
    return {each.kind for each in stores[table].advice if table in each.tables}


def test_each_kind_is_found_by_its_evidence(stores: dict[str, Datastore]) -> None:
    assert advised(stores, "apple") == {"document", "object", "search", "graph"}
    assert advised(stores, "pear") == {"key-value"}
    assert advised(stores, "plum") == {"log"}
    assert advised(stores, "fig") == set()


def test_advice_says_why_and_where(stores: dict[str, Datastore]) -> None:
    (search,) = [each for each in stores["apple"].advice if each.kind == "search"]
    assert search.because.startswith("apple.about is searched by LIKE")
    line = next(n for n, text in enumerate(APP.splitlines(), 1) if "ilike" in text)
    assert search.at == [f"fruit.py:{line}"]
    assert search.status == "advice"


def test_what_is_generated_stays_relational_and_says_why(stores: dict[str, Datastore]) -> None:
    for store in stores.values():
        assert (store.engine, store.kind, store.status) == ("sqlite", "relational", "generated")
        assert store.because
    assert "1 commit of several of its tables" in stores["apple"].because


def test_names_do_not_matter(tmp_path: Path) -> None:
    text = APP.replace("Plum", "Settings").replace("plum", "settings").replace("Pear", "Log")
    (tmp_path / "fruit.py").write_text(text.replace("pear", "log"))
    graph = build_graph(tmp_path, Settings(), Silent())
    usage = gather(graph.program).usage.tables
    assert set(usage["settings"].operations) == {"insert"}
    found = {
        t: {a.kind for a in s.datastore.advice if t in a.tables}
        for s in propose(graph).services.values()
        for t in s.tables
    }
    assert found["settings"] == {"log"} and found["log"] == {"key-value"}
