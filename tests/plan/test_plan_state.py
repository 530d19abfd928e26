"""State in the process or on its disk: remedies, owners, and what several services would share."""

from __future__ import annotations

import msgspec
import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.graph.effects.kept_results import BY_DECORATOR
from migrator.model.errors import PlanError
from migrator.model.graph import Graph
from migrator.model.plan import Folder, Plan
from migrator.model.program import StateFinding
from migrator.plan.propose import propose
from migrator.plan.resolve import resolve

PICTURES = """
    def shop.orders.pictures.draw()
      read members
    def shop.orders.pictures.show()
      call shop.orders.pictures.draw
    def shop.orders.views.pack()
      update lines
      commit
      call shop.orders.pictures.draw
route GET /members/<id>/picture members.picture shop.orders.pictures.show
route POST /orders/<id>/pack orders.pack shop.orders.views.pack
"""


def with_state(*findings: StateFinding, text: str = SHOP) -> Graph:
    graph = sketch(text)
    graph.program.state.extend(findings)
    return graph


def state(
    kind: str, name: str, *writers: str, readers: tuple[str, ...] = (), detail: str = ""
) -> StateFinding:
    file = name.rpartition(".")[0].replace(".", "/") + ".py"
    return StateFinding(
        kind=kind,  # type: ignore[arg-type]
        name=name,
        file=file,
        line=3,
        writers=writers,
        readers=readers,
        detail=detail,
    )


def remedies(plan: Plan) -> dict[str, list[str]]:
    return {
        name: [each.remedy for each in service.state]
        for name, service in plan.services.items()
        if service.state
    }


@pytest.mark.parametrize(
    ("finding", "remedy"),
    [
        (state("module-mutable", "shop.mail.services.seen", "shop.mail.services.post"), "shared"),
        (state("module-mutable", "shop.mail.services.seen", "shop.mail.services"), "keep"),
        (state("cache", "shop.mail.services.box", "shop.mail.services.post"), "shared"),
        (state("rate-limit", "shop.extensions.limiter", "shop.mail.services.post"), "shared"),
        (state("local-file", "shop.mail.services.post", "shop.mail.services.post"), "volume"),
        (state("timer", "shop.mail.services.post", "shop.mail.services.post"), "lease"),
        (state("thread", "shop.mail.services.post", "shop.mail.services.post"), "keep"),
        (state("singleton", "shop.mail.services.client", "shop.mail.services"), "keep"),
        (state("secret", "shop.mail.services.key"), "environment"),
    ],
)
def test_remedies_go_where_the_state_is_used(finding: StateFinding, remedy: str) -> None:
    plan = propose(with_state(finding))
    assert remedies(plan)["mail"] == [remedy]
    assert "payments" not in remedies(plan)
    assert plan.services["mail"].state[0].at == f"{finding.file}:3"


def test_a_thread_that_no_request_starts_runs_once() -> None:
    text = SHOP + "\nschedule shop.mail.services.post shop.mail.services.post\n"
    finding = state("thread", "shop.mail.services.post", "shop.mail.services")
    assert remedies(propose(with_state(finding, text=text)))["mail"] == ["lease"]


@pytest.mark.parametrize(
    ("called", "remedy"), [("", "lease"), ("      call shop.mail.services.sweep\n", "keep")]
)
def test_a_job_of_a_scheduler_runs_once_unless_code_calls_it_too(called: str, remedy: str) -> None:
    text = SHOP + (
        "    def shop.mail.services.sweep()\n"
        "      call shop.mail.services.post\n"
        "    def shop.mail.views.now()\n"
        f"      call shop.mail.services.post\n{called}"
        "route POST /now mail.now shop.mail.views.now\n"
        "schedule sweep shop.mail.services.sweep\n"
    )
    finding = state("job", "shop.mail.services.sweep", "shop.mail.services.sweep")
    assert remedies(propose(with_state(finding, text=text)))["mail"] == [remedy]


def test_who_uses_files_goes_to_those_who_write_by_them() -> None:
    pictures = state("local-file", "PICTURES", "shop.orders.pictures.draw")
    plan = propose(with_state(pictures, text=SHOP + PICTURES))
    assert plan.service_of("route:members.picture") == "orders"
    assert not any(f.kind == "shared-state" for f in plan.findings)


def test_state_that_two_services_would_have_each_is_told() -> None:
    cache = state(
        "module-mutable",
        "shop.cache",
        "shop.orders.services.place",
        readers=("shop.payments.views.show",),
    )
    plan = propose(with_state(cache))
    (finding,) = [f for f in plan.findings if f.kind == "shared-state"]
    assert finding.subject == "shop.cache"
    assert finding.message.startswith("orders and payments use it")


def test_what_is_only_filled_when_the_application_is_made_is_kept() -> None:
    """A factory has plug-ins enter themselves: no request does, though a command may."""
    making = """
    def shop.mail.services.load()
    def shop.factory.make()
      call shop.mail.services.load
    def shop.cli.routes()
      call shop.factory.make
command routes shop.cli.routes
    """
    plugins = state(
        "module-mutable",
        "shop.mail.services.plugins",
        "shop.mail.services.load",
        readers=("shop.mail.services.post",),
    )
    text = SHOP + making
    asking = "route GET /mail/plugins mail.plugins shop.mail.services.load\n"
    assert remedies(propose(with_state(plugins, text=text)))["mail"] == ["keep"]
    assert remedies(propose(with_state(plugins, text=text + asking)))["mail"] == ["shared"]


def test_a_remedy_that_a_person_chose_is_kept() -> None:
    graph = with_state(state("cache", "shop.mail.services.post", "shop.mail.services.post"))
    plan = propose(graph)
    plan.services["mail"].state[0].remedy = "request"
    assert remedies(resolve(graph, plan))["mail"] == ["request"]


STAMPING = SHOP + (
    "    def shop.mail.services.stamp()\n"
    "    def shop.mail.views.stamped()\n"
    "      call shop.mail.services.stamp\n"
    "      call shop.mail.services.post\n"
    "route POST /stamped mail.stamped shop.mail.views.stamped\n"
)


@pytest.mark.parametrize(
    ("function", "decorator", "remedy"),
    [
        ("shop.mail.services.post", "functools.lru_cache", "shared"),
        ("shop.mail.services.post", "cachetools.cached", "request"),
        ("shop.mail.services.stamp", "lru_cache", "keep"),
    ],
)
def test_a_memoised_function_by_what_it_asks(function: str, decorator: str, remedy: str) -> None:
    finding = state("cache", function, function, readers=(function,), detail=decorator)
    assert remedies(propose(with_state(finding, text=STAMPING)))["mail"] == [remedy]


@pytest.mark.parametrize(
    ("decorated", "remedy"),
    [("shop.mail.services.post", "request"), ("shop.mail.services.stamp", "keep")],
)
def test_a_dictionary_of_a_decorator_by_what_it_decorates(decorated: str, remedy: str) -> None:
    finding = state(
        "cache", "shop.keeping.kept.known", decorated, readers=(decorated,), detail=BY_DECORATOR
    )
    assert remedies(propose(with_state(finding, text=STAMPING)))["mail"] == [remedy]


def test_a_function_that_two_services_memoise_keeps_its_results_for_a_request() -> None:
    finding = state(
        "cache",
        "shop.members.hooks.load",
        "shop.members.hooks.load",
        readers=("shop.members.hooks.load",),
        detail="lru_cache",
    )
    found = remedies(propose(with_state(finding)))
    assert len(found) > 1 and set(map(tuple, found.values())) == {("request",)}


def test_a_cache_object_is_shared_unless_others_fill_it_with_the_same() -> None:
    users = ("shop.mail.services.post", "shop.orders.services.place")
    cache = state("cache", "shop.extensions.cache", *users, readers=users)
    assert remedies(propose(with_state(cache))) == {"mail": ["shared"], "orders": ["shared"]}
    clears = state("cache", "shop.extensions.cache", *users, readers=users[:1])
    assert remedies(propose(with_state(clears)))["mail"] == ["request"]


def kept_in(path: str, kind: str, *writers: str, **more: tuple[str, ...]) -> StateFinding:
    finding = state(kind, path, *writers, readers=more.pop("readers", ()))
    return msgspec.structs.replace(finding, path=path, **more)


def test_who_writes_a_folder_owns_it_and_others_mount_it() -> None:
    uploads = kept_in(
        "uploads",
        "local-file",
        "shop.orders.services.place",
        readers=("shop.payments.services.pay",),
    )
    graph = with_state(uploads)
    plan = propose(graph)
    folders = {n: s.folders["uploads"] for n, s in plan.services.items() if s.folders}
    assert {name: (f.owner, f.writes) for name, f in folders.items()} == {
        "orders": ("orders", True),
        "payments": ("orders", False),
    }
    assert folders["payments"].advice == "object storage"
    (finding,) = [f for f in plan.findings if f.kind == "shared-folder"]
    assert finding.message == "written by orders, read by payments: a shared volume"
    plan.services["mail"].folders["letters"] = Folder(owner="mail", writes=True)
    assert "letters" in resolve(graph, plan).services["mail"].folders


def test_two_writers_of_a_folder_are_a_finding() -> None:
    both = ("shop.orders.services.place", "shop.payments.services.pay")
    plan = propose(with_state(kept_in("uploads", "local-file", *both)))
    (finding,) = [f for f in plan.findings if f.kind == "shared-folder"]
    assert finding.message == "orders and payments write files in one folder"


def test_what_is_written_as_a_process_starts_is_written_by_every_service() -> None:
    readers = ("shop.payments.services.pay",)
    plan = propose(with_state(kept_in("logs", "local-file", "shop.app.create", readers=readers)))
    assert len(plan.services) > 1
    assert all(service.folders["logs"].writes for service in plan.services.values())


def test_an_index_is_written_by_who_owns_its_tables() -> None:
    searched = ("shop.payments.views.show",)
    index = kept_in("index/orders", "index", tables=("orders",), readers=searched)
    plan = propose(with_state(index))
    assert plan.services["payments"].folders["index/orders"].owner == "orders"
    assert not plan.services["payments"].folders["index/orders"].writes


def test_a_folder_of_no_service_is_refused() -> None:
    graph = with_state()
    plan = propose(graph)
    plan.services["mail"].folders["letters"] = Folder(owner="post")
    with pytest.raises(PlanError, match="post"):
        resolve(graph, plan)
