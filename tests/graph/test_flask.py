"""What Flask registers, against the `url_map` of the application really started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from analysed import ASSETS, effects_as_text, graph_of, program_of

from migrator.model.program import Program

KIOSK = ASSETS / "kiosk"
GOLDEN = Path(__file__).parent / "golden" / "kiosk_effects.txt"

_DUMP = """
import json
from kiosk import create_app
rules = []
for rule in create_app().url_map.iter_rules():
    methods = set(rule.methods) - ({"OPTIONS"} if rule.provide_automatic_options else set())
    methods -= {"HEAD"} if "GET" in methods else set()
    defaults = {name: str(value) for name, value in (rule.defaults or {}).items()}
    rules.append([rule.endpoint, rule.rule, sorted(methods), defaults])
print(json.dumps(sorted(rules)))
"""


@pytest.fixture(scope="module")
def kiosk() -> Program:
    return graph_of(KIOSK).program


def test_every_rule_is_what_the_running_application_has(kiosk: Program) -> None:
    running = subprocess.run(
        [sys.executable, "-c", _DUMP], cwd=KIOSK, capture_output=True, text=True, check=True
    )
    predicted = sorted(
        [entry.endpoint, route.rule, list(route.methods), route.defaults]
        for entry in kiosk.entry_points.values()
        for route in entry.routes
    )
    assert predicted == json.loads(running.stdout)


def test_effects_of_every_entry_point(kiosk: Program) -> None:
    """The golden text was checked by hand against the code of the kiosk."""
    assert effects_as_text(kiosk) == GOLDEN.read_text()


def test_handlers_are_the_functions_behind_wrappers(kiosk: Program) -> None:
    assert kiosk.entry_points["route:shop.label"].handler == "kiosk.shop.label"
    assert kiosk.entry_points["route:shop.paper"].handler == "kiosk.shop.PaperView"


def test_hooks_belong_to_the_routes_that_they_run_around(kiosk: Program) -> None:
    hooks = {name: entry.hooks for name, entry in kiosk.entry_points.items()}
    everywhere = "kiosk.application.count_visit"
    assert hooks["route:desk.book"] == (everywhere, "kiosk.desk.only_staff")
    assert hooks["route:shop.buy"] == (everywhere,)
    assert hooks["command:restock"] == ()
    assert set(kiosk.hooks) == {everywhere, "kiosk.desk.only_staff"}


def test_templates_with_what_they_extend(kiosk: Program) -> None:
    assert kiosk.entry_points["route:shop.papers"].templates == ("base.html", "papers.html")
    assert kiosk.templates["base.html"] == "kiosk/templates/base.html"


def test_the_request_context_that_functions_use(kiosk: Program) -> None:
    assert "flask.g.reader" in kiosk.functions["kiosk.shop.buy"].context_reads
    assert kiosk.functions["kiosk.application.count_visit"].context_writes == ("flask.g.reader",)


def test_registration_in_a_loop_over_a_tuple(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from flask import Blueprint, Flask
        one, two = Blueprint("one", __name__), Blueprint("two", __name__, url_prefix="/2")
        ALL = (one, two)

        @one.get("/x")
        def x(): return ""

        @two.post("/y")
        def y(): return ""

        app = Flask(__name__, static_folder=None)
        for each in ALL:
            app.register_blueprint(each)
        """,
    )
    assert {
        (entry.endpoint, route.rule)
        for entry in program.entry_points.values()
        for route in entry.routes
    } == {("one.x", "/x"), ("two.y", "/2/y")}


def test_a_prefix_that_only_run_time_knows_is_reported(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        import os
        from flask import Blueprint, Flask
        one = Blueprint("one", __name__)
        app = Flask(__name__)
        app.register_blueprint(one, url_prefix=os.environ["PREFIX"])
        """,
    )
    reasons = {(each.reason, each.file, each.line) for each in program.unresolved}
    assert ("dynamic url_prefix", "app.py", 6) in reasons
    assert program.environment["PREFIX"] == ["app.py:6"]


def test_error_handlers_filters_and_processors_are_hooks(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from flask import Flask
        app = Flask(__name__)

        @app.errorhandler(404)
        def missing(error): return "", 404

        @app.template_filter("money")
        def money(cents): return cents

        @app.context_processor
        def everywhere(): return {"a": 1}

        @app.teardown_appcontext
        def close(error): pass
        """,
    )
    assert program.hooks == ("app.close", "app.everywhere", "app.missing", "app.money")
    assert program.entry_points["route:static"].hooks == ("app.close", "app.missing")


def test_a_helper_that_registers_many_rules_mixes_none(tmp_path: Path) -> None:
    calls = "\n".join(
        f"register({'one' if n % 2 else 'two'}, ['/{n}'], lambda: '', 'page{n}')"
        for n in range(160)
    )
    program = program_of(
        tmp_path,
        app=f"""
        from flask import Blueprint, Flask

        def register(blueprint, rules, view, endpoint):
            for rule in rules:
                blueprint.add_url_rule(rule, endpoint, view)

        def load(app):
            one, two = Blueprint("one", __name__), Blueprint("two", __name__)
{indent(calls, " " * 12)}
            app.register_blueprint(one)
            app.register_blueprint(two)

        app = Flask(__name__)
        load(app)
        """,
    )
    rules = {
        (each.endpoint, route.rule)
        for each in program.entry_points.values()
        for route in each.routes
        if each.endpoint != "static"
    }
    expected = {(f"{'one' if n % 2 else 'two'}.page{n}", f"/{n}") for n in range(160)}
    assert rules == expected


def test_views_under_one_decorator_stay_apart_however_many_they_are(tmp_path: Path) -> None:
    """The decorator makes its closure in a function that a closure calls."""
    views = "".join(
        f"@app.route('/{number}')\n@logged('{number}')\ndef view_{number}():\n"
        f"    return {('Book', 'Pen')[number % 2]}.query.all()\n"
        for number in range(170)
    )
    program = program_of(
        tmp_path,
        app="""
        import functools
        from flask import Flask
        from flask_sqlalchemy import SQLAlchemy
        app = Flask(__name__, static_folder=None)
        db = SQLAlchemy(app)
        class Book(db.Model):
            id = db.Column(db.Integer, primary_key=True)
        class Pen(db.Model):
            id = db.Column(db.Integer, primary_key=True)
        def wrapped(function, action):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                print(action)
                return function(*args, **kwargs)
            return wrapper
        def logged(action):
            def decorate(function):
                return wrapped(function, action)
            return decorate
        """,
        views="from app import *\n" + views,
    )
    reads = [{each.table for each in entry.reads} for entry in program.entry_points.values()]
    assert len(reads) == 170
    assert all(len(tables) == 1 for tables in reads)


def test_flask_openapi3_is_an_application_with_blueprints_of_its_own(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        shelf="""
        from flask_openapi3 import APIBlueprint, Info, OpenAPI

        app = OpenAPI(__name__, info=Info(title="Shelf", version="1"))
        books = APIBlueprint("books", __name__, url_prefix="/books")

        @app.get("/", tags=[])
        def index():
            return ""

        @books.post("/<int:number>", responses={})
        def put(path, body):
            return ""

        app.register_api(books)
        """,
    )
    rules = {
        entry.name: [(rule.rule, rule.methods) for rule in entry.routes]
        for entry in program.entry_points.values()
        if entry.name != "route:static"
    }
    assert rules == {
        "route:index": [("/", ("GET",))],
        "route:books.put": [("/books/<int:number>", ("POST",))],
    }
