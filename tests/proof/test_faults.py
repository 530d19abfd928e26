import json

import msgspec
import pytest

from migrator.model.manifest import (
    OutgoingCall,
    OwnedTable,
    OwnRoute,
    RouteRule,
    ServiceManifest,
    System,
)
from migrator.model.program import EntryPoint, Event, Function, Program
from migrator.proof.faults import inject, propose_faults

SOURCE = '''\
"""Orders — ünïcode above, so that offsets are not bytes."""


def buy(order):
    if order.paid:
        return "paid"
    order.paid = True
    session.commit()
    return "ok"
'''


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "services"
    manifest = ServiceManifest(
        name="orders",
        application="shop:app",
        tables={"orders": OwnedTable(key=["id"], published=True)},
        routes={
            "buy": OwnRoute(
                entry_point="route:buy", rules=[RouteRule(rule="/buy", methods=["POST"])]
            )
        },
        calls={"shop.touch": OutgoingCall(owner="people", remedy="call")},
    )
    for name, value in (
        ("orders", manifest),
        ("people", ServiceManifest(name="people", application="shop:app")),
    ):
        (folder / name / "src").mkdir(parents=True)
        (folder / name / "service.json").write_bytes(msgspec.json.encode(value))
    (folder / "other").mkdir()
    (folder / "other" / "service.json").write_bytes(
        msgspec.json.encode(ServiceManifest(name="other", application="shop:app"))
    )
    (folder / "orders" / "src" / "shop.py").write_text(SOURCE)
    (folder / ".migrator").mkdir()
    (folder / ".migrator" / "big").write_text("left behind")
    system = System(
        services=["orders", "people", "other"],
        default_service="orders",
        plan_digest="",
        program_digest="",
        monolith="/",
    )
    (folder / "system.json").write_bytes(msgspec.json.encode(system))
    return folder


@pytest.fixture
def program():
    # In the monolith the function stood ten lines further down.
    buy = Function(
        name="shop.buy",
        file="shop.py",
        line=14,
        end_line=19,
        events=(
            Event(kind="write", target="orders", line=17),
            Event(kind="commit", line=18),
        ),
    )
    entry = EntryPoint(name="route:buy", kind="route", handler="shop.buy", file="shop.py", line=14)
    return Program(functions={"shop.buy": buy}, entry_points={"route:buy": entry})


def test_faults_of_every_kind_are_found(output, program):
    faults = propose_faults(output, program, 10)
    assert {(each.kind, each.what) for each in faults} == {
        ("write dropped", "order.paid = True"),
        ("write dropped", "session.commit()"),
        ("condition flipped", "if not (order.paid)"),
        ("event lost", "changes of `orders` are not published"),
        ("wrong owner", "`shop.touch` is sent to other"),
    }


def test_the_first_faults_are_of_different_kinds(output, program):
    assert len({each.kind for each in propose_faults(output, program, 4)}) == 4


def test_an_injected_fault_changes_just_that_place(output, program, tmp_path):
    for number, fault in enumerate(propose_faults(output, program, 10)):
        target = tmp_path / f"faulty{number}"
        inject(output, fault, target)
        assert not (target / ".migrator").exists()
        text = (target / fault.file).read_text()
        assert text != (output / fault.file).read_text()
        if fault.kind == "condition flipped":
            assert text == SOURCE.replace("if order.paid:", "if not (order.paid):")
        elif fault.kind == "write dropped":
            assert text == SOURCE.replace(fault.what, "pass")
        else:
            json.loads(text)
