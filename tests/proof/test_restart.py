"""What a restart alone changes is found by starting the monolith again: no loss of a step."""

from __future__ import annotations

import msgspec
import pytest

from migrator.facts.settings import load_run
from migrator.model.progress import Silent
from migrator.operation.start_state import make_start_state
from migrator.proof.baseline import Baseline, Monolith
from migrator.proof.comparison import Difference
from migrator.proof.exchange import Exchange
from migrator.proof.reading import Reading
from migrator.proof.recording import RecordingProxy, send
from migrator.proof.restart import Restart, counted, restart
from migrator.proof.result import TestRun
from migrator.proof.traffic import Recording

SETTINGS = """
[tool.migrator.run]
application = "gate:app"
install = ["flask", "sqlalchemy"]
database = "DATABASE_URL"
"""
GATE = """
import os
from flask import Flask, request
from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()
engine = create_engine(os.environ["DATABASE_URL"])

class Visit(Base):
    __tablename__ = "visits"
    id = Column(Integer, primary_key=True)

Base.metadata.create_all(engine)
app = Flask(__name__)
revoked = set()

@app.get("/visits")
def visits():
    if request.headers.get("Authorization") in revoked:
        return {"said": "revoked"}, 401
    with Session(engine) as session:
        return {"visits": session.query(Visit).count()}

@app.get("/gone")
def gone():
    return {"gone": len(revoked)}

@app.post("/leave")
def leave():
    revoked.add(request.headers["Authorization"])
    with Session(engine) as session:
        session.add(Visit())
        session.commit()
    return "", 204
"""


class _Visitors:
    """One who stays and one who leaves, with credentials that are others in each run."""

    start_state = None

    def __init__(self) -> None:
        self._runs = 0

    def apart(self) -> _Visitors:
        return self

    again = apart

    def drive(self, side: object, upstream: str, proxy: object) -> tuple[list[Exchange], TestRun]:
        self._runs += 1
        exchanges = asked(f"{self._runs}")
        for each in exchanges:
            send(upstream, each, 10)
        return exchanges, TestRun(passed=1, total=1, failed=[], seconds=0.0)


def asked(run: str) -> list[Exchange]:
    steps = (
        ("POST", "/leave", "leaver"),
        ("GET", "/visits", "leaver"),
        ("GET", "/visits", "stayer"),
        ("GET", "/gone", "stayer"),
    )
    return [
        Exchange(
            ordinal=place,
            place=place,
            method=method,
            target=target,
            request_headers=[("Authorization", who + run)],
            status=200,
        )
        for place, (method, target, who) in enumerate(steps)
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Restart:
    root = tmp_path_factory.mktemp("gate")
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / "gate.py").write_text(GATE)
    run = load_run(root)
    folder = tmp_path_factory.mktemp("proof")
    with RecordingProxy() as proxy:
        monolith = Monolith(root, run, folder, proxy, _Visitors(), Silent())
        baseline = Baseline(
            root=root,
            start_state=make_start_state(root, run, folder / "start"),
            recording=Recording([], TestRun(passed=1, total=1, failed=[], seconds=0.0)),
            tables={},
            noise=set(),
            column_noise=set(),
            files=(),
            day=(),
        )
        return restart(monolith, baseline)


def test_only_what_the_process_held_changes_and_rows_do_not(found: Restart) -> None:
    assert found.changed == {
        ("/visits", ("leaver1",)): ("401", "200"),
        ("/visits", ("leaver2",)): ("401", "200"),
        ("/gone", ("stayer1",)): ("", ""),
        ("/gone", ("stayer2",)): ("", ""),
    }


def explained(found: Restart, *differences: tuple[int, str, str, str]) -> dict[str, int]:
    """What a restart explains of differences in reads of the services, which come of two runs."""
    turns = [asked("7"), asked("8")]
    read = Reading([each for turn in turns for each in turn if each.method == "GET"], set())
    for number, each in enumerate(read.answers):
        read.answers[number] = msgspec.structs.replace(each, ordinal=number, place=number)
    told = [
        Difference(request="", field=field, monolith=old, services=new, ordinal=ordinal)
        for ordinal, field, old, new in differences
    ]
    return counted(read, found.explained(turns, read, told))


def test_a_difference_is_explained_for_the_same_request_with_the_same_status(
    found: Restart,
) -> None:
    revoked = [(0, "status", "401", "200"), (0, "body.said", '"revoked"', "(absent)")]
    assert explained(found, *revoked, (3, "status", "401", "200")) == {"GET /visits": 2}
    assert explained(found, (0, "status", "401", "500")) == {}
    assert explained(found, (1, "body.visits", "2", "1")) == {}
    assert explained(found, (2, "body.gone", "1", "0")) == {"GET /gone": 1}
