"""Routes that the application really serves, and what analysis knows of them."""

import subprocess
import sys
from pathlib import Path

import msgspec

from migrator.graph.build import build_graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings
from migrator.operation import url_map, url_rules

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


def test_a_route_that_is_registered_unseen_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(APPLICATION)
    (tmp_path / "pages.py").write_text(PLUG_IN)
    output = tmp_path / "rules.json"
    told = [sys.executable, url_rules.__file__, "store:make('pages')", str(output)]
    subprocess.run(told, check=True, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    served = msgspec.json.decode(output.read_bytes(), type=list[url_map.ServedRule])
    assert len(served) == 6  # with Flask's own for static files
    graph = build_graph(tmp_path, Settings(), Silent())
    refused = url_map.unknown_rules(tmp_path, graph.program, served)
    assert {(str(each.place), each.message.split(",")[0]) for each in refused} == {
        ("pages.py:4", "the monolith serves /about (about)"),
        ("pages.py:4", "the monolith serves /help (help)"),
    }
