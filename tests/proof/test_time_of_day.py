"""What a monolith says differently later on is no difference of the services."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.cli.main import main

SETTINGS = """
[tool.migrator.run]
application = "mill:app"
install = ["flask", "sqlalchemy"]
database = "DATABASE_URL"
test = "python -m unittest test_mill"
"""
MILL = """
import os
from flask import Flask
from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()
engine = create_engine(os.environ["DATABASE_URL"])

class Sack(Base):
    __tablename__ = "sacks"
    id = Column(Integer, primary_key=True)
    weight = Column(Integer)

Base.metadata.create_all(engine)
app = Flask(__name__)

def day():
    with open(os.environ["DAYS"]) as file:
        return len(file.read())

@app.get("/sacks")
def sacks():
    with Session(engine) as session:
        number = session.query(Sack).count()
    return {"sacks": number, "said": "today" if day() <= 2 else "yesterday"WRONG}

@app.post("/sacks")
def fill():
    with Session(engine) as session:
        session.add(Sack(weight=50))
        session.commit()
    return "", 204
"""
TESTS = """
import os, unittest, urllib.request

class Mill(unittest.TestCase):
    def test_sacks(self):
        with open(os.environ["DAYS"], "a") as file:
            file.write(".")
        url = os.environ["BASE_URL"] + "/sacks"
        urllib.request.urlopen(urllib.request.Request(url, b"", method="POST"))
        urllib.request.urlopen(url)
"""


@pytest.mark.parametrize(
    "wrong", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["later", "wrong"]
)
def test_what_the_monolith_says_later_is_noise(
    tmp_path: Path, wrong: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each run of the tests is a day; the services' is the third."""
    root, days = tmp_path / "mill", tmp_path / "days"
    root.mkdir()
    days.write_text("")
    (root / "test_mill.py").write_text(TESTS)
    (root / "mill.py").write_text(MILL.replace("WRONG", ""))
    variables = f'[tool.migrator.run.environment]\nDAYS = "{days}"\n'
    (root / "pyproject.toml").write_text(SETTINGS + variables)
    services = tmp_path / "services"
    for command in (
        ["propose", str(root)],
        ["generate", str(root), "-o", str(services)],
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0, capsys.readouterr().err
    if wrong:
        (copy,) = services.glob("*/src/mill.py")
        copy.write_text(copy.read_text().replace('"sacks": number', '"sacks": number + 1'))
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(root), "--services", str(services), "--quick", "--processes", "1"])
    said = capsys.readouterr()
    assert ended.value.code == int(wrong), said.out + said.err
    assert ("body.sacks" in said.out) is wrong
    assert "body.said" not in said.out
