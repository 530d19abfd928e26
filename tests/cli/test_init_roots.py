"""`migrator init` where roots, requirements or configuration are not what most have."""

from __future__ import annotations

from pathlib import Path

import pytest
from init_project import project, run

from migrator.facts.settings import load_run


def test_a_script_that_a_package_hides_tells_how_the_factory_is_called(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "from flask import Flask\ndef create_app(name): return Flask(name)\n",
        "shop.py": "from shop import create_app\napp = create_app('live')\napp.run()\n",
    }
    root = project(tmp_path, files)
    run("init", root)
    assert load_run(root).application == "shop:create_app('live')"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"shop/__init__.py": "", "shop.py": "from flask import Flask\napp = Flask('shop')\n"},
            "shop.py makes one, but `import shop` finds the package of that name",
        ),
        (
            {
                "Procfile": "web: gunicorn site.wsgi:application\n",
                "site/wsgi.py": "from django.core.wsgi import get_wsgi_application\n"
                "application = get_wsgi_application()\n",
            },
            "site/wsgi.py: applications of Django are not split yet",
        ),
    ],
)
def test_an_application_that_cannot_be_split(tmp_path: Path, capsys, files, said) -> None:
    root = project(tmp_path, files)
    assert run("init", root) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (root / "pyproject.toml").exists()


def test_a_root_of_modules_below_the_project_is_named(tmp_path: Path, capsys) -> None:
    files = {
        "server/shop/__init__.py": "from flask import Flask\nfrom shop.items import items\n"
        "def create_app():\n    app = Flask('shop')\n    return app\n",
        "server/shop/items.py": "items = []\n",
        "server/requirements.txt": "flask\n",
        "client/build.py": "print(1)\n",
    }
    root = project(tmp_path, files)
    assert run("init", root) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "server.shop:create_app() is imported from the folder server" in told
    assert f"`migrator init {root}/server`" in told
    run("init", root / "server")
    assert load_run(root / "server").application == "shop:create_app()"


def test_what_requirements_say_nothing_of_is_imported_and_utf_16_is_read(tmp_path: Path) -> None:
    app = "from flask import Flask\nimport dns\napp = Flask('shop')\n"
    forms = "from wtforms.validators import Email\n"
    root = project(tmp_path, {"app.py": app, "forms.py": forms, "requirements.txt": "\n"})
    run("init", root)
    assert load_run(root).install == ["dnspython email-validator flask wtforms"]
    (root / "requirements.txt").write_text("flask\npytest\n", encoding="utf-16")
    (root / "test_app.py").write_text("import pytest\n")
    run("init", root, "--force")
    assert load_run(root).install == ["-r requirements.txt"]


def test_the_database_is_that_of_the_configuration_that_is_chosen(tmp_path: Path) -> None:
    config = (
        "import os\nclass Live:\n    SQLALCHEMY_DATABASE_URI = os.environ.get('DATABASE_URL')\n"
        "class Local:\n    SQLALCHEMY_DATABASE_URI = os.environ.get('LOCAL_DATABASE')\n"
    )
    app = (
        "from flask import Flask\nfrom config import Local\ndef create_app():\n"
        "    app = Flask('shop')\n    app.config.from_object(Local)\n    return app\n"
    )
    root = project(tmp_path, {"config.py": config, "shop.py": app})
    run("init", root)
    assert load_run(root).database == "LOCAL_DATABASE"


def test_a_project_that_is_no_package_is_not_installed_itself(tmp_path: Path) -> None:
    stated = "[project]\nname = 'shelf'\nversion = '1'\ndependencies = ['Flask >= 3', 'redis']\n"
    files = {"app.py": "from flask import Flask\napp = Flask('x')\n", "pyproject.toml": stated}
    root = project(tmp_path, files)
    run("init", root)
    assert load_run(root).install == ["'Flask >= 3' redis"]


@pytest.mark.parametrize(
    ("file", "text", "install"),
    [
        ("requirements.txt", "flask\n", "-r ../requirements.txt"),
        ("Pipfile.lock", '{"default": {"flask": {"version": "==3.0.3"}}}', "flask==3.0.3"),
    ],
)
def test_requirements_above_the_root_of_modules(
    tmp_path: Path, file: str, text: str, install: str
) -> None:
    app = "from flask import Flask\napp = Flask('x')\n"
    root = project(tmp_path, {"server/app.py": app, file: text}) / "server"
    run("init", root)
    assert load_run(root).install == [install]
