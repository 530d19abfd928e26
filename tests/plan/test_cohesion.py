"""Tables that everyone writes and classes that do everything are named, with a cut."""

from __future__ import annotations

from pathlib import Path

import msgspec
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.facts.inspection import inspect_file
from migrator.facts.settings import Settings
from migrator.graph.build import build_graph
from migrator.model.program import Column
from migrator.model.progress import Silent
from migrator.plan.findings.cohesion import method_groups
from migrator.plan.findings.kinds import GOD_CLASS, GOD_TABLE
from migrator.plan.partition.constraints import Constraints
from migrator.plan.propose import propose

MODELS = """
class Basket:
    def __init__(self, apples, pears):
        self.apples, self.pears = apples, pears

    def add_apple(self, apple):
        self.apples.append(apple)

    def count_apples(self):
        return len(self.apples)

    def best_apple(self):
        return self.sorted_apples()[0]

    def sorted_apples(self):
        return sorted(self.apples)

    def add_pear(self, pear):
        self.pears.append(pear)

    def count_pears(self):
        return len(self.pears)

    def eat_pear(self):
        return self.pears.pop()

    @staticmethod
    def weigh(fruit):
        return fruit.weight
"""

APP = f"""
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
{MODELS}

class Apple(db.Model):
    id = db.Column(db.Integer, primary_key=True)


class Pear(db.Model):
    id = db.Column(db.Integer, primary_key=True)


app = Flask(__name__)


@app.post("/apples")
def apples():
    basket = Basket([], [])
    basket.add_apple(Apple())
    db.session.add(Apple(id=basket.count_apples()))
    db.session.commit()
    return str(basket.best_apple())


@app.post("/pears")
def pears():
    basket = Basket([], [])
    basket.add_pear(Pear())
    db.session.add(Pear(id=basket.count_pears()))
    db.session.commit()
    return str(basket.eat_pear())
"""


def test_a_table_that_everyone_writes_is_cut_by_columns() -> None:
    graph = sketch(SHOP)
    members = graph.program.tables["members"]
    columns = (*members.columns, Column(name="name"), Column(name="seen_at"))
    graph.program.tables["members"] = msgspec.structs.replace(members, columns=columns)
    (found,) = [f for f in propose(graph).findings if f.kind == GOD_TABLE]
    assert found.subject == "members"
    assert "seen_at by touch for 4 services" in found.message
    assert found.hint.startswith("cut by columns: seen_at into a table of their own")
    assert found.at == f"{members.file}:{members.line}"


def test_a_table_that_one_function_writes_for_all_is_none() -> None:
    assert not [f for f in propose(sketch(SHOP)).findings if f.subject == "letters"]


def test_methods_that_share_nothing_are_groups(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODELS)
    methods = inspect_file(tmp_path / "m.py").functions
    assert method_groups(methods) == [
        ["add_apple", "best_apple", "count_apples", "sorted_apples"],
        ["add_pear", "count_pears", "eat_pear"],
    ]


def test_a_class_that_two_services_keep_is_cut_by_function(tmp_path: Path) -> None:
    (tmp_path / "fruit.py").write_text(APP)
    graph = build_graph(tmp_path, Settings(), Silent())
    split = propose(graph, Constraints(owners={"apple": "apples", "pear": "pears"}))
    (found,) = [f for f in split.findings if f.kind == GOD_CLASS]
    assert found.subject == "fruit.Basket"
    assert "9 methods in 2 groups that share nothing, kept by apples and pears" in found.message
    whole = propose(graph, Constraints(together=(("apple", "pear"),)))
    assert not [f for f in whole.findings if f.kind == GOD_CLASS]
