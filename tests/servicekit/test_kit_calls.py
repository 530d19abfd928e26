"""Calls that cross, as the monolith's code sees them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from two_services import System, eventually

numbers = count()


@pytest.fixture
def member(system: System) -> int:
    return system.member(f"caller{next(numbers)}@x")


def balance(system: System, member: int) -> int:
    return int(system.accounts.rows(f"SELECT balance FROM members WHERE id = {member}")[0][0])


def test_an_entity_goes_out_and_comes_back_as_the_same_object(system: System, member: int) -> None:
    assert system.case("pay", member=member, amount=5) == {"same": True, "balance": 95}
    assert balance(system, member) == 95


def test_the_commit_of_the_callee_saves_what_the_caller_had_pending(
    system: System, member: int
) -> None:
    found = system.case("pay_for_new_order", member=member, total=4)
    assert found["kept"] == 1
    # The owner saw the order's columns, which were not committed when it was called.
    rows = system.accounts.rows(f"SELECT bio FROM profiles WHERE member_id = 1000 + {found['id']}")
    assert rows == [("paid 4",)]


def test_a_domain_exception_comes_back_as_itself(system: System, member: int) -> None:
    found = system.case("pay_too_much", member=member)
    assert found == {"args": [f"member {member} needs 1000000"], "needed": 1000000}


def test_what_the_callee_left_open_follows_the_caller(system: System, member: int) -> None:
    assert system.case("reserve", member=member, commit=True) == {"left": 93, "balance": 93}
    assert system.case("reserve", member=member, commit=False) == {"left": 86, "balance": 93}
    assert system.post(system.orders, "/cases/reserve_and_fail", member=member).status == 500
    assert system.case("reserve_in_savepoint", member=member) == {"balance": 93}
    assert balance(system, member) == 93
    assert system.orders.rows("SELECT * FROM _intents", "state.db") == []


def test_an_open_transaction_sees_what_the_callee_did(system: System, member: int) -> None:
    """SQLite pins what a transaction sees of the replica: the values come with the answer."""
    found = system.case("reserve_in_open_transaction", member=member)
    assert found == {"left": 93, "balance": 93}


def test_the_rollback_of_the_callee_takes_the_callers_work_along(
    system: System, member: int
) -> None:
    assert system.case("reject", member=member) == {"orders": 0}
    assert balance(system, member) == 100


def test_methods_and_class_methods(system: System, member: int) -> None:
    name = f"renamed{member}@x"
    assert system.case("rename", member=member, email=name) == {"email": name}
    found = system.case("register", email=f"made{member}@x")
    assert (found["balance"], found["email"]) == (5, f"made{member}@x")
    assert system.case("register_twice", email=f"twice{member}@x") == {"error": "IntegrityError"}


def test_values_context_and_generators(system: System, member: int) -> None:
    assert system.case("echo") == {"equal": True}
    assert system.case("whoami") == {"answer": "none:/cases/whoami::a:b"}
    assert len(system.case("newest", count=2)["emails"]) == 2
    assert system.case("surprise") == {"error": "KeyError"}
    assert system.case("keep", member=member, bio="new") == {"bio": "new", "kept": "new"}
    assert system.post(system.orders, "/cases/cannot_cross").status == 500
    assert "echo: argument 0 is a builtins.object" in system.orders.log("web-1")


def test_the_callee_sees_what_the_caller_has_committed(system: System, member: int) -> None:
    assert system.case("orders_of", member=member) == {"seen": True}


def test_rows_are_written_at_their_owner_within_the_flush(system: System, member: int) -> None:
    system.case("keep", member=member, bio="old")
    assert system.case("edit_profile", member=member, bio="new") == {"bio": "new"}
    lost = system.case("edit_profile", member=member, bio="lost", commit=False)
    assert lost == {"bio": "new"}
    row = system.accounts.rows(f"SELECT bio, edits FROM profiles WHERE member_id = {member}")
    assert row == [("new", 1)]


def test_an_object_whose_row_the_owner_inserts_goes_on_as_one_with_a_row(
    system: System, member: int
) -> None:
    """Its further changes, and calls that it is given to, mean that row."""
    assert system.case("new_profile", member=member, bio="hi") == {"bio": "hi!", "persistent": True}
    row = system.accounts.rows(f"SELECT bio FROM profiles WHERE member_id = {50_000 + member}")
    assert row == [("hi!",)]


def test_rows_take_along_what_the_flush_does_to_keys(system: System, member: int) -> None:
    """Children of a deleted parent lose it, whichever end is another service's."""
    made = system.case("annotate", member=member, words=["a", "b"])
    first, second = made["notes"]
    notes = f"SELECT id, order_id FROM notes WHERE id IN ({first}, {second})"
    assert system.accounts.rows(notes) == [(first, made["order"]), (second, made["order"])]
    stickers = f"SELECT note_id FROM stickers WHERE note_id IN ({first}, {second})"
    assert system.orders.rows(stickers) == [(first,), (second,)]

    assert system.case("drop_note", number=first) == {"left": 0}
    assert system.accounts.rows(notes) == [(second, made["order"])]
    assert system.orders.rows(stickers) == [(second,)]

    assert system.case("drop_order", number=made["order"]) == {"left": 0}
    assert system.accounts.rows(notes) == [(second, None)]


def test_rows_take_along_what_a_collection_lost(system: System, member: int) -> None:
    made = system.case("annotate", member=member, words=["a"])
    assert system.case("take_notes_off", number=made["order"]) == {"left": 0}
    rows = system.accounts.rows(f"SELECT order_id FROM notes WHERE id = {made['notes'][0]}")
    assert rows == [(None,)]


def test_what_a_constraint_of_the_owner_refuses_is_an_error_of_the_orm(
    system: System, member: int
) -> None:
    (note,) = system.case("annotate", member=member, words=["a"])["notes"]
    refused = {"error": "NOT NULL constraint failed: notes.words", "words": "a"}
    assert system.case("nameless", number=note) == refused


def test_a_row_is_never_sent_without_the_key_that_it_waits_for(system: System, member: int) -> None:
    answer = system.post(system.orders, "/cases/annotate_new", member=member, words="too early")
    assert (answer.status, answer.json["table"]) == (500, "notes")
    assert not system.accounts.rows("SELECT 1 FROM notes WHERE words = 'too early'")


def test_what_the_callee_left_pending_may_be_refused_by_the_database(
    system: System, member: int
) -> None:
    other = system.member(f"taken{member}@x")
    assert other
    found = system.case("take_email", member=member, other=f"taken{member}@x")
    assert found["error"] == "IntegrityError"
    assert found["email"].startswith("caller")


def test_a_call_that_comes_too_late_has_not_happened(system: System, member: int) -> None:
    before = time.time()
    answer = system.post(system.orders, "/cases/slow", member=member, seconds=3)
    assert (answer.status, answer.json["service"]) == (503, "accounts")
    assert time.time() - before < 3
    # It was cancelled while it ran; other calls were not held up by it.
    assert system.case("pay", member=member, amount=1)["balance"] == 99
    time.sleep(max(0.0, before + 4 - time.time()))
    assert balance(system, member) == 99
    assert system.orders.rows("SELECT * FROM _intents", "state.db") == []


def test_a_repeated_call_is_done_once(system: System, member: int) -> None:
    """The first try is slower than its share of the deadline: the second gets its answer."""
    assert system.case("slow", member=member, seconds=1.4) == {"balance": 99}
    assert balance(system, member) == 99


def test_parallel_calls_lose_nothing(system: System, member: int) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: system.case("reserve", member=member, commit=True), range(30)))
    assert balance(system, member) == 100 - 30 * 7


def test_a_deferred_call_is_seen_by_the_next_reader(system: System, member: int) -> None:
    for visit in range(1, 11):
        system.case("visit", member=member)
        shown = system.get(system.accounts, f"/members/{member}").json
        assert shown["visits"] == visit


def test_calls_that_are_deferred_while_a_flush_goes_on(system: System) -> None:
    """The object has no row yet, and then one that its owner keeps to itself."""
    system.case("noted")
    system.get(system.accounts, "/members/1")  # its service has what was deferred before it answers
    noted = "SELECT words FROM notes WHERE words LIKE 'Sticker%' ORDER BY id"
    assert system.accounts.rows(noted) == [("Sticker 41",), ("Sticker 42",)]


def test_deferred_rows_leave_the_rest_of_the_replica_guarded(system: System, member: int) -> None:
    system.get(system.orders, "/counters", **{"X-Member": str(member)})
    shown = system.get(system.accounts, f"/members/{member}").json
    assert shown["last_seen"] == "2020-01-02 03:04:05"


def test_deferred_rows_are_seen_by_the_request_that_changed_them(
    system: System, member: int
) -> None:
    """The hook commits, so that the handler loads the object anew."""
    path = f"/orders/members/{member}"
    assert system.get(system.orders, path).json["last_seen"] == "None"
    answer = system.get(system.orders, path, **{"X-Member": str(member)})
    assert answer.json["last_seen"] == "2020-01-02 03:04:05"


@pytest.mark.parametrize("how", ["orm", "bulk", "ignore", "delete", "drop"])
def test_a_write_to_a_replica_is_refused_though_the_code_swallows_errors(
    system: System, member: int, how: str
) -> None:
    answer = system.post(system.orders, "/cases/write_replica", member=member, how=how)
    expected = {"error": "ownership violation", "table": "members", "service": "accounts"}
    assert (answer.status, answer.json) == (500, expected)
    assert system.get(system.orders, f"/orders/members/{member}").json["email"]
    metrics = system.get(system.orders, "/_service/metrics").body.decode()
    assert 'ownership_violations_total{owner="accounts",table="members"}' in metrics


def test_no_intent_and_no_command_is_left(system: System) -> None:
    eventually(lambda: not system.orders.rows("SELECT * FROM _commands"))
    assert system.orders.rows("SELECT * FROM _intents", "state.db") == []
