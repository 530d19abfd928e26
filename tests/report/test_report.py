import json
from html.parser import HTMLParser

import pytest

from migrator.model.graph import EdgeKind, Graph, NodeKind
from migrator.model.plan import Crossing, Finding, Plan, Replica, Service
from migrator.model.program import Access, EntryPoint, Program, Route, Skipped, Table
from migrator.proof.comparison import Difference
from migrator.proof.result import Check, Comparison, Proof, Stopped, TestRun
from migrator.proof.trespass import Trespass
from migrator.report.content import gather
from migrator.report.formats import FORMATS


def shop():
    program = Program(
        lines=120, modules={"shop": "shop.py"}, skipped=[Skipped(file="b.py", reason="bad")]
    )
    for table in ("orders", "people"):
        program.tables[table] = Table(name=table, file="shop.py", line=1)
    program.entry_points["route:buy"] = EntryPoint(
        name="route:buy",
        kind="route",
        handler="shop.buy",
        file="shop.py",
        line=9,
        routes=(Route(rule="/buy/<int:id>", methods=("POST",)),),
        reads=(Access(table="people", path=("shop.buy",), file="shop.py", line=10),),
        writes=(Access(table="orders", path=("shop.buy",), file="shop.py", line=11),),
    )
    graph = Graph(program)
    source, target = (
        graph.add_node(NodeKind.FUNCTION, "shop.buy"),
        graph.add_node(NodeKind.TABLE, "orders"),
    )
    graph.add_edge(EdgeKind.WRITES, source, target, "shop.py", 11)
    plan = Plan(
        application="shop",
        services={
            "people": Service(purpose="People.", tables=["people"], order=1),
            "orders": Service(
                purpose="Orders <b>&</b> more.",
                tables=["orders"],
                entry_points=["route:buy"],
                replicas={"people": Replica(owner="people")},
                calls=[
                    Crossing(
                        function="shop.touch", owner="people", remedy="defer", at=["shop.py:12"]
                    )
                ],
                remainder=True,
            ),
        },
        findings=[Finding(kind="cost", subject="orders", message="one call crosses")],
    )
    proof = Proof(
        application="shop",
        plan_digest="",
        program_digest="",
        monolith_tests=TestRun(passed=3, total=3),
        comparisons=[
            Comparison(
                processes=1,
                requests=7,
                equal=6,
                polls=0,
                differences=[
                    Difference(request="GET /x", field="status", monolith="200", services="500")
                ],
                tests=TestRun(passed=3, total=3),
                broken_tests=[],
                tables=2,
                table_differences=[],
                reordered=[],
                replicas=1,
                replica_differences=[],
                trespasses=[
                    Trespass(
                        service="orders",
                        table="people",
                        owner="people",
                        written=True,
                        place="shop.py:9",
                    )
                ],
            )
        ],
        checks=[Check(name="own writes are read", passed=True, summary="2000 pairs")],
        stopped=[Stopped(service="people", routes=1, kept=1, probed=4, as_before=4, unavailable=0)],
    )
    return graph, plan, proof


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_tells_of_services_crossings_and_proof(form):
    text = FORMATS[form](gather(*shop(), "shop"))
    for word in (
        "people",
        "orders",
        "shop.touch",
        "shop.py:12",
        "/buy/",
        "GET /x",
        "2000 pairs",
        "shop.py:9",
    ):
        assert word in text


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_tells_of_an_analysis_alone(form):
    graph, _, _ = shop()
    text = FORMATS[form](gather(graph, None, None, "shop"))
    assert "b.py" in text


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses = []
        self.ids = set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        self.addresses += [given[k] for k in ("src", "href") if given.get(k)]


def test_the_page_needs_nothing_from_elsewhere_and_its_links_lead_somewhere():
    page = Tags()
    page.feed(FORMATS["html"](gather(*shop(), "shop")))
    assert page.addresses
    assert all(each.startswith("#") and each[1:] in page.ids for each in page.addresses)


def test_what_the_plan_says_is_text_and_no_markup():
    page = FORMATS["html"](gather(*shop(), "shop"))
    assert "Orders &lt;b&gt;&amp;&lt;/b&gt; more." in page


def test_the_json_has_a_version():
    assert json.loads(FORMATS["json"](gather(*shop(), "shop")))["version"] == 1
