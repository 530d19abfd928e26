"""What people see when something is wrong: place, next step, exit code, and nothing lost."""

from __future__ import annotations

import errno
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from migrator.cli.main import VERBS, main, program
from migrator.operation.process import hold

LENDING = Path(__file__).parents[1] / "assets" / "lending"
PLAN = "migrator.plan.yaml"
UNSUPPORTED = {
    "Django": {
        "shop/__init__.py": "",
        "shop/models.py": "from django.db import models\nclass Order(models.Model):\n    pass\n",
        "shop/urls.py": "from django.urls import path\nurlpatterns = [path('pay', print)]\n",
    },
    "FastAPI": {
        "shop.py": """
from fastapi import FastAPI
from sqlalchemy import Column, Integer
from sqlalchemy.orm import DeclarativeBase
class Base(DeclarativeBase): pass
class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
app = FastAPI()
@app.post("/orders")
def make():
    return {}
"""
    },
    "Connexion": {
        "shop.py": """
import connexion
app = connexion.App(__name__, specification_dir="api")
app.add_api("openapi.yml")
"""
    },
    "Peewee": {
        "shop.py": """
import peewee
from flask import Flask
class Order(peewee.Model):
    pass
app = Flask(__name__)
@app.post("/orders")
def make():
    Order.create()
    return {}
"""
    },
}


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planned") / "app"
    shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    assert run("propose", root) == 0
    return root


@pytest.fixture
def app(planned: Path, tmp_path: Path) -> Path:
    """A monolith with its graph and its plan, to spoil."""
    return Path(shutil.copytree(planned, tmp_path / "app"))


def edit(app: Path, old: str, new: str) -> int:
    """Change the plan; the line (from 1 on) of the first change."""
    before = (app / PLAN).read_text()
    assert old in before
    (app / PLAN).write_text(before.replace(old, new, 1))
    return before[: before.index(old)].count("\n") + 1


def refused(
    capsys: pytest.CaptureFixture[str], code: int, said: str, *arguments: object
) -> dict[str, str]:
    """Runs a verb that has to fail: plainly with `said` on stderr, then with one error as JSON."""
    capsys.readouterr()
    assert run(*arguments) == code
    plain = capsys.readouterr()
    assert plain.out == "" and said in plain.err and "next: " in plain.err
    assert "Traceback" not in plain.err
    assert run(*arguments, "--json") == code
    (error, *_) = json.loads(capsys.readouterr().out)["errors"]
    assert error["hint"]
    return error


@pytest.mark.parametrize("verb", ["init", "analyze", "list", "propose"])
def test_a_folder_without_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    error = refused(capsys, 2, f"error: {tmp_path}: there is no Python file\n", verb, tmp_path)
    assert error["place"] == str(tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_file_that_does_not_parse(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "workshop" / "broken.py").write_text("x = 1\ndef (:\n")
    for verb in ("analyze", "check", "propose --force"):
        assert run(*verb.split(), app) == 0
        said = capsys.readouterr().err
        assert "skipped workshop/broken.py:2: does not parse" in said, verb
        assert "`exclude` in [tool.migrator]" in said


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_a_plan_with_an_unknown_table(
    app: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    line = edit(app, "      - loan\n", "      - lown\n")
    into = ("-o", app.parent / "services") if verb == "generate" else ()
    said = f"error: {PLAN}:{line}: the code has no table lown\n  next: did you mean loan?\n"
    error = refused(capsys, 2, said, verb, app, *into)
    assert error["place"] == f"{PLAN}:{line}"
    assert not (app.parent / "services").exists()


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_a_table_with_two_owners(app: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    line = edit(app, "      - loan\n", "      - loan\n      - tool\n") + 1
    into = ("-o", app.parent / "services") if verb == "generate" else ()
    said = f"{PLAN}:{line}: the table tool stands twice: in bench and loans\n  next: take one"
    refused(capsys, 2, said, verb, app, *into)
    assert not (app.parent / "services").exists()


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_a_table_without_owner(app: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    edit(app, "      - loan\n", "")
    into = ("-o", app.parent / "services") if verb == "generate" else ()
    error = refused(capsys, 2, "no service owns the table loan\n  next: add", verb, app, *into)
    assert error["place"].startswith(f"{PLAN}:")
    assert not (app.parent / "services").exists()


def test_a_plan_that_is_no_yaml(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(app, "services:", "services: [")
    error = refused(capsys, 2, "not valid YAML", "check", app)
    assert "migrator check" in error["hint"] and ":" in error["place"]


def test_a_stale_plan(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = app / "toolshed" / "loans.py"
    text = code.read_text()
    code.write_text(text.replace("fee.paid = True", "fee.paid = fee.loan.returned = True"))
    output = app.parent / "services"
    error = refused(capsys, 2, "the plan is stale: ", "generate", app, "-o", output)
    assert "pay" in error["message"] and error["place"] == PLAN
    assert "migrator check" in error["hint"]
    assert not output.exists()


def test_an_output_of_somebody_else(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = app.parent / "services"
    output.mkdir()
    (output / "mine.txt").write_text("keep")
    refused(capsys, 2, f"{output} is not empty", "generate", app, "-o", output)
    assert [each.name for each in output.iterdir()] == ["mine.txt"]
    refused(capsys, 2, "is a file", "generate", app, "-o", output / "mine.txt")
    refused(capsys, 2, "lies inside the monolith", "generate", app, "-o", app / "services")
    assert not (app / "services").exists()
    assert run("report", app, "-o", output / "mine.txt") == 2
    assert "mine.txt: is a file\n  next: " in capsys.readouterr().err
    assert (output / "mine.txt").read_text() == "keep"


def test_a_plan_that_is_there(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (app / PLAN).read_text()
    refused(capsys, 2, "there is a plan already", "propose", app)
    refused(capsys, 2, "is a folder", "propose", app, "-o", app)
    assert (app / PLAN).read_text() == before
    assert run("propose", app, "-o", app.parent / "plans" / "other.yaml") == 0


def test_a_monolith_that_does_not_start(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = app / "pyproject.toml"
    settings.write_text(settings.read_text().replace("desk:app", "desk:nothing"))
    assert run("doctor", app) == 1
    told = capsys.readouterr()
    assert "toolshed.desk:nothing cannot be imported" in told.out
    assert "no attribute 'nothing'" in told.out and "next: " in told.out
    assert run("doctor", app, "--json") == 1
    assert json.loads(capsys.readouterr().out)["healthy"] is False


@pytest.mark.parametrize("verb", ["up", "verify"])
def test_no_generated_services(app: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    arguments = (app.parent,) if verb == "up" else (app, "--services", app.parent)
    error = refused(capsys, 2, f"{app.parent}: there are no generated", verb, *arguments)
    assert "migrator generate" in error["hint"]


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("verify.lock", "another `migrator verify` runs on"),
        ("processes.json.lock", "is in use by another run of migrator"),
    ],
)
def test_a_second_proof_at_a_time(
    app: Path, capsys: pytest.CaptureFixture[str], lock: str, told: str
) -> None:
    """It ends before it touches what the first one works on."""
    begun = app / ".migrator/verify/begun"
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    with hold(app / ".migrator" / lock, ""):
        assert run("verify", app, "--services", app) == 1
    assert told in capsys.readouterr().err
    assert begun.exists()


def test_an_application_without_tests_is_recorded(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is started, and with what to do instead."""
    settings = (app / "pyproject.toml").read_text()
    lines = [line for line in settings.splitlines() if not line.startswith("test =")]
    (app / "pyproject.toml").write_text("\n".join(lines))
    error = refused(capsys, 2, "has no `test`", "verify", app, "--services", app.parent / "none")
    assert "migrator record SOURCE" in error["hint"]


@pytest.mark.parametrize("name", UNSUPPORTED)
@pytest.mark.parametrize("verb", ["propose", "generate"])
def test_a_framework_that_is_not_supported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, name: str
) -> None:
    for file, text in UNSUPPORTED[name].items():
        (tmp_path / "app" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / file).write_text(text)
    into = ("-o", tmp_path / "services") if verb == "generate" else ()
    said = f"applications of {name} are not split yet"
    error = refused(capsys, 1, said, verb, tmp_path / "app", *into)
    assert "Flask" in error["hint"] and "SQLAlchemy" in error["hint"]
    assert (tmp_path / "app" / error["place"]).is_file()
    assert not (tmp_path / "services").exists() and not (tmp_path / "app" / PLAN).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["anlyze"], "error: there is no verb anlyze\n  next: migrator analyze\n"),
        (["generate", "."], "error: missing option '-o' / '--output'\n  next: migrator generate -"),
        (["up", "out", "--port", "0"], "error: invalid value for '--port'"),
        (["list", "--nothing"], "error: no such option"),
        (["explain"], "error: missing argument 'NAME'\n  next: migrator explain --help\n"),
        (["observe", "."], "error: no command to observe was given"),
        (["list", "--writes", "a", "--of", "b"], "are questions of their own"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    refused(capsys, 2, said, *arguments)


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (ZeroDivisionError("division by zero"), 3, "error: ZeroDivisionError: division by zero"),
        (FileNotFoundError(errno.ENOENT, "gone", "x"), 3, "error: FileNotFoundError"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "/x: permission denied"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 2, "/x: no space left on device"),
    ],
)
def test_whose_fault(
    app: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    code: int,
    said: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    (app / ".migrator" / "graph.msgpack").unlink(missing_ok=True)
    monkeypatch.setattr("migrator.cli.analyze.current_summary", fail)
    refused(capsys, code, said, "analyze", app)
    assert run("--debug", "analyze", app) == code
    assert "Traceback" in capsys.readouterr().err


def test_json_of_a_command_that_is_observed_is_not_ours(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("observe", tmp_path, "--", "/nonexistent", "--json", "--debug") == 2
    told = capfd.readouterr()
    assert told.out == "" and "Traceback" not in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        "init --print",
        "analyze",
        "list",
        "list --tables",
        "list --writes loan",
        "propose --force",
        "check",
        "explain loan --source",
        "report",
    ],
)
def test_nothing_but_json_on_stdout(
    app: Path, capfd: pytest.CaptureFixture[str], arguments: str
) -> None:
    assert run(*arguments.split(), app, "--json") in (0, 1)
    json.loads(capfd.readouterr().out)


def test_json_of_observe(app: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("observe", app, "--json", "--", "echo", "hello") == 0
    told = capfd.readouterr()
    assert json.loads(told.out)["exit_code"] == 0 and "hello" in told.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_json_and_an_example(verb: str) -> None:
    command = program.get_command(click.Context(program), verb)
    assert command is not None
    for each in command.commands.values() if isinstance(command, click.Group) else [command]:
        assert_has_json_and_an_example(each, verb)


def assert_has_json_and_an_example(command: click.Command, verb: str) -> None:
    assert {"--json"} <= {option for each in command.params for option in each.opts}
    assert f"Example: migrator {verb}" in (command.help or "")
    silent = [
        each.name for each in command.params if isinstance(each, click.Option) if not each.help
    ]
    assert silent == []


def test_the_terminal_has_its_cursor_after_an_error(app: Path) -> None:
    """Progress is being drawn when the error comes; what hides the cursor has to show it again."""
    (app / ".migrator" / "graph.msgpack").unlink()
    code = (
        "import migrator.cli.analyze as analyze\n"
        "from migrator.cli.main import main\n"
        "def fail(root, settings, progress):\n"
        "    progress.start('Reading files')\n"
        "    raise KeyboardInterrupt\n"
        "analyze.current_summary = fail\n"
        f"main(['analyze', {str(app)!r}])\n"
    )
    outside, inside = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stderr=inside, env=environment, timeout=60, check=False)
    drawn = os.read(outside, 100_000)
    os.close(outside)
    os.close(inside)
    assert done.returncode == 130
    assert 0 <= drawn.rfind(b"\x1b[?25l") < drawn.rfind(b"\x1b[?25h")
    assert b"stopped" in drawn


def test_an_analysis_without_tables_does_not_lead_to_propose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in UNSUPPORTED["Django"].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert run("analyze", tmp_path) == 0
    said = capsys.readouterr().err
    assert "! no table was found" in said and "Flask-SQLAlchemy" in said
    assert said.endswith(f"next: migrator report {tmp_path}\n")


def test_what_is_skipped_for_one_reason_is_one_line(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        (app / f"part{number}").mkdir()
        (app / f"part{number}" / "setup.py").write_text("from setuptools import setup\nsetup()\n")
        (app / f"part{number}" / "code.py").write_text("x = 1\n")
    assert run("analyze", app) == 0
    (line,) = [each for each in capsys.readouterr().err.splitlines() if "! skipped" in each]
    assert line.startswith("! skipped part0, part1, part2 and 3 more: a distribution of its own")


def test_init_says_that_nothing_parses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text("def (:\n")
    said = "error: no Flask application was found in 0 Python files\n"
    error = refused(capsys, 2, said, "init", tmp_path)
    assert error["hint"] == "mend what does not parse: app.py"


@pytest.mark.parametrize("verb", ["check", "explain members --source"])
def test_a_folder_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    nowhere = tmp_path / "nowhere"
    refused(capsys, 2, f"error: {nowhere}: is not a folder\n", *verb.split(), nowhere)
