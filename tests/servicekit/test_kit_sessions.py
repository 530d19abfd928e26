"""Served calls in applications that make a session where they need it, and keep none."""

from __future__ import annotations

import pytest
from two_services import Service

PROGRAM = """
import os, time
from sqlalchemy import Column, Integer, create_engine, text
from sqlalchemy.orm import Session, declarative_base, sessionmaker
from servicekit import scope, sessions, sqlalchemy as database, transaction
transaction.install()
database.install()
class Order(declarative_base()):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    total = Column(Integer)
engine = create_engine(os.environ["DATABASE_URL"])
elsewhere = create_engine("sqlite://")
{make}
def commit_one(total):
    with {own} as session:
        session.add(Order(total=total))
        session.commit()
def call(key, work, keep):
    with scope.unit(scope.Scope(key)):
        session = sessions.current() or sessions.make(transaction.is_own)
        transaction.take_over(session)
        open_call = transaction.begin(key, 2)
        session.connection()
        work(session)
        for each in sessions.working():
            each.flush()
        open_call.begin()
        open_call.commit() if keep else open_call.roll_back()
        transaction.finish()
        sessions.discard()
call("kept", lambda session: commit_one(1), True)
call("undone", lambda session: commit_one(2), False)
def change_and_commit_another(session):
    session.query(Order).first().total = 3
    commit_one(4)
call("entity", change_and_commit_another, True)
with engine.connect() as connection:
    print(*[row[0] for row in connection.execute(text("SELECT total FROM orders ORDER BY total"))])
"""


@pytest.mark.parametrize(
    ("make", "own"),
    [
        ("NewSession = sessionmaker(bind=engine)", "NewSession()"),
        ("NewSession = sessionmaker(bind=elsewhere)", "Session(engine)"),
        ("", "Session(engine)"),
    ],
)
def test_what_it_commits_itself_is_part_of_the_call(service: Service, make: str, own: str) -> None:
    done = service.run("-c", PROGRAM.format(make=make, own=own))
    assert done.stdout == "3 4\n", done.stderr
