"""What the application really registers, and what analysis knows of it."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from migrator.generation.templating import template_folder
from migrator.graph.build import build_graph
from migrator.model.progress import Silent
from migrator.model.registered import Registered
from migrator.model.settings import Settings
from migrator.operation import registered

APPLICATION = """
import importlib
from flask import Flask, Blueprint
from flask.views import MethodView

shop = Blueprint("shop", __name__)

@shop.route("/things/<int:number>")
@shop.route("/thing/<int:number>")
def thing(number):
    return str(number)

class Things(MethodView):
    def get(self):
        return "all"

shop.add_url_rule("/things", view_func=Things.as_view("things"))

def make(plug_ins):
    app = Flask(__name__)
    app.register_blueprint(shop)
    for name in plug_ins.split():
        importlib.import_module(name).plug_into(app)
    return app
"""
PLUG_IN = """
def plug_into(app):
    for page in ("about", "help"):
        app.route("/" + page, endpoint=page)(lambda: "a page")
"""

MODELS = """
import extension
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Shelf(Base):
    __tablename__ = "shelves"
    id = sa.Column(sa.Integer, primary_key=True)

class Thing(extension.Named):
    id = sa.Column(sa.Integer, primary_key=True)

app = Flask(__name__)
"""
EXTENSION = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

class Base:
    def __init_subclass__(cls, **options):
        cls.__tablename__ = cls.__name__.lower()
        super().__init_subclass__(**options)

Named = declarative_base(cls=Base)

class Saved(declarative_base()):
    __tablename__ = "saved"
    id = sa.Column(sa.Integer, primary_key=True)
"""


def registered_in(root: Path, target: str, *more: Path) -> Registered:
    output = root / "registered.json"
    probe = template_folder() / "service" / "tests" / "registered.py"
    told = [sys.executable, str(probe), str(output), target]
    path = ":".join(map(str, [root, *more]))
    subprocess.run(told, check=True, cwd=root, env={"PYTHONPATH": path}, timeout=60)
    return msgspec.json.decode(output.read_bytes(), type=Registered)


def test_a_route_that_is_registered_unseen_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(APPLICATION)
    (tmp_path / "pages.py").write_text(PLUG_IN)
    found = registered_in(tmp_path, "store:make('pages')")
    assert len(found.rules) == 6  # with Flask's own for static files
    assert registered.rules_of_packages(tmp_path, found.rules) == []
    assert registered.rules_of_packages(tmp_path / "other", found.rules) == [
        "/about", "/help", "/thing/<int:number>", "/things", "/things/<int:number>"
    ]  # fmt: skip
    graph = build_graph(tmp_path, Settings(), Silent())
    refused = registered.unknown_rules(tmp_path, graph.program, found.rules)
    assert {(str(each.place), each.message.split(",")[0]) for each in refused} == {
        ("pages.py:4", "the monolith serves /about (about)"),
        ("pages.py:4", "the monolith serves /help (help)"),
    }
    assert refused[0].hint.startswith("it is registered in a way that is not read")
    left_out = build_graph(tmp_path, Settings(exclude=["pages.py"]), Silent())
    refused = registered.unknown_rules(tmp_path, left_out.program, found.rules)
    assert {each.hint.partition(":")[0] for each in refused} == {"pages.py was not read"}


def test_hooks_that_a_setting_decides_on_are_told(tmp_path: Path) -> None:
    code = (
        "from flask import Flask\napp = Flask('x')\ndef hook(name):\n    if name == 'a':\n"
        "        @app.before_request\n        def first(): pass\n    else:\n"
        "        @app.before_request\n        def second(): pass\nhook('a')\n"
    )
    (tmp_path / "mill.py").write_text(code)
    assert registered_in(tmp_path, "mill:app").held == ["mill.hook.first"]


def test_settings_that_each_process_draws_for_itself_are_told(tmp_path: Path) -> None:
    code = (
        "import os, secrets, uuid\nfrom flask import Flask\napp = Flask('x')\n"
        "app.secret_key = os.urandom(24)\n"
        "app.config.update(A=secrets.token_hex(16), B=secrets.token_urlsafe())\n"
        "app.config.update(C=uuid.uuid4().hex)\n"
        "app.config.update(D='the same' * 4, E=str(uuid.uuid4()), F=uuid.UUID(int=7).hex)\n"
    )
    (tmp_path / "mill.py").write_text(code)
    drawn = registered_in(tmp_path, "mill:app").random_settings
    assert drawn == ["A", "B", "C", "E", "SECRET_KEY"]


def test_what_acts_on_every_request_is_told_and_what_was_replaced_is_not(tmp_path: Path) -> None:
    code = (
        "from flask import Blueprint, Flask\napp = Flask('x')\nshop = Blueprint('shop', 'x')\n"
        "@app.errorhandler(404)\ndef first(error): pass\n"
        "@app.errorhandler(404)\ndef second(error): pass\n"
        "@app.template_filter('price')\ndef written(price): pass\n"
        "@shop.before_app_request\ndef counted(): pass\n"
        "@shop.before_request\ndef of_its_own_routes(): pass\n"
        "app.register_blueprint(shop)\n"
    )
    (tmp_path / "mill.py").write_text(code)
    found = registered_in(tmp_path, "mill:app")
    assert found.application_wide == [
        "before_request mill.counted",
        "errorhandler 404 mill.second",
        "template filter price mill.written",
    ]
    assert "mill.first" not in found.held


def test_an_application_may_be_called_as_a_module_of_ours_and_leave_threads(tmp_path: Path) -> None:
    waits = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"
    (tmp_path / "application.py").write_text(waits + "from flask import Flask\napp = Flask('x')\n")
    assert registered_in(tmp_path, "application:app").rules


def test_a_table_whose_class_analysis_does_not_know_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "application", tmp_path / "packages"
    root.mkdir()
    outside.mkdir()
    (root / "store.py").write_text(MODELS)
    (outside / "extension.py").write_text(EXTENSION)
    found = registered_in(root, "store:app", outside)
    program = build_graph(root, Settings(), Silent()).program
    refused = registered.unknown_classes(root, program, found.classes)
    assert [(str(each.place or ""), each.message) for each in refused] == [
        (
            "",
            "extension.Saved, which is not the project's own, keeps rows in the table saved:"
            " what reads and writes them is not analysed",
        ),
        (
            "store.py:13",
            "the monolith maps store.Thing to the table thing, which analysis missed",
        ),
    ]


DESCRIBED = """
import api
from flask import Flask, jsonify

def make():
    app = Flask(__name__)
    app.add_url_rule("/api.json", "api.spec", api.spec)
    app.add_url_rule("/counts.json", "api.counts", api.counts)
    app.add_url_rule("/fails.json", "api.fails", lambda: 1 / 0)
    @app.get("/own.json")
    def own():
        return jsonify(openapi="3.1.0", paths={})
    return app
"""
API = """
from flask import current_app, jsonify, request

def spec():
    rules = {rule.rule: {} for rule in current_app.url_map.iter_rules()}
    return jsonify(openapi="3.1.0", servers=[{"url": request.host_url}], paths=rules)

def counts():
    return jsonify(visits=3)
"""


def test_what_a_package_says_of_the_whole_api_is_kept(tmp_path: Path) -> None:
    """Only of a package, and only a description; its own pages are not asked."""
    root, outside = tmp_path / "application", tmp_path / "packages"
    root.mkdir()
    outside.mkdir()
    (root / "shop.py").write_text(DESCRIBED)
    (outside / "api.py").write_text(API)
    found = registered_in(root, "shop:make()", outside)
    (told,) = found.descriptions.values()
    document = json.loads(told)
    assert {"/api.json", "/own.json"} <= set(document["paths"])
    assert document["servers"] == [{"url": "http://description.invalid/"}]
    assert registered.rules_of_packages(root, found.rules) == ["/counts.json"]
