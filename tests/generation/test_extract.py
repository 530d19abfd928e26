"""Cutting a service out of a monolith with awkward imports, and starting what came out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from orchard_cut import (
    ENTRIES,
    OFFICE,
    ORCHARD,
    SHOP,
    TREES,
    cut,
    graph,
    text,
)

from migrator.generation.extract import Extraction, extract
from migrator.model.graph import Graph
from migrator.model.plan import Plan, Service
from migrator.model.program import EntryPoint, Function, Program
from migrator.model.registered import Registered
from migrator.model.settings import Run


def write(extraction: Extraction, folder: Path) -> Path:
    for path, content in extraction.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def started(folder: Path) -> dict[str, Any]:
    """What the application in a folder registers when it starts."""
    probe = Path(__file__).with_name("registry_probe.py")
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "DATABASE_URL": "sqlite://",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, str(probe), "serve:app", "orchard"],
        cwd=folder,
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.partition("REGISTRIES")[2]))


@pytest.fixture(scope="module")
def monolith() -> dict[str, Any]:
    return started(ORCHARD)


def test_a_service_that_has_everything_is_the_monolith_byte_for_byte() -> None:
    whole = cut(list(ENTRIES))
    assert whole.problems == []
    assert whole.dropped == []
    for name, file in graph().program.modules.items():
        assert whole.files[file] == (ORCHARD / file).read_bytes(), name


@pytest.mark.parametrize("own", [TREES, SHOP, OFFICE], ids=["trees", "shop", "office"])
def test_a_slice_starts_and_registers_what_the_monolith_did_for_it(
    own: list[str], monolith: dict[str, Any], tmp_path: Path
) -> None:
    extraction = cut(own)
    assert extraction.problems == []
    service = started(write(extraction, tmp_path))
    endpoints = {each.partition(":")[2] for each in own if each.startswith("route")}
    expected = {k: v for k, v in monolith["routes"].items() if k in endpoints | {"static"}}
    assert service["routes"] == expected
    # The hook, error handler and filters that act on every request, from a foreign blueprint too.
    assert service["hooks"]["None"] == ["orchard.shop.views.choose_customer"]
    assert service["errors"] == monolith["errors"]
    assert service["filters"] == monolith["filters"]
    for kind in ("relationships", "deleting"):
        for name, value in service[kind].items():
            assert monolith[kind][name] == value
    assert set(extraction.registry.tables) <= set(service["tables"])
    assert len(extraction.dropped) > 5


def test_a_blueprints_own_hook_stays_with_its_routes() -> None:
    assert "def only_when_open" in text(cut(SHOP), "orchard/shop/views.py")
    assert "def only_when_open" not in text(cut(TREES), "orchard/shop/views.py")


def test_models_that_change_a_kept_model_come_along(tmp_path: Path) -> None:
    # A backref from the shop's orders changes what deleting a tree does, through their foreign
    # key; customers have nothing to do with trees.
    service = started(write(cut(SHOP[1:2]), tmp_path))
    assert service["tables"] == ["harvests", "order_trees", "orders", "trees"]
    assert service["deleting"]["Tree"] == 1


def test_comments_and_formatting_stay() -> None:
    views = text(cut(TREES), "orchard/trees/views.py")
    assert '    return render_template("trees/show.html", tree=tree)\n    # Nothing more' in views
    assert (
        "####################\n# Picking\n####################\n\n\n# A harvest is weighed\n"
        in views
    )
    assert (
        "from flask import Blueprint, abort, jsonify, \\\n    render_template, request\n" in views
    )
    assert "def felled" not in views
    assert "    Harvest,  # what was picked\n    Tree,\n)" in views
    assert "FELLED" not in views


def test_names_are_pruned_from_imports_of_every_form() -> None:
    views = text(cut(OFFICE), "orchard/trees/views.py")
    assert "from flask import Blueprint, abort, \\\n    render_template\n" in views
    assert "from ..extensions import db\n" in views
    assert "from .models import (\n    FELLED,\n    Tree,\n)\n" in views
    assert "TYPE_CHECKING" not in views
    assert "simplejson" not in views
    assert "# Picking" in views
    assert "# Picking" not in text(cut(TREES[:1]), "orchard/trees/views.py")
    extensions = text(cut(["route:trees.pick"]), "orchard/extensions.py")
    assert "sold" not in extensions
    assert "_signals = Namespace(); harvested" in extensions


def test_encodings_line_ends_and_headers_stay() -> None:
    extraction = cut(OFFICE)
    assert (
        extraction.files["orchard/trees/__init__.py"]
        == (ORCHARD / "orchard/trees/__init__.py").read_bytes()
    )
    shop = extraction.files["orchard/shop/views.py"]
    assert shop.count(b"\r\n") == shop.count(b"\n") > 5


def test_all_names_only_what_is_there() -> None:
    filters = text(cut(TREES), "orchard/filters.py")
    assert '__all__ = [\n    "weight",  # used by templates\n]\n' in filters
    assert "colour" not in filters


def test_modules_imported_by_a_computed_name_are_whole() -> None:
    files = cut(TREES).files
    for name in ("pests", "weather"):
        path = f"orchard/sections/{name}.py"
        assert files[path] == (ORCHARD / path).read_bytes()


def test_settings_chosen_by_string_are_whole() -> None:
    assert "class Production" in text(cut(TREES), "orchard/settings.py")


def test_a_foreign_handler_that_is_called_stays_without_its_route() -> None:
    views = text(cut(OFFICE), "orchard/trees/views.py")
    assert "\n\ndef show(id):\n" in views
    assert "@blueprint" not in views


def test_foreign_handlers_and_threads_leave_the_factory() -> None:
    factory = text(cut(TREES), "orchard/factory.py")
    assert "alive" not in factory and "every minute" not in factory
    assert "Thread" not in factory
    assert factory.endswith(
        "register(app)\n\n    from .shop.prices import refresh\n\n    return app\n"
    )


def test_a_registry_filled_by_a_decorator_is_kept_with_what_reads_it() -> None:
    assert "def settle(order)" in text(cut(SHOP), "orchard/shop/views.py")
    assert "HANDLERS" not in text(cut(TREES), "orchard/shop/views.py")


def test_a_receiver_goes_where_its_signal_is_sent() -> None:
    picking = cut(["route:trees.pick"])
    assert "def cheaper" in text(picking, "orchard/shop/prices.py")
    # Nobody sends it here: the office only shows trees, and yet imports the signal.
    assert "orchard.shop.prices.price_of" in picking.dropped


def test_templates_follow_extends_and_imports_and_static_files_are_whole() -> None:
    files = set(cut(TREES).files)
    assert "orchard/templates/trees/show.html" in files
    assert "orchard/templates/trees/_macros.html" in files
    assert "orchard/templates/base.html" in files
    assert "orchard/templates/theme/extra.html" in files, "no code names it: a theme may"
    assert "orchard/templates/office/desk.html" not in files
    assert "orchard/static/orchard.css" in files
    assert "orchard/words/seasons.txt" in files
    assert "orchard/words/migrations/0001_more.sql" in files, "the application runs it itself"
    assert "harvest/.gitkeep" in files, "code may write there"


@pytest.mark.parametrize("named", ["deploy/shop.cfg", "../deploy/shop.cfg"])
def test_files_that_the_environment_names_come_along(tmp_path: Path, named: str) -> None:
    """A configuration beside the code, from the project's folder or from the application's."""
    root = tmp_path / "project"
    shutil.copytree(ORCHARD, root)
    (root / "deploy").mkdir()
    (root / "deploy/shop.cfg").write_text("SECRETS = 'secrets.json'")
    (root / "deploy/secrets.json").write_text("{}")
    (root / "deploy/notes.txt").write_text("nobody names me")
    (tmp_path / "outside.cfg").write_text("")
    environment = {"SETTINGS": named, "MODE": "fast", "NONE": "", "OUT": "../outside.cfg"}
    run = Run(application="orchard.factory:create_app()", environment=environment)
    plan = Plan(services={"own": Service(entry_points=list(ENTRIES))})
    files = extract(graph(root=root), plan, "own", run).files
    assert files["deploy/shop.cfg"] == b"SECRETS = 'secrets.json'"
    assert "deploy/secrets.json" in files
    assert "deploy/notes.txt" not in files
    assert not any("outside" in each for each in files)


def test_files_that_the_running_monolith_read_come_along(tmp_path: Path) -> None:
    """Where no code lies beside them, no template or database is meant, and nothing is hidden."""
    root = tmp_path / "project"
    shutil.copytree(ORCHARD, root)
    names = ["words.json", "data/rates.csv", "clerk/off.csv", ".secret", "kept.db"]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "unread.csv").write_text("")
    (root / "clerk/__init__.py").write_text("")
    plan = Plan(services={"own": Service(entry_points=list(TREES))})
    run = Run(application="orchard.factory:create_app()")
    files = extract(graph(root=root), plan, "own", run, registered=Registered(opened=names)).files
    assert {name for name in [*names, "unread.csv"] if name in files} == {
        "words.json",
        "data/rates.csv",
    }


def test_distributions_are_those_still_imported() -> None:
    assert cut(TREES).distributions == ["blinker", "flask", "flask_sqlalchemy", "simplejson"]
    assert "simplejson" not in cut(OFFICE).distributions


def test_where_each_definition_came_from_is_told() -> None:
    kept = {each.name: each for each in cut(OFFICE).kept}
    tree = kept["orchard.trees.models.Tree"]
    assert (tree.file, tree.line, tree.end_line) == ("orchard/trees/models.py", 10, 15)
    assert not tree.rewritten
    assert kept["orchard.trees.views.show"].rewritten
    assert cut(OFFICE).kept[0].digest == cut(SHOP).kept[0].digest


def test_output_is_the_same_every_time() -> None:
    first, second = cut(SHOP), cut(SHOP)
    assert first.files == second.files
    assert list(first.files) == list(second.files)


HOOKED = """\
from flask import Flask


def configure(app):
    @app.before_request
    def always(): ...

    if app.config["REDIS"]:
        @app.before_request
        def sometimes(): ...


app = Flask(__name__)
configure(app)


@app.get("/")
def view():
    return "x"
"""


def test_hooks_that_a_setting_decides_on_are_expected_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(HOOKED)
    lines = {"configure.always": 6, "configure.sometimes": 10, "view": 18}
    program = Program(
        root=str(tmp_path),
        source_roots=["."],
        modules={"app": "app.py"},
        functions={
            f"app.{name}": Function(name=f"app.{name}", file="app.py", line=line, end_line=line)
            for name, line in lines.items()
        },
        hooks=("app.configure.always", "app.configure.sometimes"),
        entry_points={
            "route:view": EntryPoint(
                name="route:view", kind="route", handler="app.view", file="app.py", line=18
            )
        },
    )
    plan = Plan(services={"own": Service(entry_points=["route:view"])})
    for there in (["app.configure.always"], ["app.configure.always", "app.configure.sometimes"]):
        registered = Registered(
            held=[*there, "app.other"],
            application_wide=[f"before_request {there[-1]}", "errorhandler 404 elsewhere.gone"],
        )
        run = Run(application="app:app")
        found = extract(Graph(program), plan, "own", run, registered=registered).registry
        assert found.hooks == there
        assert found.application_wide == [f"before_request {there[-1]}"]
