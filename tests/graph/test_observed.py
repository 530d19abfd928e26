"""Merging what was observed: rates, holes, counts, attribution."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from migrator.facts.observation.session import new_session, observations_digest
from migrator.graph.observed import merge
from migrator.model.graph import Confidence, EdgeKind, Graph, NodeKind
from migrator.model.program import (
    Access,
    EntryPoint,
    Event,
    Function,
    Program,
    StateFinding,
    Table,
)

LINES = [
    ["process", 1, "", "3.8.18"],
    ["file", 0, "shop/views.py", "abc"],
    ["function", 10, 0, "buy", 5, 20, [11, 12]],
    ["function", 13, 0, "count", 30, 34, [14, 15]],
    ["function", 16, 0, "seen", 40, 44, []],
    ["text", 0, "INSERT INTO orders (id) VALUES (?)"],
    ["text", 1, "SELECT * FROM Member JOIN shop_title ON 0"],
    ["text", 2, "UPDATE member SET seen = ?"],
    ["text", 3, "SELECT name FROM sqlite_master"],
    ["text", 4, "DELETE FROM audit"],
    ["text", 5, "SELECT * FROM plugin_notes"],
]


def access(table: str, *path: str, operation: str = "", confidence: str = "proven") -> Access:
    return Access(
        table=table,
        path=path,
        file="shop/views.py",
        line=1,
        operation=operation,  # type: ignore[arg-type]
        confidence=confidence,  # type: ignore[arg-type]
        in_hook=path[0] == "shop.views.seen",
    )


def sketch() -> Graph:
    """One route with a hook; two functions; three tables."""
    names = ("buy", "count", "seen")
    functions = {
        f"shop.views.{name}": Function(
            name=f"shop.views.{name}", file="shop/views.py", line=1, end_line=2
        )
        for name in names
    }
    entry = EntryPoint(
        name="route:shop.buy",
        kind="route",
        handler="shop.views.buy",
        file="shop/views.py",
        line=5,
        hooks=("shop.views.seen",),
        roots=("shop.views.buy",),
        reads=(access("member", "shop.views.buy", confidence="likely"),),
        writes=(
            access("orders", "shop.views.buy", operation="insert"),
            access("title", "shop.views.buy", operation="update"),
            access("member", "shop.views.seen", operation="update"),
        ),
    )
    graph = Graph(
        Program(
            modules={"shop.views": "shop/views.py"},
            functions=functions,
            hooks=("shop.views.seen",),
            entry_points={entry.name: entry},
            tables={
                name: Table(name=name, file="m.py", line=1)
                for name in ("orders", "member", "title", "audit")
            },
        )
    )
    for name in names:
        graph.add_node(NodeKind.FUNCTION, f"shop.views.{name}")
    for name in graph.program.tables:
        graph.add_node(NodeKind.TABLE, name)
    graph.add_node(NodeKind.ENTRY_POINT, entry.name)
    orders = graph.find(NodeKind.TABLE, "orders")
    buy, count = (graph.find(NodeKind.FUNCTION, f"shop.views.{each}") for each in names[:2])
    assert orders is not None and buy is not None and count is not None
    graph.add_edge(EdgeKind.WRITES, buy, orders, "shop/views.py", 6)
    graph.add_edge(EdgeKind.CALLS, buy, count, "shop/views.py", 8, Confidence.LIKELY)
    return graph


def record(root: Path, *lines: list[object]) -> None:
    session = new_session(root)
    text = "".join(json.dumps(each) + "\n" for each in [*LINES, *lines])
    (session / "1-a.jsonl").write_text(text)


ROUTE = ["entry", 1, "route", "shop.buy", ""]


def test_nothing_recorded_changes_nothing(tmp_path: Path) -> None:
    graph = sketch()
    assert merge(graph, tmp_path) is None
    assert graph.program.observed is None


def test_counts_stand_on_predicted_accesses_and_edges(tmp_path: Path) -> None:
    record(
        tmp_path,
        ROUTE,
        ["statement", 1, 0, [10], 6, 1, 7, ["sqlalchemy"]],
        ["statement", 1, 2, [16], 41, 0, 9, []],
        ["call", 1, 10, 13, 1, 5],
    )
    graph = sketch()
    observed = merge(graph, tmp_path)
    assert observed is not None
    assert (observed.accesses, observed.predicted, observed.holes) == (2, 2, ())
    entry = graph.program.entry_points["route:shop.buy"]
    assert {a.table: a.count for a in entry.writes} == {"orders": 7, "title": 0, "member": 9}
    call = next(graph.edges(EdgeKind.CALLS))
    assert (call.observed, call.confidence) == (5, Confidence.OBSERVED)
    write = next(graph.edges(EdgeKind.WRITES))
    assert (write.observed, write.confidence) == (7, Confidence.PROVEN)


def test_files_are_measured_by_the_folders_that_they_are_kept_in(tmp_path: Path) -> None:
    """What is only read elsewhere (templates, settings) is none of them."""
    record(
        tmp_path,
        ROUTE,
        ["touch", 1, "write", [10], "shop/pictures/small", 6, 1, 2],
        ["touch", 1, "read", [10, 13], "shop/pictures", 31, 1, 3],
        ["touch", 1, "write", [10], "exports", 8, 1, 1],
        ["touch", 1, "read", [13], "shop/templates", 31, 1, 9],
    )
    graph = sketch()
    entry = graph.program.entry_points["route:shop.buy"]
    graph.program.entry_points[entry.name] = replace(entry, functions=("shop.views.buy",))
    graph.program.state.append(
        StateFinding(
            kind="local-file",
            name="shop.views.buy",
            file="shop/views.py",
            line=6,
            writers=("shop.views.buy",),
            path="shop/pictures",
        )
    )
    observed = merge(graph, tmp_path)
    assert observed is not None
    assert (observed.files, observed.files_predicted) == (3, 2)
    (hole,) = observed.holes
    assert (hole.kind, hole.folder, hole.line) == ("write", "exports", 8)
    assert hole.path == ("shop.views.buy",)
    pictures, exports = graph.program.state
    assert pictures.readers == ()
    assert (exports.path, exports.writers) == ("exports", ("shop.views.buy",))


def test_an_index_is_known_by_its_name_wherever_a_setting_has_put_it(tmp_path: Path) -> None:
    record(
        tmp_path,
        ROUTE,
        ["touch", 1, "write", [10], "cache/39/posts/MAIN.tmp", 6, 1, 2],
        ["touch", 1, "write", [10], "cache/39/others", 6, 1, 2],
    )
    graph = sketch()
    entry = graph.program.entry_points["route:shop.buy"]
    graph.program.entry_points[entry.name] = replace(entry, functions=("shop.views.buy",))
    graph.program.state.append(
        StateFinding(
            kind="index",
            name="flask_whooshee posts",
            file="shop/views.py",
            line=6,
            writers=("shop.views.buy",),
            path="whooshee/posts",
        )
    )
    observed = merge(graph, tmp_path)
    assert observed is not None
    assert (observed.files, observed.files_predicted) == (2, 1)
    assert [hole.folder for hole in observed.holes] == ["cache/39/others"]


def test_what_was_not_predicted_is_a_hole_and_enters_the_graph(tmp_path: Path) -> None:
    record(
        tmp_path,
        ROUTE,
        ["statement", 1, 1, [10, 13], 31, 1, 2, []],
        ["statement", 1, 4, [10, 13], 33, 1, 4, []],
        ["statement", 1, 3, [10], 7, 1, 1, []],
    )
    graph = sketch()
    observed = merge(graph, tmp_path)
    assert observed is not None
    assert (observed.accesses, observed.predicted) == (3, 1)
    first, second = observed.holes
    assert (first.kind, first.operation, first.table) == ("write", "delete", "audit")
    assert first.path == ("shop.views.buy", "shop.views.count")
    assert (first.file, first.line, first.count) == ("shop/views.py", 33, 4)
    assert (second.kind, second.table) == ("read", "shop_title")
    entry = graph.program.entry_points["route:shop.buy"]
    added = entry.writes[-1]
    assert (added.table, added.confidence, added.via) == ("audit", "observed", "observed")
    assert entry.reads[0].confidence == "observed"
    assert any(
        edge.target.name == "audit" and edge.confidence == Confidence.OBSERVED
        for edge in graph.edges(EdgeKind.WRITES)
    )


def test_a_missed_entry_point_makes_all_it_touches_a_hole(tmp_path: Path) -> None:
    record(
        tmp_path,
        ["entry", 1, "route", "lost", ""],
        ["statement", 1, 0, [13], 6, 1, 1, []],
        ["entry", 2, "route", "debugtoolbar.save", "flask_debugtoolbar:save"],
        ["statement", 2, 0, [16], 0, 0, 1, []],
    )
    observed = merge(sketch(), tmp_path)
    assert observed is not None
    assert [(each.entry_point, each.known) for each in observed.holes] == [("route:lost", False)]
    assert observed.foreign == ("route:debugtoolbar.save",)


def test_tables_of_installed_packages_are_told_apart(tmp_path: Path) -> None:
    record(tmp_path, ROUTE, ["statement", 1, 5, [10], 6, 1, 3, ["sqlalchemy", "jinja2", "notes"]])
    observed = merge(sketch(), tmp_path)
    assert observed is not None
    assert (observed.accesses, observed.holes) == (0, ())
    assert observed.outside == {"notes": ("plugin_notes",)}


def test_precision_counts_only_entry_points_whose_branches_were_all_taken(tmp_path: Path) -> None:
    run = [ROUTE, ["statement", 1, 0, [10], 6, 1, 1, []]]
    record(tmp_path, *run, ["arms", 1, [10, 11]])
    observed = merge(sketch(), tmp_path)
    assert observed is not None and observed.covered == ()
    record(tmp_path, *run, ["arms", 1, [10, 12]])
    observed = merge(sketch(), tmp_path)
    assert observed is not None and observed.covered == ("route:shop.buy",)
    assert (observed.covered_accesses, observed.covered_seen) == (3, 1)
    assert {(each.kind, each.table) for each in observed.unseen} == {
        ("write", "title"),
        ("read", "member"),
    }
    record(tmp_path, *run, ["arms", 1, [10, 13]])
    observed = merge(sketch(), tmp_path)
    assert observed is not None and observed.covered == (), "a callee of its own is not covered"


def test_what_others_run_only_sometimes_is_judged_only_where_it_ran(tmp_path: Path) -> None:
    """Cached and not called, behind a template's `if`, and rows of a cascade that found none."""
    graph = sketch()
    program = graph.program
    entry = program.entry_points["route:shop.buy"]
    looked = replace(access("member", "shop.views.buy"), via="cascade Order.members")
    called = access("audit", "shop.views.buy", "shop.views.called")
    cached = access("title", "shop.views.buy", "shop.views.cached")
    shown = access("orders", "shop.views.buy", "shop.views.shown")
    changed = replace(looked, operation="update")
    program.entry_points[entry.name] = replace(
        entry, reads=(looked, called, cached, shown), writes=(changed,)
    )
    program.state.append(
        StateFinding(kind="cache", name="x", file="", line=1, readers=("shop.views.cached",))
    )
    events = (
        Event(kind="call", target="shop.views.called", line=6),
        Event(kind="render", line=7),
        Event(kind="call", target="shop.views.shown", line=7),
    )
    buy = program.functions["shop.views.buy"]
    program.functions[buy.name] = replace(buy, events=events)
    record(tmp_path, ROUTE, ["statement", 1, 1, [10], 6, 1, 1, []], ["arms", 1, [10, 11, 12]])
    observed = merge(graph, tmp_path)
    assert observed is not None
    assert (observed.covered_accesses, observed.covered_seen) == (2, 1)
    assert [each.table for each in observed.unseen] == ["audit"]


def test_a_handler_that_a_test_calls_itself_counts_without_hooks(tmp_path: Path) -> None:
    record(
        tmp_path,
        ["entry", 0, "process", "", ""],
        ["statement", 0, 0, [10], 6, 0, 2, []],
        ["statement", 0, 4, [13], 6, 0, 2, []],
    )
    graph = sketch()
    observed = merge(graph, tmp_path)
    assert observed is not None
    assert (observed.accesses, observed.predicted) == (1, 1)
    assert observed.statements == 2


def test_torn_lines_of_killed_processes_are_left_out(tmp_path: Path) -> None:
    record(tmp_path, ROUTE, ["statement", 1, 0, [10], 6, 1, 7, []])
    before = observations_digest(tmp_path)
    for file in tmp_path.glob(".migrator/observations/*/*.jsonl"):
        file.write_text(file.read_text() + '["statement", 1, 0, [10], 6, 1')
    observed = merge(sketch(), tmp_path)
    assert observed is not None and observed.predicted == 1
    assert observations_digest(tmp_path) != before
