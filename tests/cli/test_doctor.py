from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrator.cli.main import main
from migrator.operation.diagnosis import STEPS

APPLICATION = """
import os
from flask import Flask, jsonify
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["LEDGER"])
app = Flask(__name__)
nothing = None

@app.post("/lines")
def line():
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO line DEFAULT VALUES"))
    return jsonify(ok=True)

def create():
    create_all(engine)

def create_all(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE line (id INTEGER PRIMARY KEY)"))
"""
TESTS = """
import os, requests
def test_line():
    assert requests.post(os.environ["BASE_URL"] + "/lines").json() == {"ok": True}
"""
SETTINGS = """
[tool.migrator.run]
application = "ledger:app"
install = ["flask==3.1.0 sqlalchemy==2.0.36 gunicorn==23.0.0 pytest==8.3.4 requests==2.32.3"]
database = "LEDGER"
migrate = "python -c 'import ledger; ledger.create()'"
test = "python -m pytest -q"
"""


SIGNED = """
import os
from ledger import app
SIGNING_KEY = os.getenv("SIGNING_KEY")
SIGNER = bytes(SIGNING_KEY, "ascii")
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ledger")
    (root / "ledger.py").write_text(APPLICATION)
    (root / "signed.py").write_text(SIGNED)
    (root / "test_ledger.py").write_text(TESTS)
    return root


def doctor(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict]]:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", str(root), "--json"])
    found = json.loads(capsys.readouterr().out)
    return int(ended.value.code or 0), {each["name"]: each for each in found["checks"]}


def with_settings(root: Path, old: str = "", new: str = "") -> Path:
    assert old in SETTINGS
    (root / "pyproject.toml").write_text(SETTINGS.replace(old, new) if old else SETTINGS)
    return root


def test_a_healthy_monolith(ledger: Path, capsys) -> None:
    code, checks = doctor(with_settings(ledger), capsys)
    assert {name: each["outcome"] for name, each in checks.items()} == dict.fromkeys(
        STEPS,
        "ok",
    ), checks
    assert code == 0
    assert checks["tests"]["message"].startswith("1 passed")


@pytest.mark.parametrize(
    ("old", "new", "step", "message", "hint"),
    [
        (
            "ledger:app",
            "ledgers:app",
            "application",
            "cannot be imported",
            "ledgers is not installed",
        ),
        ("ledger:app", "ledger", "application", "not module:attribute", "shop.wsgi:app"),
        ("ledger:app", "ledger:engine", "application", "cannot be imported", "application"),
        ('"LEDGER"', '"LEGER"', "application", "cannot be imported", "reads LEDGER: set it"),
        (
            "ledger:app",
            "ledger:nothing",
            "application",
            "cannot be imported",
            "ledger:nothing stays None as it is imported here: set the variable",
        ),
        (
            "ledger:app",
            "signed:app",
            "application",
            "cannot be imported",
            "it reads SIGNING_KEY: set this in [tool.migrator.run.environment]",
        ),
        ("ledger.create()", "0", "migrate", "made no table", "LEDGER"),
        (
            "python -c 'import ledger; ledger.create()'",
            "echo alembic upgrade && false",
            "migrate",
            "ended with code 1",
            "another database than SQLite, make the tables from the models instead: migrate ="
            """ "python -c 'from ledger import create; create()'\"""",
        ),
        (
            "python -c 'import ledger; ledger.create()'",
            "echo alembic upgrade: no such table: page && false",
            "migrate",
            "ended with code 1",
            "table page is missing: correct `migrate`; where the migrations were written for",
        ),
        ("-q", "-q -k nothing", "tests", "1 deselected", "output"),
    ],
)
def test_what_is_wrong_is_said(ledger, capsys, old, new, step, message, hint) -> None:
    code, checks = doctor(with_settings(ledger, old, new), capsys)
    assert code == 1
    assert checks[step]["outcome"] == "failed", checks
    assert message in checks[step]["message"]
    assert hint in checks[step]["hint"]
    order = list(checks)
    later = [name for name in order[order.index(step) + 1 :] if name != "tree"]
    assert all(checks[name]["outcome"] == "skipped" for name in later)


def test_a_module_that_git_leaves_out_is_to_be_put_there(ledger: Path, capsys) -> None:
    text = (ledger / "ledger.py").read_text()
    (ledger / ".gitignore").write_text("*.db\n/secrets_here.py\n")
    (ledger / "ledger.py").write_text(f"import secrets_here\n{text}")
    try:
        _, checks = doctor(with_settings(ledger), capsys)
    finally:
        (ledger / "ledger.py").write_text(text)
        (ledger / ".gitignore").unlink()
    assert checks["application"]["hint"].startswith("secrets_here.py is left out of git")


def test_an_empty_database_may_be_why_it_does_not_answer(ledger, capsys) -> None:
    source = ledger / "ledger.py"
    text = source.read_text()
    source.write_text(text + "\n@app.get('/')\ndef first():\n    return None.name\n")
    try:
        code, checks = doctor(with_settings(ledger), capsys)
    finally:
        source.write_text(text)
    assert (code, checks["start"]["outcome"]) == (1, "failed")
    assert "name the command that makes them in `seed`" in checks["start"]["hint"]


def test_an_application_that_breaks_off_is_shown_by_its_log(ledger, capsys) -> None:
    """gunicorn sends nothing where an application lets an OSError out."""
    source = ledger / "ledger.py"
    text = source.read_text()
    leaks = "\napp.config['PROPAGATE_EXCEPTIONS'] = True\n"
    source.write_text(text + leaks + "@app.get('/')\ndef first():\n    open('/nowhere/at/all')\n")
    try:
        _, checks = doctor(with_settings(ledger), capsys)
    finally:
        source.write_text(text)
    assert checks["start"]["message"].endswith("GET / breaks off without an answer")
    assert "/nowhere/at/all" in checks["start"]["log_tail"]


def test_without_http_tests_traffic_can_be_recorded(ledger, capsys) -> None:
    code, checks = doctor(with_settings(ledger, 'test = "python -m pytest -q"', ""), capsys)
    assert (code, checks["tests"]["outcome"]) == (0, "warning")
    assert "migrator record" in checks["tests"]["hint"]


def test_a_failing_test_and_files_in_the_tree(ledger: Path, capsys) -> None:
    source = ledger / "ledger.py"
    text = source.read_text()
    source.write_text(text.replace("ok=True", "ok=False") + "\nopen('seen.log', 'w').close()\n")
    try:
        code, checks = doctor(with_settings(ledger), capsys)
    finally:
        source.write_text(text)
        (ledger / "seen.log").unlink()
    assert code == 1
    assert "test_line" in checks["tests"]["log_tail"]
    assert checks["tree"]["outcome"] == "warning"
    assert "seen.log" in checks["tree"]["message"]


@pytest.mark.parametrize(
    ("settings", "place", "hint"),
    [
        ("[tool.other]\n", "pyproject.toml", "migrator init"),
        ("[tool.migrator.run]\n\napplicaton = 'a:b'\n", "pyproject.toml:3", "known keys"),
        ("[tool.migrator.run]\napplication = 3\n", "pyproject.toml:2", "docs"),
        ("[tool.migrator\n", "pyproject.toml:1", "mend"),
    ],
)
def test_settings_that_cannot_be_read(tmp_path, capsys, settings, place, hint) -> None:
    (tmp_path / "pyproject.toml").write_text(settings)
    code, checks = doctor(tmp_path, capsys)
    assert code == 2
    assert checks["settings"]["outcome"] == "failed"
    assert checks["settings"]["place"] == place
    assert hint in checks["settings"]["hint"]


def test_an_application_without_routes_of_its_own(tmp_path: Path, capsys) -> None:
    """Served is the module that makes it, and what registers routes is imported by another."""
    (tmp_path / "made.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "views.py").write_text(
        "from made import app\n@app.route('/')\ndef index():\n    return ''\n"
    )
    settings = SETTINGS.replace("ledger:app", "made:app").replace(" pytest==8.3.4", "")
    (tmp_path / "pyproject.toml").write_text(settings)
    code, checks = doctor(tmp_path, capsys)
    assert (code, checks["routes"]["outcome"]) == (1, "failed")
    assert "serves no route of the project" in checks["routes"]["message"]
    assert checks["routes"]["hint"].endswith("such as views:app")


MODELS = """
import os
from flask import Flask
from sqlalchemy import Column, Integer, String, create_engine, text
from sqlalchemy.orm import declarative_base

engine = create_engine(os.environ["LEDGER"])
app = Flask(__name__)
Base = declarative_base()

class Line(Base):
    __tablename__ = "line"
    id = Column(Integer, primary_key=True)
    text = Column(String)
    booked = Column("booked_on", String)

class Page(Base):
    __tablename__ = "page"
    id = Column(Integer, primary_key=True)

@app.get("/")
def index():
    return ""

def create():
    with engine.begin() as connection:
        for each in TABLES:
            connection.execute(text(each))

def create_all():
    Base.metadata.create_all(engine)
"""
LINE = "CREATE TABLE LINE (ID INTEGER PRIMARY KEY)"
PAGE = "CREATE TABLE page (id INTEGER PRIMARY KEY)"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ([LINE], "makes the tables page"),
        ([LINE, PAGE], "makes the columns line.text, line.booked_on"),
        ([LINE.replace("KEY", "KEY, text, booked_on"), PAGE], "none"),
    ],
)
def test_what_models_want_and_no_migration_makes_is_told(tmp_path, capsys, made, told) -> None:
    (tmp_path / "ledger.py").write_text(MODELS + f"\nTABLES = {made!r}\n")
    settings = SETTINGS.replace(" pytest==8.3.4 requests==2.32.3", "").replace("pytest -q", "")
    (tmp_path / "pyproject.toml").write_text(settings)
    _, checks = doctor(tmp_path, capsys)
    assert told in checks["seed"]["message"]
    if told != "none":
        assert "from ledger import create_all; create_all()" in checks["seed"]["hint"]
