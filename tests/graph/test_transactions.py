"""Which writes are committed together, on real code and on trees of steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from analysed import program_of

from migrator.graph.effects.transactions import (
    Branch,
    Calls,
    Commit,
    Commits,
    Exit,
    Loop,
    Node,
    RollsBack,
    Try,
    Write,
    summaries,
    transactions,
)
from migrator.model.program import Program

A, B, C = 1, 2, 4
ONE, TWO = Commit("one", "f.py", 1), Commit("two", "f.py", 2)


def closed(*body: Node, **functions: tuple[Node, ...]) -> set[tuple[int, int]]:
    """(mask of tables, line of the commit) of every transaction of a body."""
    known = summaries(functions)
    found = transactions(body, lambda key: known[key], commits_at_end=None)
    return {(mask, place.line) for mask, place in found}


def test_writes_between_commits_are_one_transaction() -> None:
    assert closed(Write(A), Write(B), Commits(ONE), Write(C), Commits(TWO)) == {(A | B, 1), (C, 2)}


def test_what_is_never_committed_is_no_transaction() -> None:
    assert closed(Write(A)) == set()
    assert closed(Write(A), RollsBack(), Write(B), Commits(ONE)) == {(B, 1)}


def test_what_is_pending_at_the_end_is_committed_where_that_is_configured() -> None:
    found = transactions((Write(A),), lambda key: summaries({})[key], commits_at_end=TWO)
    assert found == [(A, TWO)]


def test_arms_that_exclude_each_other_are_not_joined() -> None:
    first = (Write(A), Commits(ONE), Exit("return"))
    assert closed(Branch((first, ())), Write(B), Commits(TWO)) == {(A, 1), (B, 2)}


def test_an_optional_write_joins_what_follows() -> None:
    assert closed(Branch(((Write(A),), ())), Write(B), Commits(ONE)) == {(A | B, 1)}


def test_an_optional_commit_may_leave_writes_pending() -> None:
    assert closed(Write(A), Branch(((Commits(ONE),), ())), Write(B), Commits(TWO)) == {
        (A, 1),
        (A | B, 2),
    }


def test_a_callee_commits_what_its_caller_wrote() -> None:
    assert closed(Write(A), Calls(("f",)), f=(Write(B), Commits(ONE))) == {(A | B, 1)}


def test_what_a_callee_leaves_pending_is_committed_by_its_caller() -> None:
    assert closed(Calls(("f",)), Write(A), Commits(TWO), f=(Write(B), Commits(ONE), Write(C))) == {
        (B, 1),
        (A | C, 2),
    }


def test_recursion_ends() -> None:
    f = (Write(A), Branch(((Calls(("f",)),), ())), Commits(ONE))
    assert closed(Calls(("f",)), f=f) == {(A, 1)}


def test_a_loop_carries_writes_around() -> None:
    body = (Branch(((Commits(ONE),), ())), Write(A))
    assert closed(Write(B), Loop(body), Commits(TWO)) == {(A | B, 1), (A | B, 2)}


def test_a_break_leaves_the_loop_with_what_is_pending() -> None:
    body = (Write(A), Branch(((Exit("break"),), ())), Commits(ONE))
    assert closed(Loop(body), Write(B), Commits(TWO)) == {(A, 1), (A | B, 2)}


def test_a_handler_may_see_any_part_of_the_body_done() -> None:
    attempt = Try((Write(A), Write(B), Commits(ONE)), handlers=((Write(C), Commits(TWO)),))
    assert closed(attempt) == {(A | B, 1), (A | B | C, 2)}


def test_a_handler_that_rolls_back_drops_what_was_written() -> None:
    attempt = Try((Write(A), Commits(ONE)), handlers=((RollsBack(), Write(C), Commits(TWO)),))
    assert closed(attempt) == {(A, 1), (C, 2)}


def test_an_exception_of_a_callee_reaches_the_handler_with_its_writes() -> None:
    attempt = Try((Calls(("f",)),), handlers=((Commits(TWO),),))
    assert closed(attempt, f=(Write(A), Exit("raise"))) == {(A, 2)}


def test_finally_runs_on_every_way_out() -> None:
    attempt = Try((Write(A), Exit("return")), final=(Commits(ONE),))
    assert closed(attempt, Write(B), Commits(TWO)) == {(A, 1)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program_of(
        tmp_path_factory.mktemp("shop"),
        app="""
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy
        app = Flask(__name__, static_folder=None)
        db = SQLAlchemy(app)

        class Item(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        class Order(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        def save(thing, commit=True):
            db.session.add(thing)
            return commit and db.session.commit()

        @app.post("/both")
        def both():
            db.session.add(Item())
            db.session.add(Order())
            db.session.commit()

        @app.post("/apart")
        def apart():
            if request.args:
                db.session.add(Item())
                db.session.commit()
                return ""
            db.session.add(Order())
            db.session.commit()
            return ""

        @app.post("/block")
        def block():
            with db.session.begin():
                db.session.add(Item())
            db.session.add(Order())

        @app.post("/optional")
        def optional():
            save(Item(), commit=False)
            save(Order())

        @app.post("/lost")
        def lost():
            db.session.add(Item())

        @app.post("/failing")
        def failing():
            try:
                db.session.add(Item())
                db.session.commit()
            except ValueError:
                db.session.rollback()
                db.session.add(Order())
                db.session.commit()
                raise
        """,
    )


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("both", [("item", "order")]),
        ("apart", [("item",), ("order",)]),
        ("block", [("item",)]),
        ("optional", [("item", "order")]),
        ("lost", []),
        ("failing", [("item",), ("order",)]),
    ],
)
def test_transactions_of_routes(
    shop: Program, endpoint: str, expected: list[tuple[str, ...]]
) -> None:
    found = shop.entry_points[f"route:{endpoint}"].transactions
    assert [transaction.tables for transaction in found] == expected


def test_a_transaction_tells_where_it_is_committed(shop: Program) -> None:
    (transaction,) = shop.entry_points["route:both"].transactions
    assert (transaction.function, transaction.file) == ("app.both", "app.py")
    source = (Path(shop.root) / "app.py").read_text().splitlines()
    assert source[transaction.line - 1].strip() == "db.session.commit()"


def test_a_block_that_commits_has_the_event_where_it_ends(shop: Program) -> None:
    kinds = [(event.kind, event.via) for event in shop.functions["app.block"].events]
    assert kinds.index(("begin", "")) < kinds.index(("commit", "with"))
    assert kinds[-1] == ("write", "session.add")
