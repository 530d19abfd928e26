"""What `migrator record` says of a monolith that fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from migrator.cli.main import main

SETTINGS = """
[tool.migrator.run]
application = "mill:app"
install = ["flask", "sqlalchemy"]
database = "DATABASE_URL"
"""
MILL = """
import os
import sqlite3
from flask import Flask

with sqlite3.connect(os.environ["DATABASE_URL"].partition("sqlite:///")[2]) as database:
    database.execute("CREATE TABLE IF NOT EXISTS sacks (id INTEGER PRIMARY KEY)")
app = Flask(__name__)

@app.get("/sacks")
def sacks():
    return {"sacks": []}

@app.get("/grind")
def grind():
    raise RuntimeError("the stone is cracked")
"""
ASK = """
import sys, urllib.error, urllib.request
for path in ("/sacks", "/grind?token=0123456789abcdef0123456789abcdef"):
    try:
        urllib.request.urlopen(sys.argv[1] + path).read()
    except urllib.error.HTTPError as error:
        assert error.code == 500
"""


@pytest.fixture
def mill(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "mill.py").write_text(MILL)
    return tmp_path


def record(mill: Path, *options: str, ask: str = ASK) -> object:
    command = ["--", sys.executable, "-c", ask, "{base_url}"]
    with pytest.raises(SystemExit) as ended:
        main(["record", str(mill), "-o", str(mill / "t.jsonl"), *options, *command])
    return ended.value.code


def test_the_log_of_a_monolith_that_fails_in_an_answer(
    mill: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert record(mill) == 0
    told = capfd.readouterr().err
    assert "2 requests" in told
    assert "1 of them failed in the application:\n  500 GET /grind" in told
    assert "0123456789abcdef" not in told.partition("its log ends")[0]
    assert "RuntimeError: the stone is cracked" in told
    assert "stone is cracked" in (mill / ".migrator/record/logs/web.log").read_text()

    (mill / "mill.py").write_text(MILL.replace("raise RuntimeError", "return str"))
    assert record(mill, "--json", ask="pass") == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["failed"], told["log"]) == ([], None)
    assert not (mill / ".migrator/record").exists()


def test_the_log_of_a_monolith_that_does_not_start(
    mill: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (mill / "mill.py").write_text(
        MILL + 'if "gunicorn" in __import__("sys").modules: raise OSError("no grain")\n'
    )
    assert record(mill) == 1
    told = capfd.readouterr().err
    assert "OSError: no grain" in told
    assert str(mill / ".migrator/record/logs/web.log") in told
