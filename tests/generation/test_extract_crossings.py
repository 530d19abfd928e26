"""What is put in the place of calls that cross, and of state that processes share."""

from __future__ import annotations

from typing import Any

import pytest
from orchard_cut import (
    OFFICE,
    RUN,
    SHOP,
    TREES,
    cut,
    function,
    graph,
    text,
)

from migrator.generation.extract import extract
from migrator.model.errors import Place
from migrator.model.plan import Crossing, Plan, Replica, Service, StateRemedy
from migrator.model.program import Event, Function, Parameter


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
