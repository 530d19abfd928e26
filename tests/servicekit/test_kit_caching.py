"""Results that the monolith keeps: for all processes, or for a request."""

from __future__ import annotations

import pytest
from two_services import Service

MEMO = """
import functools, sys
from servicekit import scope
from servicekit.caching import request_memo, shared_memo
asked = []
@shared_memo("price")
def price(kind, *, weight=1):
    asked.append(kind)
    return {"kind": kind, "weight": weight}
@shared_memo("opened")
def opened(name):
    asked.append(name)
    return open(name)
class Miller:
    @request_memo("Miller.name")
    def name(self):
        asked.append("name")
        return object()
    @classmethod
    @request_memo("Miller.all")
    def all(cls):
        asked.append("all")
        return None
if sys.argv[1:] == ["clear"]:
    price.cache_clear()
print(price("rye"), price("rye"), price("rye", weight=2), price.__name__)
assert opened("/dev/null") is not opened("/dev/null"), "a file cannot be kept"
anna, bert = Miller(), Miller()
with scope.unit(scope.Scope("one")):
    first = anna.name()
    assert anna.name() is first and bert.name() is not first
    Miller.all(), Miller.all()
    anna.name.cache_clear()
    assert anna.name() is not first
with scope.unit(scope.Scope("two")):
    assert anna.name() is not first
print(asked)
"""
OPENED = ["/dev/null", "/dev/null", "name", "name", "all", "name", "name"]
CACHE = """
import sys, time
import flask, flask_caching
from servicekit import scope
from servicekit.caching import request_cache, shared_cache
made = {"shared": shared_cache, "request": request_cache}[sys.argv[1]]
app = flask.Flask("mill")
app.config.update(CACHE_TYPE=sys.argv[2], CACHE_NO_NULL_WARNING=True)
cache = made("mill.cache", flask_caching.Cache)()
cache.init_app(app)
assert isinstance(cache, flask_caching.Cache)
asked = []
class Sack:
    @classmethod
    @cache.cached(key_prefix="sacks")
    def all(cls):
        asked.append("all")
        return ["rye"]
    @cache.memoize()
    def weight(self):
        asked.append("weight")
        return 50
    def __repr__(self):
        return "Sack()"
with app.app_context(), app.test_request_context("/"):
    for name in ("one", "two"):
        with scope.unit(scope.Scope(name)):
            Sack.all(), Sack.all(), Sack().weight(), Sack().weight()
    with scope.unit(scope.Scope("three")):
        Sack().weight()
        cache.delete_memoized(Sack.weight)
        Sack().weight()
        cache.set("short", 1, timeout=0.01)
        time.sleep(0.05)
        assert cache.get("short") is None and not cache.has("short")
        cache.add("n", 1)
        assert cache.get_many("n", "m") in ([1, None], [None, None])
        cache.clear()
print(asked)
"""


def test_shared_results_are_asked_for_once_in_all_processes(service: Service) -> None:
    first, second = service.run("-c", MEMO), service.run("-c", MEMO)
    known = "{'kind': 'rye', 'weight': 1}"
    said = f"{known} {known} {{'kind': 'rye', 'weight': 2}} price\n"
    assert first.stdout == f"{said}{['rye', 'rye', *OPENED]}\n", first.stderr
    assert second.stdout == f"{said}{OPENED}\n", second.stderr
    assert service.run("-c", MEMO, "clear").stdout == first.stdout


@pytest.mark.parametrize(
    ("remedy", "backend", "asked"),
    [
        ("shared", "SimpleCache", ["all", "weight", "weight"]),
        ("request", "SimpleCache", ["all", "weight"] * 2 + ["weight", "weight"]),
        ("shared", "flask_caching.backends.NullCache", ["all", "all", "weight", "weight"] * 2),
    ],
)
def test_a_cache_in_the_process_is_kept_for_all_or_for_a_request(
    service: Service, remedy: str, backend: str, asked: list[str]
) -> None:
    done = service.run("-c", CACHE, remedy, backend)
    if "Null" in backend:
        asked = [*asked, "weight", "weight"]
    assert done.stdout == f"{asked}\n", done.stderr


def test_what_a_cache_holds_outlives_the_process(service: Service) -> None:
    keep = CACHE.replace("        cache.clear()\n", "")
    service.run("-c", keep, "shared", "SimpleCache")
    assert service.run("-c", keep, "shared", "SimpleCache").stdout == "['weight']\n"
