"""Replicas: read your own writes, whatever happens to processes and databases."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from two_services import System, ask, eventually


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system whose processes and files are broken and mended by each test."""
    with System(tmp_path_factory.mktemp("rough")) as running:
        yield running


def same_tables(system: System) -> bool:
    pairs = [
        (system.accounts, system.orders, "members"),
        (system.accounts, system.orders, "profiles"),
        (system.orders, system.accounts, "orders"),
        (system.orders, system.accounts, "order_tags"),
    ]
    return all(
        sorted(owner.rows(f"SELECT * FROM {table}"), key=repr)
        == sorted(reader.rows(f"SELECT * FROM {table}", "replicas.db"), key=repr)
        for owner, reader, table in pairs
    )


def stale_pairs(system: System, clients: int, pairs: int, processes: tuple[str, ...]) -> int:
    """Write at the owner, read at the consumer; how often the write was not seen."""

    def client(number: int) -> int:
        member = system.member(f"pair{number}-{time.time_ns()}@x")
        stale = 0
        for turn in range(pairs):
            email = f"{number}-{turn}-{time.time_ns()}@x"
            url = system.accounts.address("web-1") + f"/members/{member}"
            assert ask(url, "PUT", {"email": email}).status == 200
            process = processes[turn % len(processes)]
            read = system.get(system.orders, f"/orders/members/{member}", process)
            stale += read.json["email"] != email
        return stale

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(client, range(clients)))


def test_own_writes_are_read_by_concurrent_clients(rough: System) -> None:
    assert stale_pairs(rough, clients=4, pairs=50, processes=("web-1",)) == 0
    assert same_tables(rough)


def test_two_instances_share_one_copy(rough: System) -> None:
    rough.orders.start("web-2")
    rough.orders.wait_ready("web-2")
    assert stale_pairs(rough, clients=4, pairs=25, processes=("web-1", "web-2")) == 0
    assert same_tables(rough)
    rough.orders.kill("web-2")


def test_tables_without_a_key_and_replicas_both_ways(rough: System) -> None:
    member = rough.member("both@x")
    for total in range(3):
        rough.post(rough.orders, "/orders", member=member, total=total)
    rough.orders.execute("UPDATE order_tags SET tag = 'old' WHERE order_id = 2")
    rough.orders.execute("INSERT INTO order_tags VALUES (2, 'old'), (2, 'old'), (NULL, NULL)")
    rough.orders.execute("DELETE FROM order_tags WHERE rowid = 2")
    assert len(rough.get(rough.accounts, f"/members/{member}/orders").json) == 3
    assert same_tables(rough)


def test_a_long_write_transaction_at_the_owner_holds_nobody_up(rough: System) -> None:
    member = rough.member("long@x")
    writer = sqlite3.connect(rough.accounts.data / "service.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE members SET email = 'pending@x' WHERE id = ?", (member,))
    started = time.time()
    read = rough.get(rough.orders, f"/orders/members/{member}")
    assert (read.json["email"], read.headers["X-Replica-Stale"]) == ("long@x", None)
    assert time.time() - started < 0.4
    writer.execute("COMMIT")
    writer.close()
    assert rough.get(rough.orders, f"/orders/members/{member}").json["email"] == "pending@x"


def test_an_owner_that_is_down(rough: System) -> None:
    member = rough.member("down@x")
    path = f"/orders/members/{member}"
    assert rough.get(rough.orders, path).headers["X-Replica-Stale"] is None
    rough.accounts.kill("web-1", "calls", "feed")
    started = time.time()
    read = rough.get(rough.orders, path)
    assert read.json["email"] == "down@x"
    owner, seconds = read.headers["X-Replica-Stale"].split(";")
    assert (owner, int(seconds) < 5) == ("accounts", True)
    crossing = rough.post(rough.orders, "/cases/pay", member=member, amount=1)
    expected = {"error": "dependency unavailable", "service": "accounts"}
    assert (crossing.status, crossing.json) == (503, expected)
    assert rough.post(rough.orders, "/cases/visit", member=member).status == 200, "deferred"
    assert time.time() - started < 1
    rough.accounts.start()
    rough.accounts.wait_ready()
    eventually(lambda: rough.case("pay", member=member, amount=1)["balance"] == 99)
    assert rough.get(rough.accounts, f"/members/{member}").json["visits"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freshness", "headers", "seen"),
    [("eventual", {}, False), ("session", {}, False), ("session", {"Cookie": "a=b"}, True)],
)
def test_freshness_that_is_less_than_strict(
    rough: System, freshness: str, headers: dict[str, str], seen: bool
) -> None:
    manifest = json.loads((rough.orders.folder / "service.json").read_text())
    for replica in manifest["replicas"].values():
        replica["freshness"] = freshness
    path = rough.orders.folder / "loose.json"
    path.write_text(json.dumps(manifest))
    member = rough.member(f"{freshness}{len(headers)}@x")
    rough.get(rough.orders, f"/orders/members/{member}")
    rough.orders.kill("feed")
    rough.orders.environment["SERVICE_MANIFEST"] = str(path)
    rough.orders.start("web-2")
    rough.orders.environment["SERVICE_MANIFEST"] = str(rough.orders.folder / "service.json")
    rough.orders.wait_ready("web-2")
    rough.accounts.execute(f"UPDATE members SET email = 'new' WHERE id = {member}")
    read = rough.get(rough.orders, f"/orders/members/{member}", "web-2", **headers)
    assert (read.json["email"] == "new") is seen
    rough.accounts.execute(f"UPDATE members SET email = 'old{member}' WHERE id = {member}")
    rough.orders.kill("web-2")
    rough.orders.start("feed")
    query = f"SELECT email FROM members WHERE id = {member}"
    eventually(lambda: rough.orders.rows(query, "replicas.db") == [(f"old{member}",)])


def test_a_late_owner_is_refused_where_the_plan_says_so(rough: System) -> None:
    manifest = json.loads((rough.orders.folder / "service.json").read_text())
    manifest["replicas"]["members"]["when_late"] = "refuse"
    path = rough.orders.folder / "refuse.json"
    path.write_text(json.dumps(manifest))
    member = rough.member("late@x")
    rough.orders.environment["SERVICE_MANIFEST"] = str(path)
    rough.orders.start("web-2")
    rough.orders.environment["SERVICE_MANIFEST"] = str(rough.orders.folder / "service.json")
    rough.orders.wait_ready("web-2")
    read = f"/orders/members/{member}"
    assert rough.get(rough.orders, read, "web-2").status == 200
    feed = rough.accounts.processes["feed"].pid
    os.killpg(feed, signal.SIGSTOP)
    try:
        answer = rough.get(rough.orders, read)
        assert (answer.status, answer.headers["X-Replica-Stale"][:8]) == (200, "accounts")
        refused = rough.get(rough.orders, read, "web-2")
        assert (refused.status, refused.json["service"]) == (503, "accounts")
    finally:
        os.killpg(feed, signal.SIGCONT)
    rough.orders.kill("web-2")


def test_an_owner_that_was_reset(rough: System) -> None:
    """Restored from a backup, and as far on as the cursor: only the epoch tells."""
    rough.accounts.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(rough.accounts.data / "service.db", rough.accounts.folder / "backup.db")
    lost = rough.member("lost@x")
    assert rough.get(rough.orders, f"/orders/members/{lost}").json["email"] == "lost@x"
    rough.accounts.kill("web-1", "calls", "feed")
    for path in rough.accounts.data.glob("service.db*"):
        path.unlink()
    shutil.copy(rough.accounts.folder / "backup.db", rough.accounts.data / "service.db")
    rough.accounts.migrate("--new-epoch")
    rough.accounts.start()
    rough.accounts.wait_ready()
    other = rough.member("other@x")
    assert other == lost
    assert rough.get(rough.orders, f"/orders/members/{other}").json["email"] == "other@x"
    assert same_tables(rough)


def test_a_replica_that_lost_a_row_is_made_anew(rough: System) -> None:
    member = rough.member("gap@x")
    rough.get(rough.orders, f"/orders/members/{member}")
    rough.orders.execute("UPDATE _gate SET open = 1", "replicas.db")
    rough.orders.execute("DELETE FROM members", "replicas.db")
    rough.orders.execute("UPDATE _gate SET open = 0", "replicas.db")
    rough.accounts.execute(f"UPDATE members SET visits = 7 WHERE id = {member}")
    assert rough.get(rough.orders, f"/orders/members/{member}").json["email"] == "gap@x"
    assert same_tables(rough)


def test_kill_9_under_load_loses_and_doubles_nothing(rough: System) -> None:
    member = rough.member("killed@x")
    over = threading.Event()
    paid: list[int] = []

    def load() -> int:
        visits = 0
        while not over.is_set():
            try:
                answer = rough.post(rough.orders, "/cases/visit", member=member)
                visits += answer.status == 200
                rough.post(rough.orders, "/orders", member=member, total=1)
                order = rough.post(rough.orders, "/cases/reserve", member=member, commit=True)
                paid.append(order.status)
            except OSError:
                time.sleep(0.02)
        return visits

    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load) for _ in range(2)]
        for service, process in (
            (rough.orders, "feed"),
            (rough.accounts, "calls"),
            (rough.accounts, "feed"),
        ):
            time.sleep(0.5)
            service.kill(process)
            time.sleep(0.2)
            service.start(process)
        service.wait_ready()
        over.set()
        visits = sum(each.result() for each in loads)
    rough.orders.wait_ready()
    rough.accounts.wait_ready()
    eventually(lambda: not rough.orders.rows("SELECT * FROM _commands"), seconds=20)
    shown = rough.get(rough.accounts, f"/members/{member}").json
    assert shown["visits"] == visits > 0
    eventually(lambda: not rough.orders.rows("SELECT * FROM _intents", "state.db"), seconds=20)
    left = rough.accounts.rows(f"SELECT balance FROM members WHERE id = {member}")[0][0]
    assert left == 100 - 7 * paid.count(200)
    rough.get(rough.accounts, f"/members/{member}/orders")
    rough.get(rough.orders, f"/orders/members/{member}")
    assert same_tables(rough)


def test_a_caller_killed_after_the_call_has_not_called(rough: System) -> None:
    """The owner committed what the caller's own transaction never confirmed: it is undone."""
    member = rough.member("crash@x")
    rough.get(rough.orders, f"/orders/members/{member}")
    program = (
        "import os; from shop import create_app\n"
        "app = create_app()\n"
        "with app.app_context():\n"
        "    from shop import billing; from shop.models import Member\n"
        f"    print(billing.reserve(Member.query.get({member}), 7), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    rough.orders.kill("feed")
    done = rough.orders.run("-m", "servicekit.run", "python", "-c", program)
    assert (done.stdout, done.returncode) == ("93\n", -9), done.stderr
    assert rough.case("reserve", member=member, commit=True)["balance"] == 86, "somebody else"
    rough.orders.start("feed")
    query = f"SELECT balance FROM members WHERE id = {member}"
    eventually(lambda: rough.accounts.rows(query) == [(93,)])
    eventually(lambda: not rough.orders.rows("SELECT * FROM _intents", "state.db"))


def test_a_worker_sees_current_replicas(rough: System) -> None:
    member = rough.member("worker0@x")
    worker = subprocess.Popen(
        [rough.orders.python, "-m", "servicekit.run", "python", "-m", "shop.worker"],
        cwd=rough.orders.folder / "src",
        env=rough.orders.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None and worker.stdout is not None
    for turn in range(5):
        email = f"worker{turn + 1}@x"
        ask(rough.accounts.address("web-1") + f"/members/{member}", "PUT", {"email": email})
        time.sleep(0.06)
        worker.stdin.write(f"{member}\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == email + "\n"
    worker.stdin.close()
    assert worker.wait(10) == 0


def test_a_leased_thread_runs_in_one_process_of_a_service(rough: System) -> None:
    ticks = rough.orders.data / "ticks"
    ticks.write_text("")
    eventually(lambda: len(ticks.read_text().split()) > 5)
    assert len(set(ticks.read_text().split())) == 1
    rough.orders.kill("web-1", "calls")
    ticks.write_text("")
    rough.orders.start("calls", "web-1")
    eventually(lambda: len(ticks.read_text().split()) > 5)
    assert len(set(ticks.read_text().split())) == 1
    rough.orders.wait_ready()
