"""The variables that `migrator init` finds the application to read."""

from __future__ import annotations

from pathlib import Path

from init_project import guesses, project, run

from migrator.facts.settings import load_run


def test_a_loop_that_reads_a_variable_for_each_setting_names_the_database(
    tmp_path: Path, capsys
) -> None:
    app = (
        "import os\nfrom flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\n"
        "app = Flask(__name__)\n"
        "app.config.update(SQLALCHEMY_DATABASE_URI='sqlite:///:memory:')\n"
        "for key in app.config:\n    if key in os.environ:\n"
        "        app.config[key] = os.environ[key]\n"
        "db = SQLAlchemy(app)\n"
    )
    root = project(tmp_path, {"mill.py": app})
    found = guesses(root, capsys)["database"]
    assert found["value"] == "SQLALCHEMY_DATABASE_URI" and found["sure"]
    project(tmp_path, {"mill.py": app.replace("os.environ[key]", "os.environ['HOME']")})
    assert not guesses(root, capsys)["database"]["sure"]


def test_what_an_object_calls_its_env_is_no_variable(tmp_path: Path) -> None:
    app = (
        "from environs import Env\nfrom flask import Flask\nenv = Env()\napp = Flask(__name__)\n"
        "class Parser:\n    def page(self):\n        return self.env.get('PAGE_URL')\n"
        "ADDRESS = env.str('MAIL_HOST')\n"
    )
    root = project(tmp_path, {"mill.py": app})
    run("init", root)
    found = load_run(Path(root)).environment
    assert "MAIL_HOST" in found and "PAGE_URL" not in found
