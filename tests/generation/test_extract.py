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

from migrator.generation.extract import Extraction, extract
from migrator.model.errors import Place
from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Plan, Replica, Service, StateRemedy
from migrator.model.program import EntryPoint, Event, Function, Parameter, Program, Table
from migrator.model.registered import Registered
from migrator.model.settings import Run

ORCHARD = Path(__file__).parents[1] / "assets" / "orchard"
RUN = Run(application="serve:app")
ENTRIES = {
    "route:trees.all": "orchard.trees.views.Trees",
    "route:trees.show": "orchard.trees.views.show",
    "route:trees.pick": "orchard.trees.views.pick",
    "route:shop.front": "orchard.shop.views.front",
    "route:shop.pay": "orchard.shop.views.pay",
    "route:shop.customers": "orchard.shop.views.customers",
    "route:office.desk": "orchard.office.desk",
    "route:office.one": "orchard.office.one",
    "route:alive": "orchard.factory.create_app.alive",
    "schedule:orchard.shop.prices.refresh": "orchard.shop.prices.refresh",
    "signal:orchard.shop.prices.cheaper": "orchard.shop.prices.cheaper",
}
HOOKS = (
    "orchard.shop.views.choose_customer",
    "orchard.shop.views.only_when_open",
    "orchard.shop.views.lost",
)
TREES = [each for each in ENTRIES if "trees" in each]
SHOP = [each for each in ENTRIES if "shop" in each]
OFFICE = [each for each in ENTRIES if "office" in each or "alive" in each]


def function(name: str, **more: Any) -> Function:
    return Function(name=name, file="", line=1, end_line=1, **more)


def graph(*functions: Function, root: Path = ORCHARD) -> Graph:
    """The orchard as analysis would give it."""
    modules = {}
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root)
        name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        modules[name] = file.as_posix()
    entries = {
        name: EntryPoint(
            name=name,
            kind=name.partition(":")[0],  # type: ignore[arg-type]
            handler=handler,
            file="",
            line=0,
            endpoint=name.partition(":")[2] if name.startswith("route") else "",
        )
        for name, handler in ENTRIES.items()
    }
    models = {
        "trees": "orchard.trees.models.Tree",
        "harvests": "orchard.trees.models.Harvest",
        "orders": "orchard.shop.models.Order",
        "customers": "orchard.shop.models.Customer",
    }
    tables = {n: Table(name=n, file="", line=0, model=model) for n, model in models.items()}
    return Graph(
        Program(
            root=str(root),
            source_roots=["."],
            modules=modules,
            entry_points=entries,
            tables=tables,
            hooks=HOOKS,
            functions={each.name: each for each in functions},
        )
    )


def cut(
    own: list[str], *functions: Function, other: Service | None = None, **service: Any
) -> Extraction:
    """The extraction of a service that has some of the entry points."""
    rest = other or Service(entry_points=[each for each in ENTRIES if each not in own])
    plan = Plan(services={"own": Service(entry_points=own, **service), "rest": rest})
    return extract(graph(*functions), plan, "own", RUN)


def text(extraction: Extraction, path: str) -> str:
    return extraction.files[path].decode()


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


# Crossings


def crossing(name: str, **more: Any) -> Crossing:
    return Crossing(function=f"orchard.{name}", owner="rest", **more)


def test_a_crossing_function_becomes_a_call_and_what_it_reached_goes() -> None:
    extraction = cut(SHOP, calls=[crossing("trees.views.total")])
    assert extraction.problems == []
    assert text(extraction, "orchard/trees/views.py").endswith(
        "def total(tree: Tree) -> int:\n"
        "    from servicekit.calls import call\n"
        "\n"
        '    return call("orchard.trees.views.total", (tree,), {})\n'
    )


def test_a_deferred_function_says_whether_it_commits() -> None:
    commit = function("orchard.shop.prices.price_of", events=(Event(kind="commit", line=1),))
    for functions, says in (((commit,), "commits=True"), ((), "commits=False")):
        calls = [crossing("shop.prices.price_of", remedy="defer")]
        prices = text(cut(SHOP, *functions, calls=calls), "orchard/shop/prices.py")
        assert f'defer("orchard.shop.prices.price_of", (kind,), {{}}, {says})' in prices
        assert "class Price" not in prices


def test_a_receiver_that_crosses_is_still_connected_and_loses_what_wraps_it() -> None:
    calls = [crossing("shop.prices.cheaper", remedy="defer")]
    prices = text(cut(["route:trees.pick"], calls=calls), "orchard/shop/prices.py")
    assert "\n\n@harvested.connect\ndef cheaper(harvest):\n    from servicekit" in prices
    assert "@once" not in prices and "_prices" not in prices


def test_rows_that_cross_leave_the_code_as_it_is() -> None:
    calls = [crossing("shop.views.settle", remedy="row-write", unit="rows")]
    extraction = cut(SHOP, calls=calls)
    assert extraction.files["orchard/shop/views.py"] == cut(SHOP).files["orchard/shop/views.py"]


def test_rows_that_cannot_be_sent_are_refused_with_their_place() -> None:
    """Though a person chose it: the database would refuse them at run time."""
    function = Function(
        name="orchard.shop.views.settle",
        file="orchard/shop/views.py",
        line=7,
        end_line=9,
        events=(Event(kind="write", target="orders", line=8, via="query.update"),),
    )
    remedy = {"remedy": "row-write", "unit": "rows", "tables": ["orders"]}
    (problem,) = cut(SHOP, function, calls=[crossing("shop.views.settle", **remedy)]).problems
    assert "line 8 changes orders by a statement (query.update)" in problem.message
    assert problem.place == Place("orchard/shop/views.py", 7)
    assert "one service" in problem.hint


def test_the_owner_keeps_what_siblings_call() -> None:
    other = Service(
        entry_points=SHOP,
        calls=[Crossing(function="orchard.trees.views.felled", owner="own")],
    )
    assert "def felled" not in text(cut(TREES), "orchard/trees/views.py")
    assert "def felled" in text(cut(TREES, other=other), "orchard/trees/views.py")


@pytest.mark.parametrize(
    ("name", "functions", "why"),
    [
        (
            "shop.views.handles.register",
            (
                function("orchard.shop.views.handles"),
                function("orchard.shop.views.handles.register"),
            ),
            "defined inside of another function",
        ),
        ("trees.models.Weighed.weigh", (), "no function of the monolith"),
        (
            "trees.views.total",
            (function("orchard.trees.views.total", context_writes=("flask.g.tree",)),),
            "writes the request's context: flask.g.tree",
        ),
        (
            "trees.views.total",
            (
                function(
                    "orchard.trees.views.total",
                    parameters=(Parameter(name="tree", types=("typing.Callable",)),),
                ),
            ),
            "its parameter tree is a callback",
        ),
    ],
)
def test_what_cannot_cross_is_refused_with_its_place(
    name: str, functions: tuple[Function, ...], why: str
) -> None:
    problems = cut(SHOP, *functions, calls=[crossing(name)]).problems
    assert len(problems) == 1
    assert why in problems[0].message
    assert problems[0].hint


def test_a_decision_in_the_plan_is_not_generated() -> None:
    problems = cut(SHOP, calls=[crossing("trees.views.total", remedy="saga")]).problems
    assert "`remedy: saga`" in problems[0].message


def test_code_that_rows_name_is_kept_by_who_has_the_table() -> None:
    plan = Plan(
        services={
            "own": Service(entry_points=OFFICE, replicas={"orders": Replica(owner="rest")}),
            "rest": Service(entry_points=[*TREES, *SHOP], tables=["orders"]),
        }
    )
    pickled = {"orders": ("orchard.shop.prices.Price",), "trees": ("orchard.trees.views.total",)}
    kept = {each.name for each in extract(graph(), plan, "own", RUN, pickled=pickled).kept}
    assert "orchard.shop.prices.Price" in kept
    assert "orchard.trees.views.total" not in kept


# State


def remedy(name: str, what: Any) -> StateRemedy:
    return StateRemedy(name=f"orchard.{name}", kind="module-mutable", remedy=what)


def test_shared_state_moves_into_the_services_store() -> None:
    state = [remedy("shop.prices._prices", "shared"), remedy("shop.prices._defaults", "request")]
    prices = text(cut(SHOP, state=state), "orchard/shop/prices.py")
    assert prices.startswith(
        "import functools\n"
        "import time\n"
        "\n"
        "from orchard.extensions import harvested\n"
        "from servicekit.state import RequestDict, SharedDict\n"
        "\n"
        '_prices = SharedDict("orchard.shop.prices._prices")\n'
        '_defaults = RequestDict("orchard.shop.prices._defaults", {"apple": 3})\n'
    )


def test_a_list_is_shared_and_state_that_is_no_container_is_refused() -> None:
    shared = cut(TREES + OFFICE, state=[remedy("trees.models.FELLED", "shared")])
    assert 'FELLED = SharedList("orchard.trees.models.FELLED")' in text(
        shared, "orchard/trees/models.py"
    )
    refused = cut(TREES, state=[remedy("extensions.db", "shared")]).problems
    assert "orchard.extensions.db cannot be kept" in refused[0].message
    assert str(refused[0].place) == "orchard/extensions.py:4"


def test_a_thread_runs_in_one_process() -> None:
    extraction = cut(SHOP, state=[remedy("factory.create_app", "lease")])
    factory = text(extraction, "orchard/factory.py")
    assert (
        'threading.Thread(target=only_one("orchard.shop.prices.refresh", refresh), args=(app,)'
        in factory
    )
    assert "import Flask\n\nfrom servicekit.lease import only_one\n\nfrom . import trees" in factory


def test_a_loop_is_leased_at_its_definition() -> None:
    prices = text(
        cut(SHOP, state=[remedy("shop.prices.refresh", "lease")]), "orchard/shop/prices.py"
    )
    assert '\n\n@only_one("orchard.shop.prices.refresh")\ndef refresh(app):\n' in prices
