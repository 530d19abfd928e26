"""service.json: routes with what they need, calls, workers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from program_builder import route_entry

from migrator.generation.data import ServiceData
from migrator.generation.manifest import Manifests, assign_processes
from migrator.model.graph import Graph
from migrator.model.manifest import Registry, ServiceManifest
from migrator.model.plan import Crossing, Plan, Replica, Service
from migrator.model.program import Access, EntryPoint, Event, Function, Program, Table
from migrator.model.settings import Run

RUN = Run(application="shop.wsgi:app", processes={"mailer": "python -m shop.mailer"})


def function(name: str, *events: Event, **more: object) -> Function:
    fields = {"name": name, "file": "shop/x.py", "line": 1, "end_line": 2, **more}
    return msgspec.structs.replace(msgspec.convert(fields, Function), events=events)


def read(table: str, *columns: str) -> Event:
    return Event(kind="read", target=table, line=1, columns=columns)


def write(table: str, *columns: str) -> Event:
    return Event(kind="write", target=table, line=1, columns=columns, operation="update")


def calls(name: str) -> Event:
    return Event(kind="call", target=name, line=1)


FUNCTIONS = [
    # A page that charges: billing runs `charge`, which asks members to lock whoever cannot pay.
    function("shop.views.buy", read("titles"), calls("shop.billing.charge")),
    function(
        "shop.billing.charge",
        write("invoices"),
        calls("shop.members.Member.lock"),
        raises=["shop.errors.Unpaid"],
        context_reads=["flask.g.member"],
    ),
    function("shop.members.Member.lock", write("members", "locked")),
    # A page that only counts, later; and pages that see what was counted, or do not.
    function("shop.views.browse", read("titles"), calls("shop.members.count")),
    function("shop.members.count", write("members", "visits")),
    function("shop.views.popular", read("members", "visits")),
    function("shop.views.names", read("members", "name")),
    function("shop.views.seen", read("members", "seen")),
    # Pages that load whole members: one names what was counted, the other shows it nowhere.
    function("shop.views.whole", read("members"), file="shop/whole.py", line=2, end_line=3),
    function("shop.views.shown", read("members"), file="shop/whole.py", line=6, end_line=7),
    # A hook around every request, whose rows are sent.
    function("shop.hooks.seen", write("members", "seen")),
]
TITLES = ["buy", "browse"]
PEOPLE = ["popular", "names", "seen", "whole", "shown"]


def entry(name: str) -> EntryPoint:
    made = route_entry(name, (f"/{name}", "GET"))
    return msgspec.structs.replace(
        made, hooks=("shop.hooks.seen",), functions=(f"shop.views.{name}",)
    )


def program(root: str = "/shop") -> Program:
    entries = [entry(name) for name in TITLES + PEOPLE]
    entries.append(
        EntryPoint(
            name="process:shop.mailer",
            kind="process",
            handler="shop.mailer",
            file="shop/mailer.py",
            line=1,
        )
    )
    return Program(
        root=root,
        modules={f"shop.{n}": f"shop/{n}.py" for n in ("views", "billing", "members", "hooks")},
        functions={each.name: each for each in FUNCTIONS},
        entry_points={each.name: each for each in entries},
        tables={n: Table(name=n, file="", line=1) for n in ("titles", "invoices", "members")},
    )


def plan() -> Plan:
    members = Replica(owner="people")
    return Plan(
        services={
            "billing": Service(
                tables=["invoices"],
                replicas={"members": members},
                calls=[Crossing(function="shop.members.Member.lock", owner="people")],
            ),
            "people": Service(
                tables=["members"],
                entry_points=["process:shop.mailer", *(f"route:{name}" for name in PEOPLE)],
            ),
            "titles": Service(
                tables=["titles"],
                entry_points=[f"route:{name}" for name in TITLES],
                replicas={"members": members},
                calls=[
                    Crossing(function="shop.billing.charge", owner="billing", tables=["invoices"]),
                    Crossing(
                        function="shop.members.count",
                        owner="people",
                        remedy="defer",
                        tables=["members"],
                    ),
                    Crossing(
                        function="shop.hooks.seen",
                        owner="people",
                        remedy="defer",
                        unit="rows",
                        tables=["members"],
                    ),
                    Crossing(function="shop.copied", owner="people", remedy="copy"),
                ],
            ),
        }
    )


def manifest(name: str, changed: Plan | None = None, root: str = "/shop") -> ServiceManifest:
    keys = {"members": ("id",)}
    data = ServiceData(tables=dict.fromkeys(plan().services[name].tables, ("id",)))
    data.replica_keys = keys
    made = Manifests(Graph(program(root)), changed or plan(), RUN)
    return made.of(name, data, Registry(tables=["titles"]), 12, ["shop.copied"])


def test_a_route_depends_on_whom_it_calls_and_on_whom_these_call() -> None:
    routes = manifest("titles").routes
    assert routes["buy"].depends_on == ["billing", "people"]
    assert routes["browse"].depends_on == []


def test_a_route_reads_replicas_of_the_owners_of_what_it_reads() -> None:
    changed = plan()
    changed.services["titles"].entry_points.append("route:names")
    changed.services["people"].entry_points.remove("route:names")
    routes = manifest("titles", changed).routes
    assert routes["names"].replicas_of == ["people"]
    assert routes["buy"].replicas_of == []
    changed.services["titles"].replicas["members"].freshness = "eventual"
    assert manifest("titles", changed).routes["names"].replicas_of == []


def test_a_read_that_only_the_entry_point_knows_of_counts() -> None:
    graph = Graph(program())
    known = graph.program.entry_points["route:buy"]
    access = Access(table="members", path=("shop.views.buy",), file="", line=1)
    graph.program.entry_points["route:buy"] = msgspec.structs.replace(known, reads=(access,))
    data = ServiceData(replica_keys={"members": ("id",)})
    made = Manifests(graph, plan(), RUN).of("titles", data, Registry(), 0, [])
    assert made.routes["buy"].replicas_of == ["people"]


@pytest.mark.parametrize(
    ("route", "waits_for"),
    [("popular", ["titles"]), ("seen", ["titles"]), ("names", []), ("whole", []),
     ("shown", ["titles"])],
)  # fmt: skip
def test_a_route_waits_for_commands_that_change_what_it_shows(
    tmp_path: Path, route: str, waits_for: list[str]
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "whole.py").write_text(
        "\ndef whole(id):\n    return get(Member, id).name\n\n\n"
        "def shown(id):\n    return get(Member, id).visits\n"
    )
    assert manifest("people", root=str(tmp_path)).routes[route].commands_of == waits_for


@pytest.mark.parametrize(
    ("body", "waits_for"),
    [
        ("    return vars(get(Member, id))\n", ["titles"]),
        ("    return getattr(get(Member, id), field)\n", ["titles"]),
        ("    return getattr(get(Member, id), 'name')\n", []),
        ("    get(Member, id).visits = 0\n", []),
    ],
)
def test_a_row_that_may_be_shown_whole_waits(
    tmp_path: Path, body: str, waits_for: list[str]
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "whole.py").write_text("\ndef whole(id):\n" + body)
    assert manifest("people", root=str(tmp_path)).routes["whole"].commands_of == waits_for


def test_only_the_owner_waits_for_commands() -> None:
    assert {tuple(each.commands_of) for each in manifest("titles").routes.values()} == {()}


def test_calls_carry_what_travels_and_what_may_come_back() -> None:
    outgoing = manifest("titles").calls
    assert sorted(outgoing) == ["shop.billing.charge", "shop.hooks.seen", "shop.members.count"]
    assert outgoing["shop.billing.charge"].raises == ["shop.errors.Unpaid"]
    assert outgoing["shop.billing.charge"].context == ["flask.g.member"]
    assert outgoing["shop.hooks.seen"].columns == {"members": ["seen"]}
    assert outgoing["shop.hooks.seen"].tables == ["members"]


def test_owners_serve_what_siblings_call_and_no_rows() -> None:
    served = manifest("people").serves
    assert sorted(served) == ["shop.members.Member.lock", "shop.members.count"]
    lock = served["shop.members.Member.lock"]
    assert (lock.module, lock.qualname) == ("shop.members", "Member.lock")
    assert lock.callers == ["billing"]


def test_tables_that_siblings_copy_are_published() -> None:
    assert manifest("people").tables["members"].published
    assert not manifest("titles").tables["titles"].published


def test_routes_of_siblings_are_foreign() -> None:
    people = manifest("people")
    assert sorted(people.foreign_routes) == sorted(TITLES)
    assert sorted(people.routes) == sorted(PEOPLE)
    assert people.foreign_routes["buy"].service == "titles"
    assert people.foreign_routes["buy"].rules[0].rule == "/buy"


def test_a_worker_goes_with_the_entry_point_that_its_command_names() -> None:
    assert manifest("people").processes == {"mailer": "python -m shop.mailer"}
    assert manifest("titles").processes == {}


def test_workers_by_queue_script_command_and_unknown() -> None:
    def known(name: str, kind: str) -> EntryPoint:
        fields = {"name": name, "kind": kind, "handler": "x", "file": "", "line": 1}
        return msgspec.convert(fields, EntryPoint)

    entries = [
        known("task:shop.mail.send", "task"),
        known("task:shop.bills.collect", "task"),
        known("command:sweep", "command"),
        known("process:jobs.clock", "process"),
    ]
    run = Run(
        application="x:app",
        processes={
            "queue": "celery -A shop.tasks worker",
            "sweeper": "flask --app shop sweep",
            "clock": "python jobs/clock.py",
            "odd": "sh -c true",
        },
    )
    services = {
        "mail": Service(entry_points=["task:shop.mail.send", "command:sweep"]),
        "bills": Service(entry_points=["task:shop.bills.collect", "process:jobs.clock"]),
    }
    found = assign_processes(
        run, Program(entry_points={e.name: e for e in entries}), Plan(services=services), "bills"
    )
    assert {name: sorted(each) for name, each in found.items()} == {
        "mail": ["queue", "sweeper"],
        "bills": ["clock", "odd", "queue"],
    }


def test_rows_that_one_function_changes_at_several_owners_cross_to_each() -> None:
    changed = plan()
    changed.services["titles"].calls = [
        Crossing(
            function="shop.hooks.save", owner=owner, remedy="row-write", unit="rows", tables=[table]
        )
        for owner, table in (("people", "members"), ("billing", "invoices"))
    ]
    calls = manifest("titles", changed).calls
    assert list(calls) == ["shop.hooks.save", "shop.hooks.save@billing"]
    assert [(each.owner, each.tables) for each in calls.values()] == [
        ("people", ["members"]),
        ("billing", ["invoices"]),
    ]
