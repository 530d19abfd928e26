"""Calls: own cases of every kind as pairs of text, and that neither names nor order matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from migrator.graph.build import build_graph
from migrator.model.graph import EdgeKind, Graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings

GOLDEN = Path(__file__).parent / "golden" / "calls.txt"


class Case(NamedTuple):
    name: str
    files: dict[str, str]
    calls: dict[str, set[str]]


def _cases() -> Iterator[Case]:
    for text in re.split(r"^CASE ", GOLDEN.read_text(), flags=re.M)[1:]:
        source, _, expected = text.partition("\nCALLS\n")
        name, *files = re.split(r"^FILE ", source, flags=re.M)
        written = {}
        for each in files:
            path, _, body = each.partition("\n")
            written[path] = body + "\n"
        calls = {}
        for line in expected.strip().splitlines():
            caller, _, callees = line.partition(":")
            calls[caller] = set(callees.split())
        yield Case(name.strip(), written, calls)


CASES = list(_cases())


def graph_of(root: Path, files: dict[str, str]) -> Graph:
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(body)
    return build_graph(root, Settings(), Silent())


def calls_of(graph: Graph) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for edge in graph.edges(EdgeKind.CALLS):
        found.setdefault(edge.source.name, set()).add(edge.target.name)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_calls(case: Case, tmp_path: Path) -> None:
    found = calls_of(graph_of(tmp_path, case.files))
    assert {caller: found.get(caller, set()) for caller in case.calls} == case.calls


@pytest.mark.parametrize("case", CASES[:12], ids=[case.name for case in CASES[:12]])
def test_names_do_not_matter(case: Case, tmp_path: Path) -> None:
    def renamed(text: str) -> str:
        return re.sub(r"\b(one|two|act|run|first|inner|guard|ship)\b", r"\1_qx", text)

    files = {path: renamed(body) for path, body in case.files.items()}
    found = calls_of(graph_of(tmp_path, files))
    expected = {
        renamed(caller): {renamed(each) for each in callees}
        for caller, callees in case.calls.items()
    }
    assert {caller: found.get(caller, set()) for caller in expected} == expected


def test_events_stand_in_order_with_their_place(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        {
            "shop.py": "def one(): pass\n"
            "def two(x=None): pass\n"
            "def run(items):\n"
            "    two(one())\n"
            "    for each in items:\n"
            "        one()\n"
            "    if items:\n"
            "        found = one()\n"
            "    try:\n"
            "        one()\n"
            "    except ValueError:\n"
            "        pass\n"
        },
    )
    events = [each for each in graph.program.functions["shop.run"].events if each.kind == "call"]
    assert [(each.target, each.line, each.column, each.end_column) for each in events] == [
        ("shop.one", 4, 8, 13),
        ("shop.two", 4, 4, 14),
        ("shop.one", 6, 8, 13),
        ("shop.one", 8, 16, 21),
        ("shop.one", 10, 8, 13),
    ]
    assert [each.in_loop for each in events] == [False, False, True, False, False]
    assert [each.conditional for each in events] == [False, False, True, True, False]
    assert [each.result_used for each in events] == [True, False, False, True, False]
    assert [each.handled for each in events] == [False, False, False, False, True]


def test_types_raises_and_returns(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        {
            "shop.py": "class Order: pass\n"
            "class Refused(Exception): pass\n"
            "def make(): return Order()\n"
            "def many(): return [Order()]\n"
            "def take(order, *, flag=False):\n"
            "    raise Refused('no')\n"
            "def run(): take(make())\n"
        },
    )
    functions = graph.program.functions
    assert functions["shop.make"].returns == ("shop.Order",)
    assert functions["shop.many"].returns == ("list[shop.Order]",)
    assert functions["shop.take"].raises == ("shop.Refused",)
    order, flag = functions["shop.take"].parameters
    assert (order.types, order.default, flag.kind, flag.default) == (
        ("shop.Order",),
        False,
        "keyword",
        True,
    )
    assert graph.program.classes["shop.Refused"] == ("builtins.Exception",)


def test_what_is_not_resolved_is_listed_and_not_guessed(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, {"shop.py": "def ship(): pass\ndef run(thing):\n    thing.ship()\n"})
    assert "shop.run" not in calls_of(graph)
    assert [(each.reason, each.function, each.line) for each in graph.program.unresolved] == [
        ("unknown callee", "shop.run", 3)
    ]


def test_a_self_feeding_program_settles(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        {
            "shop.py": "from functools import partial\n"
            "def run(x):\n"
            "    kept = []\n"
            "    act = run\n"
            "    while x:\n"
            "        kept = kept[1:]\n"
            "        kept.append(kept)\n"
            "        act = partial(act, x)\n"
            "        x = x.next.other()\n"
            "    try:\n"
            "        act(x)\n"
            "    except kept as error:\n"
            "        return error\n"
            "    return run(run)\n"
        },
    )
    assert "shop.run" in calls_of(graph)["shop.run"]


def test_a_long_chain_of_copies_is_followed_to_its_end(tmp_path: Path) -> None:
    copies = "".join(f"    d{i + 1} = {{**d{i}}}\n" for i in range(1200))
    graph = graph_of(
        tmp_path,
        {
            "shop.py": "def act(): pass\n"
            f"def run():\n    d0 = {{}}\n{copies}"
            "    d0['act'] = act\n"
            "    d1200['act']()\n"
            "    for key in d1200:\n"
            "        d1200[key]()\n"
        },
    )
    assert calls_of(graph) == {"shop.run": {"shop.act"}}
