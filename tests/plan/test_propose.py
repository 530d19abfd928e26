"""Where the boundaries lie, on a sketched shop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.errors import ConfigurationError
from migrator.model.plan import Plan
from migrator.model.settings import Demands
from migrator.plan.findings.kinds import IDLE
from migrator.plan.naming import slug
from migrator.plan.partition.constraints import Constraints, with_demands
from migrator.plan.propose import REMAINDER, propose
from migrator.plan.store import render


@pytest.fixture(scope="module")
def plan() -> Plan:
    return propose(sketch(SHOP))


def call(plan: Plan, service: str, function: str):
    return next(c for c in plan.services[service].calls if c.function.endswith(function))


def test_domains_are_apart(plan: Plan) -> None:
    assert {name: service.tables for name, service in plan.services.items()} == {
        "mail": ["letters"],
        "members": ["addresses", "members"],
        "orders": ["lines", "orders"],
        "payments": ["payments", "refunds"],
    }


def test_every_entry_point_has_its_place(plan: Plan) -> None:
    assert plan.service_of("route:orders.place") == "orders"
    assert plan.service_of("route:orders.show") == "orders"
    assert plan.service_of("route:payments.pay") == "payments"
    assert plan.service_of("signal:shop.mail.receivers.welcome") == "mail"
    assert plan.service_of("command:seed") is None
    assert [f.subject for f in plan.findings if f.kind == "left-out"] == ["command:seed"]


def test_a_hook_around_requests_is_deferred_and_binds_nothing(plan: Plan) -> None:
    for name in ("orders", "payments", "mail"):
        touch = call(plan, name, "services.touch")
        assert (touch.remedy, touch.unit, touch.owner) == ("defer", "rows", "members")
    assert not any(c.owner == "members" for c in plan.services["members"].calls)


def test_calls_that_are_waited_for(plan: Plan) -> None:
    refund = call(plan, "orders", "refund")
    assert refund.remedy == "call"
    assert refund.tables == ["payments", "refunds"]
    assert "takes Orders by key" in refund.because and "may raise Declined" in refund.because
    assert refund.at == ["shop/orders/views.py:56"]
    assert call(plan, "orders", "reserve").remedy == "call"


def test_one_function_has_one_remedy_the_dearest_that_a_place_needs(plan: Plan) -> None:
    post = call(plan, "orders", "post")
    assert post.remedy == "call"
    assert "in a loop" in post.because
    assert len(post.at) == 2


def test_a_receiver_whose_result_nobody_sees_is_deferred(plan: Plan) -> None:
    assert call(plan, "members", "welcome").remedy == "defer"


def test_replicas_are_of_what_is_read_or_travels(plan: Plan) -> None:
    replicas = {name: sorted(s.replicas) for name, s in plan.services.items()}
    assert replicas["payments"] == ["members", "orders"]
    assert replicas["orders"] == ["addresses", "letters", "members", "refunds"]
    assert replicas["members"] == []
    assert plan.services["payments"].replicas["orders"].owner == "orders"


def test_orders_go_from_cheap_to_dear(plan: Plan) -> None:
    assert sorted(s.order for s in plan.services.values()) == [1, 2, 3, 4]
    assert plan.services["orders"].order == 4


def test_the_proposal_is_the_same_whatever_the_hash_seed() -> None:
    script = (
        "from monolith_sketch import sketch; from shop_sketch import SHOP;"
        "from migrator.plan.propose import propose; from migrator.plan.store import render;"
        "g = sketch(SHOP); print(render(propose(g), g))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert render(propose(sketch(SHOP)), sketch(SHOP)) + "\n" in outputs


TORN = """
table carts shop/carts/models.py
table items shop/carts/models.py -> carts
table stock shop/stock/models.py
table shelves shop/stock/models.py -> stock
    def shop.carts.views.buy()
      update carts
      update stock
      commit
    def shop.carts.views.add()
      insert carts
      insert items
      commit
    def shop.stock.views.fill()
      insert stock
      insert shelves
      commit
route POST /carts carts.buy shop.carts.views.buy
route PUT /carts carts.add shop.carts.views.add
route POST /stock stock.fill shop.stock.views.fill
"""


def test_a_transaction_is_never_split_unasked() -> None:
    plan = propose(sketch(TORN))
    assert plan.owner_of("carts") == plan.owner_of("stock")
    assert not any(s.calls for s in plan.services.values())


def test_a_transaction_that_is_split_on_demand_needs_a_decision() -> None:
    plan = propose(sketch(TORN), Constraints(apart=(("carts", "stock"),)))
    assert plan.owner_of("carts") != plan.owner_of("stock")
    split = [f for f in plan.findings if f.kind == "split-transaction"]
    assert [f.subject for f in split] == ["route:carts.buy"]
    assert split[0].at == "shop/carts/views.py:9"
    merges = [c for s in plan.services.values() for c in s.calls if c.remedy == "merge"]
    assert [c.function for c in merges] == ["shop.carts.views.buy"]


def test_number_of_services() -> None:
    assert len(propose(sketch(SHOP), Constraints(services=(2, 2))).services) == 2
    assert len(propose(sketch(SHOP), Constraints(services=(1, 1))).services) == 1
    with pytest.raises(ConfigurationError, match="between 1 and 4"):
        propose(sketch(SHOP), Constraints(services=(9, 9)))


def test_together_and_pinned() -> None:
    plan = propose(
        sketch(SHOP), Constraints(together=(("letters", "orders"),), owners={"refunds": "money"})
    )
    assert plan.owner_of("letters") == plan.owner_of("orders")
    assert plan.owner_of("refunds") == "money"


def test_first_leaves_a_remainder() -> None:
    plan = propose(sketch(SHOP), Constraints(first="payments"))
    assert sorted(plan.services) == ["payments", REMAINDER]
    assert plan.services[REMAINDER].remainder
    assert plan.services[REMAINDER].tables == ["addresses", "letters", "lines", "members", "orders"]
    assert (plan.services["payments"].order, plan.services[REMAINDER].order) == (1, 0)
    assert propose(sketch(SHOP), Constraints(first="refunds")).services == plan.services


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(together=(("orders", "ordres"),)), "no table ordres"),
        (Constraints(first="nothing"), "nothing"),
        (
            Constraints(together=(("orders", "lines"),), apart=(("orders", "lines"),)),
            "both together and apart",
        ),
        (Constraints(services=(3, 2)), "ascending"),
    ],
)
def test_demands_that_cannot_be_met(constraints: Constraints, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        propose(sketch(SHOP), constraints)
    assert error.value.hint


def test_a_program_without_tables() -> None:
    with pytest.raises(ConfigurationError, match="no table"):
        propose(sketch(""))


TOOL = """
    def shop.cli.archive()
      delete letters
      delete lines
      commit
command archive shop.cli.archive
"""


def test_a_tool_binds_no_domains_and_is_left_out_when_they_part() -> None:
    plan = propose(sketch(SHOP + TOOL))
    assert plan.owner_of("letters") != plan.owner_of("lines")
    (finding,) = [f for f in plan.findings if f.subject == "command:archive"]
    assert finding.kind == "left-out"
    assert finding.message == "it commits letters and lines together, of several services"
    assert plan.service_of("command:archive") is None
    together = propose(sketch(SHOP + TOOL), Constraints(together=(("letters", "lines"),)))
    assert together.service_of("command:archive") == together.owner_of("lines")


@pytest.mark.parametrize(
    ("name", "slugged"), [("Order Items", "order_items"), ("2fa", "service_2fa"), ("ü", "service")]
)
def test_names_that_cannot_be_those_of_folders(name: str, slugged: str) -> None:
    assert slug(name) == slugged


def test_setup_commands_are_left_out_by_name() -> None:
    setup = ("python -m flask --app shop archive", "")
    plan = propose(sketch(SHOP + TOOL), Constraints(setup=setup))
    (finding,) = [f for f in plan.findings if f.subject == "command:archive"]
    assert "schema" in finding.message


def test_one_folder_of_models_is_named_by_blueprint_or_table() -> None:
    flat = SHOP.replace("shop/members/models.py", "shop/models.py")
    for package in ("orders", "payments", "mail"):
        flat = flat.replace(f"shop/{package}/models.py", "shop/models.py")
    plan = propose(sketch(flat))
    assert {plan.owner_of("orders"), plan.owner_of("members")} == {"orders", "members"}


def test_a_class_of_views_is_named_without_its_layer() -> None:
    flat = TORN.replace("shop/carts/models.py", "shop/models.py")
    flat = flat.replace("shop/stock/models.py", "shop/models.py")
    flat = flat.replace(" carts.", " CartRestApi.").replace(" stock.", " StockItemView.")
    plan = propose(sketch(flat), Constraints(apart=(("carts", "stock"),)))
    assert {plan.owner_of("carts"), plan.owner_of("stock")} == {"cart", "stock_item"}


def test_transactions_that_differ_in_a_table_out_of_many_are_split_one_by_one() -> None:
    lines = [f"table {kind}{n} shop/{kind}/models.py" for kind in "ab" for n in range(1, 7)]
    for name, last in (("buy", "b5"), ("buy_all", "b6")):
        written = [*(f"a{n}" for n in range(1, 7)), "b1", "b2", "b3", "b4", last]
        lines += [f"    def shop.views.{name}()", *(f"      insert {t}" for t in written)]
        lines += ["      commit"]
    lines += [
        "    def shop.views.either()",
        "      call shop.views.buy",
        "      call shop.views.buy_all",
        "route POST /either views.either shop.views.either",
    ]
    plan = propose(sketch("\n".join(lines)), Constraints(apart=(("a1", "b1"),)))
    split = [f.message for f in plan.findings if f.kind == "split-transaction"]
    assert len(split) == 2 and split[0] != split[1]


def test_no_service_owns_more_than_the_largest() -> None:
    plan = propose(sketch(SHOP), Constraints(largest=2))
    assert max(len(service.tables) for service in plan.services.values()) <= 2


def test_what_is_left_in_the_remainder_stays_there() -> None:
    plan = propose(sketch(SHOP), Constraints(remainder=("orders", "letters")))
    assert plan.services[REMAINDER].remainder
    assert {"orders", "letters"} <= set(plan.services[REMAINDER].tables)
    assert plan.owner_of("payments") != REMAINDER
    assert plan.services[REMAINDER].order == 0


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(remainder=("orders",), owners={"orders": "sales"}), "left in the remainder"),
        (Constraints(remainder=("orders",), first="orders"), "left in the remainder"),
        (Constraints(services=(2, 2), largest=3), "cannot hold 7"),
        (Constraints(services=(1, 1), remainder=("orders",), owners={"letters": "mail"}), "named"),
        (Constraints(largest=1, together=(("orders", "lines"),)), "no service is to have more"),
        (Constraints(weights={"package": 1}), "no signal package"),
        (Constraints(owners={"orders": "Sales!"}), "cannot be the name of a service"),
        (Constraints(owners={"orders": "gateway"}), "cannot be the name of a service"),
    ],
)
def test_contradictions_are_named(constraints: Constraints, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        propose(sketch(SHOP), constraints)
    assert error.value.hint


@pytest.mark.parametrize(
    ("constraints", "binds", "hint"),
    [
        (Constraints(services=(9, 9)), "; lines and orders (shop/orders/views.py:", "--services 4"),
        (
            Constraints(services=(2, 2), apart=(("orders", "letters", "members"),)),
            "2 services are asked for, and between 3 and 4 are possible here:"
            " --apart orders,letters,members",
            "--services 3, or leave out --apart",
        ),
        (
            Constraints(services=(4, 4), together=(("orders", "letters"),)),
            "--together orders,letters",
            "leave out --together",
        ),
    ],
)
def test_an_impossible_number_names_what_binds(
    constraints: Constraints, binds: str, hint: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        propose(sketch(SHOP), constraints)
    assert binds in error.value.message
    assert hint in error.value.hint


def test_a_demanded_name_is_that_of_the_service_that_would_have_it() -> None:
    graph = sketch(SHOP)
    joined = propose(graph, Constraints(owners={"letters": "orders"}))
    assert {"letters", "orders"} <= set(joined.services["orders"].tables)
    apart = Constraints(owners={"letters": "orders"}, apart=(("letters", "orders"),))
    plan = propose(graph, apart)
    assert plan.services["orders"].tables == ["letters"]
    assert plan.owner_of("orders") == "orders_2"


def test_a_service_that_answers_nothing_is_a_finding() -> None:
    text = SHOP + "\ntable stamps shop/mail/stamps.py\n"
    plan = propose(sketch(text), Constraints(services=(5, 5)))
    idle = [f.subject for f in plan.findings if f.kind == IDLE]
    assert [plan.services[name].tables for name in idle] == [["stamps"]]


BY_HAND = """
table rates shop/tax/rates.py
table zones shop/tax/zones.py
    def shop.tax.cli.add_rate()
      read zones
      insert rates
      update zones
      commit
    def shop.tax.cli.add_zone()
      insert zones
      update rates
      commit
command add-rate shop.tax.cli.add_rate
command add-zone shop.tax.cli.add_zone
"""


def test_no_service_is_there_for_commands_alone() -> None:
    plan = propose(sketch(SHOP + BY_HAND))
    owner = plan.owner_of("rates")
    assert owner is not None
    assert any(each.startswith("route:") for each in plan.services[owner].entry_points)
    demanded = propose(sketch(SHOP + BY_HAND), Constraints(owners={"rates": "tax"}))
    assert set(demanded.services["tax"].entry_points) == {"command:add-rate", "command:add-zone"}


def test_the_command_line_comes_before_the_settings_and_adds_to_their_lists() -> None:
    demands = Demands(
        services="2-3",
        largest=5,
        together=[["orders", "lines"]],
        own={"sales": ["orders"], "post": ["letters"]},
        weights={"reads": 2.0, "calls": 0.0},
    )
    line = Constraints(
        services=(4, 4), together=(("a", "b"),), owners={"orders": "shop"}, weights={"reads": 3.0}
    )
    both = with_demands(line, demands)
    assert (both.services, both.largest) == ((4, 4), 5)
    assert both.together == (("a", "b"), ("orders", "lines"))
    assert both.owners == {"orders": "shop", "letters": "post"}
    assert both.weights == {"reads": 3.0, "calls": 0.0}


def test_tables_that_only_sql_names_are_nobodys() -> None:
    text = SHOP.replace("read addresses\n", "read addresses\n      read catalog.pages\n", 1)
    assert "catalog.pages" in text
    owned = {table for each in propose(sketch(text)).services.values() for table in each.tables}
    assert owned == {
        table for each in propose(sketch(SHOP)).services.values() for table in each.tables
    }
