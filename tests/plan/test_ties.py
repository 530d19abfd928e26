"""Paths of calls between things, and the cheapest set of calls to cut."""

from __future__ import annotations

import pytest
from monolith_sketch import sketch

from migrator.plan.evidence.reach import Reach
from migrator.plan.explain.ties import Ties

FORK = """
    def a.one.start()
      call a.two.left
      call a.two.right
    def a.two.left()
      call a.two.both
    def a.two.right()
      call a.two.both
    def a.two.both()
      call b.three.end
    def b.three.end()
      call b.three.inner
    def b.three.inner()
"""

DIAMOND = """
    def a.one.start()
      call b.left.go
      call b.right.go
      call b.right.go
    def b.left.go()
      call c.end.write
      call c.end.write
      call c.end.write
    def b.right.go()
      call c.end.write
    def c.end.write()
"""


def ties(text: str) -> Ties:
    program = sketch(text).program
    return Ties(Reach(program), program.functions)


@pytest.mark.parametrize(
    ("text", "target", "cut"),
    [
        (FORK, "b.three.end", [("a.two.both", "b.three.end")]),
        (FORK, "b.three.inner", [("a.two.both", "b.three.end")]),
        (DIAMOND, "c.end.write", [("a.one.start", "b.left.go"), ("b.right.go", "c.end.write")]),
    ],
)
def test_the_fewest_places_are_cut(text: str, target: str, cut: list[tuple[str, str]]) -> None:
    found = ties(text).cheapest_cut(["a.one.start"], [target])
    assert [(tie.caller, tie.callee) for tie in found] == cut


def test_paths_lead_call_by_call() -> None:
    (path,) = ties(FORK).paths(["a.one.start"], ["a.two.both"])
    assert [tie.caller for tie in path] == ["a.one.start", "a.two.left"]
    assert path[0].places == (f"a/one.py:{2 + 1}",)


def test_what_is_not_tied_has_no_path_and_no_cut() -> None:
    assert ties(FORK).paths(["b.three.end"], ["a.one.start"]) == []
    assert ties(FORK).cheapest_cut(["b.three.end"], ["a.one.start"]) == []


def test_a_path_through_another_target_is_that_ones() -> None:
    found = ties(FORK).paths(["a.one.start"], ["b.three.end", "b.three.inner"])
    assert [path[-1].callee for path in found] == ["b.three.end"]
