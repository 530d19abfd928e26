"""The commands that `migrator init` finds: what makes tables, and what fills them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from init_project import guesses, project, run

from migrator.facts.settings import load_run

OWN_PROGRAM = """
import click
from flask.cli import FlaskGroup
from mill import create_app
@click.group(cls=FlaskGroup, create_app=create_app)
def mill():
    pass
@mill.command()
def upgrade():
    alembic.upgrade()
@mill.command("populate")
def fill():
    pass
"""


def test_a_group_of_its_own_is_run_as_a_program(tmp_path: Path, capsys) -> None:
    app = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
    root = project(tmp_path, {"mill/__init__.py": app, "mill/cli.py": OWN_PROGRAM})
    run("init", root, "--json", "--print")
    found = json.loads(capsys.readouterr().out)
    start = "python -c 'from mill.cli import mill; mill()'"
    assert found["migrate"]["value"] == f"{start} upgrade"
    assert found["seed"]["value"] == f"{start} populate"
    added = OWN_PROGRAM + "app.cli.add_command(mill)\n"
    project(tmp_path, {"mill/cli.py": added})
    run("init", root, "--json", "--print")
    assert json.loads(capsys.readouterr().out)["migrate"]["value"] == "flask mill upgrade"


def test_commands_of_flask_script_are_the_script_s_own(tmp_path: Path, capsys) -> None:
    app = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
    manage = (
        "from flask_script import Manager\nfrom mill import create_app, db\n"
        "manager = Manager(create_app)\n@manager.command\ndef createdb():\n    db.create_all()\n"
        "if __name__ == '__main__':\n    manager.run()\n"
    )
    root = project(tmp_path, {"mill/__init__.py": app, "manage.py": manage})
    assert guesses(root, capsys)["migrate"]["value"] == "python manage.py createdb"


def test_migrations_that_only_a_script_knows_are_run_by_it(tmp_path: Path, capsys) -> None:
    app = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
    manage = (
        "from flask_script import Manager\nfrom flask_migrate import Migrate, MigrateCommand\n"
        "from mill import create_app, db\nmanager = Manager(create_app)\nMigrate(app, db)\n"
        "manager.add_command('db', MigrateCommand)\n"
    )
    files = {"mill/__init__.py": app, "manage.py": manage, "migrations/env.py": ""}
    root = project(tmp_path, {**files, "migrations/versions/1_first.py": ""})
    assert guesses(root, capsys)["migrate"]["value"] == "python manage.py db upgrade"
    project(root, {"mill/base.py": "from flask_migrate import Migrate\nmigrate = Migrate()\n"})
    assert guesses(root, capsys)["migrate"]["value"] == "flask db upgrade"


def test_commands_of_a_group_of_flask_are_the_script_s_own(tmp_path: Path, capsys) -> None:
    script = (
        "from flask.cli import FlaskGroup\nfrom mill import create_app\n"
        "cli = FlaskGroup(create_app=create_app)\n@cli.command()\ndef seed_db():\n    pass\n"
        "if __name__ == '__main__':\n    cli()\n"
    )
    app = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
    root = project(tmp_path, {"mill.py": app, "manage.py": script})
    run("init", root)
    capsys.readouterr()
    assert load_run(root).seed == "python manage.py seed-db"


def test_tables_made_inside_an_application_context(tmp_path: Path, capsys) -> None:
    app = (
        "from flask import Flask, current_app\nfrom flask_sqlalchemy import SQLAlchemy\n"
        "db = SQLAlchemy()\ndef create_app():\n    return Flask(__name__)\n"
        "def fill():\n    current_app.logger.info('now')\n    db.create_all()\n"
    )
    found = guesses(project(tmp_path, {"mill.py": app}), capsys)["migrate"]["value"]
    line = "from mill import create_app; from mill import fill; create_app().app_context().push();"
    assert found == f"python -c '{line} fill()'"


@pytest.mark.parametrize(
    ("function", "within"),
    [
        ("def fill():\n    db.create_all()\n", True),
        ("def fill():\n    with create_app().app_context():\n        db.create_all()\n", False),
        ("def fill():\n    Base.metadata.create_all(engine)\n", False),
    ],
)
def test_tables_of_flask_sqlalchemy_are_made_in_a_context(
    tmp_path: Path, capsys, function: str, within: bool
) -> None:
    app = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
    tables = f"from mill.app import create_app\nfrom mill.db import db, Base, engine\n{function}"
    files = {"mill/__init__.py": "", "mill/app.py": app, "mill/tables.py": tables}
    found = guesses(project(tmp_path, files), capsys)["migrate"]["value"]
    assert found.endswith("fill()'")
    assert ("app_context().push()" in found) is within


def test_a_view_that_is_called_like_a_test_is_none(tmp_path: Path, capsys) -> None:
    files = {
        "app.py": "from flask import Flask\nfrom views import mail_test\napp = Flask(__name__)\n",
        "views/__init__.py": "",
        "views/mail_test.py": "from flask import render_template\n",
    }
    assert "there are no tests" in guesses(project(tmp_path, files), capsys)["test"]["because"]
    project(tmp_path, {"views/page_test.py": "from app import app\n"})
    assert "page_test.py runs" in guesses(tmp_path, capsys)["test"]["because"]


def test_a_command_that_says_that_it_fills_the_database(tmp_path: Path, capsys) -> None:
    app = (
        "from flask import Flask\napp = Flask(__name__)\n"
        "@app.cli.command()\ndef report():\n    'Counts the data.'\n"
        "@app.cli.command()\ndef forge():\n    '''Generate fake data.\n\n    And more.'''\n"
    )
    root = project(tmp_path, {"mill.py": app})
    assert guesses(root, capsys)["seed"]["value"] == "flask forge"
    named = "@app.cli.command('seed-all', help='All.')\ndef fill():\n    pass\n"
    project(tmp_path, {"mill.py": app + named})
    assert guesses(root, capsys)["seed"]["value"] == "flask seed-all"


def test_a_command_that_must_be_told_more_makes_no_schema(tmp_path: Path, capsys) -> None:
    app = (
        "import click\nfrom flask import Flask\nfrom flask.cli import AppGroup\n"
        "app = Flask(__name__)\nusers = AppGroup('user')\n"
        "@users.command('create')\n@click.argument('email')\ndef create(email):\n    pass\n"
        "with app.app_context():\n    db.create_all()\n"
    )
    root = project(tmp_path, {"mill.py": app})
    assert "user create" not in guesses(root, capsys)["migrate"]["value"]
    project(tmp_path, {"mill.py": app.replace("('email')", "('name', required=False)")})
    assert guesses(root, capsys)["migrate"]["value"] == "flask user create"
