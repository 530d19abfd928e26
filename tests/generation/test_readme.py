"""What a service's new owner reads first."""

from __future__ import annotations

from migrator.generation.readme import service_readme
from migrator.model.manifest import ServiceManifest
from migrator.model.plan import Crossing, Plan, Replica, Service

PLAN = Plan(
    services={
        "lending": Service(
            tables=["loans"],
            replicas={"readers": Replica(owner="people")},
            calls=[
                Crossing(function="desk.save", owner="people", remedy="row-write", unit="rows",
                         tables=["readers"]),
                Crossing(function="desk.Letters.post", owner="people", remedy="defer",
                         tables=["letters"]),
            ],
        ),
        "people": Service(
            tables=["readers", "letters"], replicas={"loans": Replica(owner="lending")}
        ),
        "weather": Service(tables=["rain"]),
    },
)  # fmt: skip


def readme(name: str) -> str:
    return service_readme(ServiceManifest(name=name, application="a:b"), PLAN, 100, [], "3.11")


def section(name: str) -> str:
    return readme(name).partition("## Whom it talks to")[2].partition("## Routes")[0]


def test_both_ends_of_what_crosses_read_of_it() -> None:
    lending, people = section("lending"), section("people")
    assert "- writes our changes of `readers` while a request waits" in lending
    assert "- runs `desk.Letters.post` for us later: nothing waits for it" in lending
    relying = people.partition("Who relies on it")[2]
    assert "- has copies of `readers`" in relying
    assert "- has its changes of `readers` written here, and waits for it" in relying
    assert "- has `desk.Letters.post` run here later" in relying


def test_the_drawing_has_each_neighbour_once_and_the_same_arrows_from_both_ends() -> None:
    for name, asks in (("lending", "self == {} s_PEOPLE"), ("people", "s_LENDING == {} self")):
        drawing = section(name).partition("```mermaid")[2].partition("```")[0]
        assert drawing.count("[people]") == drawing.count("[lending]") == 1
        assert asks.format('"readers" ==>') in drawing
        assert asks.replace("==", "--").format('"later: post" -->') in drawing
        assert "\n\n" not in drawing


def test_who_has_no_neighbour_is_told_so_and_named_an_interpreter() -> None:
    assert "Nobody but the gateway." in section("weather")
    assert "python3.11 -m venv .venv" in readme("weather")
