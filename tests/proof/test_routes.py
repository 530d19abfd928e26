"""Paths made from routes by the types and names of their parameters."""

import sqlite3

import pytest

from migrator.model.program import Access, Column, EntryPoint, Program, Route, Table
from migrator.proof.routes import paths_of_routes


def table(name, *columns, model=""):
    return Table(name=name, file="m.py", line=1, model=model, columns=columns)


USERS = table(
    "user",
    Column(name="id", type="INTEGER", primary_key=True),
    Column(name="login", attribute="username", type="VARCHAR"),
    model="shop.models.User",
)
ITEMS = table(
    "item",
    Column(name="id", type="INTEGER", primary_key=True),
    Column(name="user_id", type="INTEGER", references="user.id"),
    Column(name="slug", type="VARCHAR"),
    model="shop.models.Item",
)


def paths(database, rule, reads=(), methods=("GET",)):
    entry = EntryPoint(
        name="route:it",
        kind="route",
        handler="m.it",
        file="m.py",
        line=1,
        routes=(Route(rule=rule, methods=methods),),
        reads=tuple(Access(table=name, path=("m.it",), file="m.py", line=1) for name in reads),
    )
    program = Program(
        root=".",
        entry_points={entry.name: entry},
        tables={each.name: each for each in (USERS, ITEMS)},
    )
    return paths_of_routes(program, database)


@pytest.fixture
def database(tmp_path):
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE user (id INTEGER PRIMARY KEY, login TEXT)")
        db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, user_id INTEGER, slug TEXT)")
        db.executemany("INSERT INTO user VALUES (?, ?)", [(7, "ann b"), (8, "bob")])
        db.executemany("INSERT INTO item VALUES (?, ?, ?)", [(n, 7, f"s-{n}") for n in range(1, 6)])
    db.close()
    return file


def test_a_rule_without_parameters_is_asked_once(database):
    assert paths(database, "/about") == ["/about"]


def test_only_what_can_be_got_is_asked(database):
    assert paths(database, "/items/<int:id>", methods=("POST", "DELETE")) == []


def test_a_plain_id_is_the_key_of_a_table_that_the_route_reads(database):
    found = paths(database, "/things/<int:id>", reads=["item"])
    assert found == ["/things/1", "/things/2", "/things/3", "/things/987654321"]


def test_an_id_of_something_is_that_tables_key(database):
    assert "/who/7" in paths(database, "/who/<int:user_id>", reads=["item", "user"])


def test_a_name_is_the_column_that_the_model_calls_so(database):
    found = paths(database, "/people/<username>")
    assert found == ["/people/ann%20b", "/people/bob", "/people/no-such-thing"]


def test_several_parameters_are_changed_one_at_a_time(database):
    found = paths(database, "/u/<username>/i/<string(length=3):slug>", reads=["item"])
    assert "/u/ann%20b/i/s-1" in found
    assert "/u/bob/i/s-1" in found
    assert "/u/ann%20b/i/no-such-thing" in found
    assert "/u/bob/i/s-2" not in found


def test_what_no_column_is_called_is_made_up(database):
    assert paths(database, "/day/<float:x>/<path:rest>") == ["/day/9876.5/no/such/thing"]
