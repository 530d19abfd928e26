"""Graphs of classes from other languages: read, partitioned, scored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.model.errors import ConfigurationError
from migrator.plan.from_graph.file import ClassGraph, Use
from migrator.plan.from_graph.partitioned import partition_graph, read_graph, read_use_cases
from migrator.plan.from_graph.ties import ties
from migrator.plan.partition.constraints import Constraints

PLAIN = {
    "Root--OrderPage": 5,
    "OrderPage--OrderStore": 40,
    "OrderStore--Order": 200,
    "OrderPage--Order": 30,
    "Root--MailPage": 9,
    "MailPage--MailStore": 12,
    "MailStore--Mail": 80,
    "MailPage--Mail": 3,
    "OrderPage--MailStore": 1,
}

RICH = {
    "calls": [
        {"from": "shop.web.Desk", "to": "shop.data.Orders", "count": 4},
        {"from": "shop.web.Desk", "to": "shop.data.Stock", "count": 4},
        {"from": "shop.web.Desk", "to": "shop.data.Mails", "count": 4},
    ],
    "tables": {
        "orders": {"writers": {"shop.data.Orders": 3}, "readers": {"shop.data.Mails": 1}},
        "stock": {"writers": {"shop.data.Stock": 2}, "references": ["orders"]},
        "mails": {"writers": {"shop.data.Mails": 1}},
    },
    "transactions": [{"name": "buy", "tables": ["orders", "stock"]}],
    "routes": [
        {"path": "/api/orders/{id}", "classes": ["shop.web.Desk"]},
        {"path": "/mails", "classes": ["shop.data.Mails", "shop.web.MailPage"]},
    ],
}


@pytest.fixture
def written(tmp_path: Path):
    def write(content: object, name: str = "calls.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_plain_calls_the_outside_left_out(written) -> None:
    found = partition_graph(read_graph(written(PLAIN)), Constraints(services=(2, 2)))
    assert found.groups == {
        "mailstore": ["Mail", "MailPage", "MailStore"],
        "orderstore": ["Order", "OrderPage", "OrderStore"],
    }
    assert found.measures.ifn == 1 / 2
    assert (found.measures.bcp, found.measures.database_purity) == (None, None)
    assert found.signals == {"calls": 1.0}
    assert found.left_out["transactions"] == "no transaction ties several classes"


def test_the_number_is_found_when_none_is_demanded(written) -> None:
    assert len(partition_graph(read_graph(written(PLAIN))).groups) == 2


def test_what_is_tied_to_nothing_moves_no_boundary_and_is_put_where_fewest_are(written) -> None:
    lonely = [f"Lonely{number}" for number in range(7)]
    graph = read_graph(written({**PLAIN, **{f"Root--{name}": 1 for name in lonely}}))
    for wanted in (Constraints(), Constraints(services=(2, 2)), Constraints(largest=7)):
        found = partition_graph(graph, wanted)
        assert found.loose == lonely
        without = {name: kept for name, kept in found.partition.items() if name not in lonely}
        assert without == partition_graph(read_graph(written(PLAIN))).partition
        assert sorted(map(len, found.groups.values())) == [6, 7]


@pytest.mark.parametrize("services", [7, 8])
def test_what_is_tied_to_nothing_makes_up_the_number_that_is_demanded(written, services) -> None:
    graph = read_graph(written({**PLAIN, "Root--Lonely": 1, "Root--Alone": 1}))
    found = partition_graph(graph, Constraints(services=(services, services)))
    assert (len(found.groups), found.loose) == (services, [])


def test_a_demand_on_what_is_tied_to_nothing_is_kept(written) -> None:
    graph = read_graph(written({**PLAIN, "Root--Lonely": 1}))
    found = partition_graph(graph, Constraints(together=(("Lonely", "Mail"),)))
    assert found.partition["Lonely"] == found.partition["Mail"]
    assert found.loose == []


def test_what_many_use_ties_less_than_what_uses_many() -> None:
    parts = [Use(caller="Desk", callee=f"part{number}") for number in range(6)]
    users = [Use(caller=f"user{number}", callee="Log") for number in range(6)]
    graph = ClassGraph(calls=[*parts, *users])
    names = {use.caller for use in graph.calls} | {use.callee for use in graph.calls}
    total = ties(graph, sorted(names)).total
    assert total["Desk", "part0"] > total["Log", "user0"]


def test_use_cases_change_nothing_but_their_score(written) -> None:
    graph = read_graph(written(PLAIN))
    cases = read_use_cases(written({"Order": ["buy", "mail"], "Mail": ["mail"]}, "cases.json"))
    without, scored = partition_graph(graph), partition_graph(graph, use_cases=cases)
    assert scored.partition == without.partition
    # Orders: two and those of no known use case; mails: one and those.
    assert scored.measures.bcp == pytest.approx(0.8959, abs=1e-4)


def test_a_transaction_outweighs_calls(written) -> None:
    found = partition_graph(read_graph(written(RICH)), Constraints(services=(2, 2)))
    assert found.partition["shop.data.Orders"] == found.partition["shop.data.Stock"]
    assert found.partition["shop.data.Mails"] == found.partition["shop.web.MailPage"]
    assert found.owners["orders"] == found.owners["stock"] != found.owners["mails"]
    assert found.split_transactions == []


def test_a_demand_outweighs_a_transaction_and_the_split_is_named(written) -> None:
    wanted = Constraints(apart=(("shop.data.Orders", "shop.data.Stock"),), largest=3)
    found = partition_graph(read_graph(written(RICH)), wanted)
    assert found.split_transactions == ["buy"]
    assert max(map(len, found.groups.values())) <= 3


def test_a_signal_can_be_switched_off(written) -> None:
    found = partition_graph(read_graph(written(RICH)), weights={"transactions": 0, "calls": 2})
    assert found.left_out["transactions"] == "its weight is 0"
    assert found.signals["calls"] == 2


def test_a_pinned_owner_names_the_group(written) -> None:
    found = partition_graph(read_graph(written(PLAIN)), Constraints(owners={"Mail": "post"}))
    assert found.partition["MailStore"] == "post"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"A--B": 0}, '"A--B": 0'),
        ({"A--B": "many"}, "number of calls"),
        ({"calls": [{"from": "A"}]}, "to"),
        ({"calls": [], "tabels": {}}, "tabels"),
        ([], "JSON object"),
        ("{", "not valid JSON"),
        ({"calls": []}, "no class"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_place(written, content, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        partition_graph(read_graph(written(content)))
    assert error.value.hint


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Constraints(apart=(("Order", "Odrer"),)), "no class Odrer"),
        (Constraints(services=(7, 9)), "between 1 and 6"),
        (Constraints(services=(2, 2), largest=2), "cannot hold 6"),
        (Constraints(together=(("Mail", "Order", "MailPage"),), largest=2), "no service is to"),
        (
            Constraints(
                together=(("Mail", "Order"), ("Order", "OrderPage")),
                apart=(("Mail", "OrderPage"),),
            ),
            "both together and apart",
        ),
        (Constraints(services=(1, 1), owners={"Mail": "a", "Order": "b"}), "2 services are named"),
        (Constraints(largest=-1), "at most -1"),
    ],
)
def test_demands_that_contradict_each_other(written, wanted, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        partition_graph(read_graph(written(PLAIN)), wanted)
    assert error.value.hint


def test_unknown_signals_are_refused_with_those_that_there_are(written) -> None:
    with pytest.raises(ConfigurationError, match="no signal cals") as error:
        partition_graph(read_graph(written(PLAIN)), weights={"cals": 1})
    assert error.value.hint == "did you mean calls?"


def test_the_partition_is_the_same_whatever_the_hash_seed(written) -> None:
    path = written(RICH)
    script = (
        "import sys, msgspec; from pathlib import Path;"
        "from migrator.plan.from_graph.partitioned import partition_graph, read_graph;"
        "print(msgspec.json.encode(partition_graph(read_graph(Path(sys.argv[1])))))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
