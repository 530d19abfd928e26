from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from init_project import guesses, project, run

from migrator.facts.settings import load_run

LENDING = Path(__file__).parents[1] / "assets/lending"


def test_the_guess_for_a_real_application_is_what_people_wrote(tmp_path: Path) -> None:
    root = tmp_path / "lending"
    shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator"))
    written = load_run(root)
    head = (root / "pyproject.toml").read_text().partition("[tool.migrator.run]")[0]
    (root / "pyproject.toml").write_text(head)
    assert run("init", root) == 0
    assert (root / "pyproject.toml").read_text().startswith(head.rstrip())
    guessed = load_run(root)
    for key in ("application", "install", "database", "migrate", "seed", "test", "base_url"):
        assert getattr(guessed, key) == getattr(written, key), key


def test_what_is_written_is_never_overwritten_unasked(tmp_path: Path, capsys) -> None:
    text = (
        "# mine\n[project]\nname = 'x'  # ours\n\n[tool.migrator.run]\napplication = 'a:b'\n\n"
        "[tool.migrator.run.environment]\nA = '1'\n\n[tool.other]\nkey = 1 # kept\n"
    )
    app = "from flask import Flask\napp = Flask(__name__)\n"
    root = project(tmp_path, {"pyproject.toml": text, "wsgi.py": app})
    assert run("init", root) == 2
    assert (root / "pyproject.toml").read_text() == text
    told = capsys.readouterr().err
    assert "pyproject.toml:5" in told
    assert "--force" in told

    run("init", root, "--force")
    after = (root / "pyproject.toml").read_text()
    assert after.startswith("# mine\n[project]\nname = 'x'  # ours\n")
    assert "key = 1 # kept" in after
    assert tomllib.loads(after)["tool"]["other"] == {"key": 1}
    assert load_run(root).application == "wsgi:app"
    assert load_run(root).environment == {}


FACTORY = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from config import configurations
db = SQLAlchemy()
def create_app(config_name):
    app = Flask(__name__)
    app.config.from_object(configurations[config_name])
    return app
"""
CONFIG = """
import os
HERE = os.path.dirname(__file__)
class Config:
    KEY = os.environ["SIGNING_KEY"]
    UPLOADS = os.environ.get("UPLOAD_FOLDER", HERE)
    SITE = os.getenv("SITE_URL")
class Development(Config):
    SQLALCHEMY_DATABASE_URI = os.environ.get("DEV_DB") or "sqlite:///dev.db"
class Production(Config):
    SQLALCHEMY_DATABASE_URI = os.environ.get("PROD_DB")
class Testing(Config):
    SQLALCHEMY_DATABASE_URI = os.environ.get("TEST_DB")
configurations = {"default": Development, "production": Production}
"""


@pytest.mark.parametrize(
    ("stated", "sure", "because"),
    [
        ('[project]\nrequires-python = ">=3.8"\n', True, "allows it: >=3.8"),
        ('[tool.poetry.dependencies]\npython = "^3.9"\n', True, "allows it: ^3.9"),
        ('[project]\nrequires-python = ">=3.99"\n', False, "no such interpreter runs here"),
    ],
)
def test_the_interpreter_is_one_that_pyproject_allows(
    tmp_path: Path, capsys, stated: str, sure: bool, because: str
) -> None:
    root = project(
        tmp_path,
        {"app.py": "from flask import Flask\napp = Flask(__name__)\n", "pyproject.toml": stated},
    )
    found = guesses(root, capsys)["python"]
    assert because in found["because"], found
    assert found["sure"] is sure


def test_factories_configurations_and_surroundings(tmp_path: Path, capsys) -> None:
    root = project(
        tmp_path,
        {
            "shop/__init__.py": FACTORY,
            "config.py": CONFIG,
            "serve.py": "import os\nfrom shop import create_app\n"
            "site = create_app(os.getenv('MODE') or 'default')\n",
            "migrations/env.py": "",
            "migrations/versions/1.py": "import flask_migrate\n",
            "setup_cli.py": "from flask_migrate import Migrate\n",
            "requirements/prod.txt": "flask\n",
            "requirements/dev.txt": "-r prod.txt\nblack\n",
            "tests/test_http.py": "import os, requests, pytest\nU = os.environ['SHOP_URL']\n",
            "Procfile": "web: gunicorn -b 0.0.0.0:80 serve:site\nclock: python clock.py\n"
            "jobs: celery -A shop worker\n",
        },
    )
    found = guesses(root, capsys)
    value = {name: each.get("value") for name, each in found.items()}
    assert value["application"] == "serve:site"
    assert found["application"]["because"] == "Procfile:1 starts it"
    assert value["database"] == "DEV_DB"
    assert value["install"] == ["-r requirements/dev.txt", "pytest requests"]
    assert value["migrate"] == "flask db upgrade"
    assert value["test"] == "python -m pytest -q tests"
    assert value["base_url"] == "SHOP_URL"
    environment = {name: each["value"] for name, each in found["environment"].items()}
    assert environment == {
        "FLASK_APP": "serve:site",
        "SIGNING_KEY": "not-a-secret-in-tests" + "." * 43,
        "SITE_URL": "{base_url}",
        "UPLOAD_FOLDER": "{data}/upload",
    }
    assert found["processes"]["clock"]["sure"] is True
    assert "celery needs a broker" in found["processes"]["jobs"]["because"]


def test_a_factory_without_parameters_and_a_command_that_makes_tables(tmp_path, capsys) -> None:
    root = project(
        tmp_path,
        {
            "src/depot/web.py": "import flask\nclass Site(flask.Flask):\n    pass\n"
            "def make(name='x'):\n    return Site(name)\n",
            "src/depot/__init__.py": "",
            "src/depot/tables.py": "import os\nfrom sqlalchemy import create_engine\n"
            "URL = os.environ['DEPOT']\nengine = create_engine(URL)\n",
            "src/depot/commands.py": "from flask.cli import AppGroup\ngroup = AppGroup('store')\n"
            "@group.command('create-tables')\ndef create():\n    Base.metadata.create_all(engine)\n"
            "@group.command()\ndef load_demo():\n    pass\n",
        },
    )
    found = guesses(root, capsys)
    assert found["application"]["value"] == "depot.web:make()"
    assert found["database"]["value"] == "DEPOT"
    assert found["migrate"]["value"] == "flask store create-tables"
    assert found["seed"]["value"] == "flask store load-demo"


@pytest.mark.parametrize(
    ("body", "application"),
    [
        ("    app.secret_key = 'x'\n    return app\n", "shelf:create_app()"),
        ("    app = object()\n    return app\n", "shelf:app"),
        ("    return None\n", "shelf:app"),
    ],
)
def test_a_factory_that_completes_the_application_of_its_module(
    tmp_path: Path, body: str, application: str
) -> None:
    """The package is imported, not the script of the same name beside it."""
    package = f"from flask import Flask\napp = Flask(__name__)\ndef create_app():\n{body}"
    script = "from shelf import create_app\nif __name__ == '__main__':\n    create_app().run()\n"
    root = project(tmp_path, {"shelf.py": script, "shelf/__init__.py": package})
    run("init", root)
    assert load_run(root).application == application


def test_a_script_that_completes_the_application_of_another_module(tmp_path: Path) -> None:
    """The module that makes it has no views: the script that runs it imports them."""
    files = {
        "settings/server.py": "from flask import Flask\napplication = Flask('shelf')\n",
        "views/shelf.py": "from settings.server import application\n"
        "@application.route('/')\ndef index(): return ''\n",
        "run.py": "from settings.server import application\nimport views.shelf\n"
        "if __name__ == '__main__':\n    application.run()\n",
    }
    root = project(tmp_path, files)
    run("init", root)
    assert load_run(root).application == "run:application"
    (root / "run.py").write_text(files["run.py"].replace("import views.shelf\n", ""))
    run("init", root, "--force")
    assert load_run(root).application == "views.shelf:application"


UV_LOCK = """
[[package]]
name = "shelf"
source = { editable = "." }
dependencies = [{ name = "flask" }]
[[package]]
name = "flask"
version = "3.0.3"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "click" }, { name = "tzdata", marker = "sys_platform == 'win32'" }]
[[package]]
name = "click"
version = "8.1.7"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "tzdata"
version = "2024.1"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "ruff"
version = "0.5.0"
source = { registry = "https://pypi.org/simple" }
"""
POETRY_LOCK = """
[[package]]
name = "flask"
version = "3.0.3"
[package.dependencies]
click = ">=8"
colorama = {version = "*", markers = "sys_platform == 'win32'"}
[[package]]
name = "click"
version = "8.1.7"
[[package]]
name = "colorama"
version = "0.4.6"
"""


@pytest.mark.parametrize(("lock", "text"), [("uv.lock", UV_LOCK), ("poetry.lock", POETRY_LOCK)])
def test_the_versions_of_a_lock_file_are_installed(tmp_path: Path, lock: str, text: str) -> None:
    """Of what the project depends on; not of tools, nor of what another system needs."""
    stated = "[project]\nname = 'shelf'\nversion = '1'\ndependencies = ['Flask>=3']\n"
    stated += "[build-system]\nrequires = ['hatchling']\n"
    files = {"app.py": "from flask import Flask\napp = Flask('x')\n", lock: text}
    root = project(tmp_path, {**files, "pyproject.toml": stated})
    run("init", root)
    assert load_run(root).install == [".", "click==8.1.7 flask==3.0.3"]


def test_an_application_in_a_folder_below_is_named(tmp_path: Path, capsys) -> None:
    files = {
        "server/wsgi.py": "from shop import create_app\napp = create_app()\n",
        "server/shop.py": "from base import Flask\ndef create_app(): return Flask('shop')\n",
        "server/base.py": "from flask import Flask\n",
        "tools/clean.py": "print(1)\n",
    }
    root = project(tmp_path, files)
    assert run("init", root) == 2
    assert f"`migrator init {root}/server` finds one" in " ".join(capsys.readouterr().err.split())
    run("init", root / "server")
    assert load_run(root / "server").application == "wsgi:app"


def test_what_is_missing_is_said_with_its_place(tmp_path: Path, capsys) -> None:
    root = project(
        tmp_path,
        {
            "app.py": "from flask import Flask\nfrom sqlalchemy import create_engine\n"
            "app = Flask(__name__)\nengine = create_engine('postgresql://db/shop')\n",
            "test_app.py": "from app import app\n",
        },
    )
    assert run("init", root) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "look at database: no variable names the database yet: app.py:4" in told
    assert "look at test: test_app.py runs the application inside the test" in told
    assert "# LOOK HERE: no variable names" in (root / "pyproject.toml").read_text()


FIXED = """
import os
here = os.path.dirname(__file__)
class Base:
    TRACK = False
class Development(Base):
    SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.path.join(here, "data-dev.db")
class Testing(Base):
    SQLALCHEMY_DATABASE_URI = "sqlite:///:memory:"
class Production(Base):
    SQLALCHEMY_DATABASE_URI = os.getenv("STORE_URL", "sqlite:///data.db")
kinds = {"development": Development, "testing": Testing, "production": Production}
"""
CHOOSING = """
import os
from flask import Flask
from settings import kinds
def create_app(kind=None):
    app = Flask(__name__)
    app.config.from_object(kinds[kind or os.getenv("FLASK_CONFIG", "development")])
    return app
"""


@pytest.mark.parametrize(
    ("files", "database"),
    [
        ({"settings.py": FIXED, "web.py": CHOOSING}, "sqlite:///data-dev.db"),
        (
            {
                "settings.py": FIXED,
                "web.py": CHOOSING,
                "wsgi.py": "from web import create_app\napp = create_app('production')\n",
                "Procfile": "web: gunicorn wsgi:app\n",
            },
            "STORE_URL",
        ),
        (
            {
                "app.py": "from flask import Flask\napp = Flask(__name__)\n"
                "app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///blog.sqlite3'\n"
            },
            "sqlite:///blog.sqlite3",
        ),
        (
            {
                "app.py": "import os\nfrom flask import Flask\nfrom sqlalchemy.engine import URL\n"
                "app = Flask(__name__)\nstore = os.getenv('STORE', '.')\n"
                "DB_URL = URL.create(os.getenv('DB_DRIVER', 'sqlite'), host=os.getenv('DB_HOST'),\n"
                "    database=os.getenv('DB_NAME', store + '/shelf.db'))\n"
                "app.config['SQLALCHEMY_DATABASE_URI'] = DB_URL\n"
            },
            "sqlite:///shelf.db",
        ),
    ],
    ids=["the configuration by default", "the one that is started", "no configuration", "parts"],
)
def test_a_database_file_that_the_code_names(tmp_path, capsys, files, database) -> None:
    found = guesses(project(tmp_path, files), capsys)["database"]
    assert (found["value"], found["sure"]) == (database, True)


def test_a_variable_that_only_tests_read_is_no_guess(tmp_path: Path, capsys) -> None:
    files = {
        "app.py": "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "class TestingConfig:\n    SQLALCHEMY_DATABASE_URI = os.getenv('TESTING_DATABASE_URL')\n"
    }
    found = guesses(project(tmp_path, files), capsys)["database"]
    assert (found["value"], found["sure"]) == ("DATABASE_URL", False)


def test_wrong_folders(tmp_path: Path, capsys) -> None:
    assert run("init", tmp_path / "nowhere") == 2
    assert run("init", tmp_path) == 2
    assert "no Python file" in capsys.readouterr().err
    project(tmp_path, {"tool.py": "print('hello')\n", "broken.py": "def (\n"})
    assert run("init", tmp_path) == 2
    assert "no Flask application was found" in capsys.readouterr().err
    project(tmp_path, {"api.py": "import connexion\napp = connexion.App(__name__)\n"})
    assert run("init", tmp_path) == 2
    said = capsys.readouterr().err
    assert "api.py: applications of Connexion are not split yet" in said
    assert "app.add_url_rule" in said
    assert not (tmp_path / "pyproject.toml").exists()
    project(tmp_path, {"app.py": "import flask\napp = flask.Flask('x')\n", "pyproject.toml": "[a"})
    assert run("init", tmp_path) == 2
    assert "is not valid TOML" in capsys.readouterr().err
    assert (tmp_path / "pyproject.toml").read_text() == "[a"


def test_a_key_for_sessions_without_a_default_is_given_one(tmp_path: Path, capsys) -> None:
    app = (
        "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "class Config:\n    SECRET_KEY = os.environ.get('SECRET_KEY')\n"
        "    JWT_SECRET_KEY = os.environ.get('JWT_SECRET_KEY', 'known')\n"
    )
    root = project(tmp_path, {"mill.py": app})
    run("init", root)
    capsys.readouterr()
    assert set(load_run(root).environment) == {"SECRET_KEY"}


@pytest.mark.parametrize(
    ("files", "told", "by"),
    [
        ({".env.example": "SETTINGS=mill.config.Local\n"}, "mill.config.Local", ".env.example"),
        (
            {"compose.yml": "services:\n  web:\n    environment:\n      SETTINGS: mill.config\n"},
            "mill.config",
            "compose.yml",
        ),
        ({"README.md": "SETTINGS=mill.config.Gone or SETTINGS=elsewhere.Local\n"}, None, ""),
    ],
)
def test_settings_that_a_variable_names_are_those_that_a_file_sets_it_to(
    tmp_path: Path, capsys, files: dict[str, str], told: str | None, by: str
) -> None:
    app = (
        "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "app.config.from_object(os.getenv('SETTINGS'))\n"
    )
    own = {"mill/__init__.py": app, "mill/config.py": "class Local:\n    DEBUG = False\n"}
    guessed = guesses(project(tmp_path, {**own, **files}), capsys)
    found = guessed.get("environment", {}).get("SETTINGS")
    assert (found and found["value"]) == told
    assert found is None or found["because"] == f"{by} sets it"


def test_the_fields_of_pydantic_s_settings_are_variables(tmp_path: Path, capsys) -> None:
    settings = (
        "from typing import ClassVar\nfrom pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n"
        "    kinds: ClassVar[int] = 1\n"
        "    pages: int = 10\n"
        "    mail_host: str\n"
        "    SQLALCHEMY_DATABASE_URI: str\n"
        "    model_config = dict(env_prefix='mill_')\n"
    )
    app = "from flask import Flask\napp = Flask(__name__)\n"
    root = project(tmp_path, {"mill.py": app, "settings.py": settings})
    run("init", root)
    capsys.readouterr()
    found = load_run(root)
    assert found.database == "MILL_SQLALCHEMY_DATABASE_URI"
    assert found.environment == {"MILL_MAIL_HOST": "localhost"}


def test_a_variable_that_names_a_file_of_settings_is_not_given_a_folder(
    tmp_path: Path, capsys
) -> None:
    app = (
        "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "kept = os.environ.get('MILL_DATA_PATH')\n"
        "read = os.environ.get('MILL_SETTINGS_FILE_PATH')\n"
        "elsewhere = os.environ.get('USE_CLOUD_STORAGE')\n"
    )
    root = project(tmp_path, {"mill.py": app})
    run("init", root)
    capsys.readouterr()
    assert set(load_run(root).environment) == {"MILL_DATA_PATH"}


def test_a_script_that_works_with_an_application_is_not_what_is_served(tmp_path: Path) -> None:
    """Beside a package of its name a script `shelf.py` cannot be imported."""
    files = {
        "shelf/__init__.py": "from flask import Flask\ndef create_app():\n"
        "    app = Flask(__name__)\n    return app\n",
        "shelf.py": "from shelf import create_app\napp = create_app()\n",
        "expire.py": "from shelf import create_app\napp = create_app()\n"
        "def work():\n    print(app)\nif __name__ == '__main__':\n    work()\n",
    }
    root = project(tmp_path, files)
    run("init", root)
    assert load_run(root).application == "shelf:create_app()"
    for name, told in (
        ("shelf/__init__.py", "create_app(a, b)"),
        ("expire.py", "create_app(__name__, __file__)"),
    ):
        (root / name).write_text(files[name].replace("create_app()", told))
    run("init", root, "--force")
    assert load_run(root).application == "expire:app"
    made = "from shelf import create_app\napp = create_app(1, 2)\n"
    project(root, {"clean.py": f"{made}with app.app_context():\n    print(1)\n", "entry.py": made})
    run("init", root, "--force")
    assert load_run(root).application == "entry:app"


def test_an_interpreter_of_pyenv_is_found_where_it_is_kept(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    kept = tmp_path / "pyenv" / "versions" / "3.14.7" / "bin" / "python3.14"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\necho 14\n")
    kept.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", "/nowhere")
    stated = '[project]\nrequires-python = ">=3.14"\n'
    app = "from flask import Flask\napp = Flask(__name__)\n"
    root = project(tmp_path, {"mill.py": app, "pyproject.toml": stated})
    assert guesses(root, capsys)["python"]["value"] == str(kept)


def test_for_pins_of_a_python_that_services_do_not_run_on_the_oldest_that_does_is_taken(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    for minor in (7, 9, 12):
        kept = tmp_path / f"pyenv/versions/{minor}/bin/python3.{minor}"
        kept.parent.mkdir(parents=True)
        kept.write_text(f"#!/bin/sh\necho {minor}\n")
        kept.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", "/nowhere")
    app = "from flask import Flask\napp = Flask(__name__)\n"
    root = project(tmp_path, {"mill.py": app, "Dockerfile": "FROM python:3.6-slim\n"})
    found = guesses(root, capsys)["python"]
    assert found["value"].endswith("versions/9/bin/python3.9")
    assert found["because"].startswith("Dockerfile asks for python3.6") and not found["sure"]


def test_a_folder_of_which_nothing_can_be_imported_is_no_monolith(tmp_path: Path, capsys) -> None:
    root = project(tmp_path, {"tool.py": "x = 1\n", "data/__init__.py": ""})
    assert run("init", root) == 2
    assert "no Flask application was found" in capsys.readouterr().err


def test_without_requirements_what_is_imported_is_installed(tmp_path: Path, capsys) -> None:
    """Under the name of the distribution, and to be looked at; tests name what they need."""
    files = {
        "app.py": "import os, yaml\nfrom flask import Flask\nfrom shop import pages\n"
        "from flask_login import LoginManager\napp = Flask(__name__)\n",
        "shop/pages.py": "from PIL.Image import open\nfrom . import texts\n",
        "tests/test_pages.py": "import pytest, selenium\n",
    }
    found = guesses(project(tmp_path, files), capsys)["install"]
    assert found["value"] == ["flask flask-login pillow pyyaml", "pytest"]
    assert "no requirements were found" in found["because"]
    run("init", tmp_path)
    assert "# LOOK HERE: no requirements were found" in (tmp_path / "pyproject.toml").read_text()
