"""What a web process answers besides the monolith's own answers."""

from __future__ import annotations

from two_services import CREDENTIAL, System, ask


def test_a_foreign_route_is_misdirected_but_known(system: System) -> None:
    web = system.orders.address("web-1")
    answer = ask(web + "/members/1")
    assert (answer.status, answer.json["service"]) == (421, "accounts")
    assert ask(web + "/members/1", "DELETE").status == 405
    assert {"GET", "PUT"} <= set(ask(web + "/members/1", "DELETE").headers["Allow"].split(", "))
    options = ask(web + "/members/1", "OPTIONS")
    assert options.status == 200
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT"}
    assert ask(web + "/nowhere").json == {"error": "missing"}, "the application's own page"
    member = system.member("links@x")
    made = system.post(system.orders, "/orders", member=member, total=1)
    assert made.json["member"] == f"/members/{member}", "url_for knows foreign endpoints"


def test_every_answer_carries_a_request_id(system: System) -> None:
    web = system.orders.address("web-1")
    assert len(ask(web + "/counters").headers["X-Request-Id"]) == 32
    given = ask(web + "/nowhere", headers={"X-Request-Id": "abc-1"})
    assert given.headers["X-Request-Id"] == "abc-1"
    assert given.headers["X-Served-By"] == "orders"
    bad = ask(web + "/nowhere", headers={"X-Request-Id": "a b<script>"})
    assert bad.headers["X-Request-Id"] != "a b<script>"


def test_feeds_and_calls_want_the_credential(system: System) -> None:
    feed, calls = system.accounts.address("feed"), system.accounts.address("calls")
    for url in (feed + "/feed/head", feed + "/feed/snapshot?tables=members", calls + "/calls/x"):
        assert ask(url).status == 401
        assert ask(url, headers={"Authorization": "Bearer wrong"}).status == 401
    authorized = {"Authorization": "Bearer " + CREDENTIAL, "X-Service": "orders"}
    assert ask(feed + "/feed/head", headers=authorized).status == 200
    hidden = ask(feed + "/feed/snapshot?tables=_commands", headers=authorized)
    assert hidden.status == 400
    stranger = {**authorized, "X-Service": "stranger"}
    body = {"key": "k", "position": ["", 0], "deadline": 0, "items": [], "context": None}
    assert ask(calls + "/calls/shop.billing.charge", "POST", body, stranger).status == 404


def test_probes_on_every_process(system: System) -> None:
    for process in ("web-1", "calls", "feed"):
        web = system.orders.address(process)
        assert ask(web + "/_service/live").json == {"live": True, "service": "orders"}
        assert ask(web + "/_service/ready").json == {"ready": True, "reasons": []}
        assert b"servicekit_" in ask(web + "/_service/metrics").body


def test_reflection_finds_replicas_and_nothing_shadows_them(system: System) -> None:
    found = system.case("tables")
    own, replicas = ["order_tags", "orders", "stickers"], ["members", "notes", "profiles"]
    assert found["names"] == sorted(own + replicas)
    assert found["columns"] == ["id", "email", "balance", "visits", "last_seen", "changed"]
    assert ask(system.orders.address("web-1") + "/_service/ready").status == 200


def test_shared_and_request_state(system: System) -> None:
    system.post(system.orders, "/counter")
    assert system.post(system.orders, "/counter").json["seen"] == 1
    counters = system.get(system.orders, "/counters").json
    assert counters["hits"] >= 2 and counters["limit"] == 10
    assert counters["queue"] == list(range(counters["hits"]))


def test_logs_are_json_with_the_request_id(system: System) -> None:
    member = str(system.member("logged@x"))
    url = system.orders.address("web-1") + "/cases/write_replica"
    body = {"member": int(member), "how": "bulk"}
    ask(url, "POST", body, {"X-Request-Id": "find-me"})
    line = next(line for line in system.orders.log("web-1").splitlines() if "find-me" in line)
    assert line.startswith("{") and '"service": "orders"' in line and "case_write_replica" in line
