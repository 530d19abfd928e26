"""The measures of a partition, against figures worked out by hand."""

from __future__ import annotations

from math import e, log

import pytest

from migrator.plan.partition.metrics import measure_partition

CALLS = {
    ("a", "b"): 1,
    ("b", "a"): e,
    ("a", "a"): 5,
    ("b", "b"): 5,
    ("b", "c"): e**2,
    ("c", "d"): 1,
    ("outside", "a"): 100,
}
"""Volumes whose logarithms are whole; `outside` is in no group."""


def test_two_groups_by_hand() -> None:
    found = measure_partition(
        [["a", "b"], ["c", "d"]],
        CALLS,
        use_cases={"a": ["sell", "buy"], "b": ["sell"], "c": ["sell"]},
        accesses={"orders": {"a": 1, "c": 3}, "stock": {"c": 2}},
    )
    # Cohesion: {a-b, a-a} of 4, as b is the last of its group; {c-d} of 4. Coupling: b-c of 4.
    assert found.sm == pytest.approx((2 / 4 + 1 / 4) / 2 - 1 / 4)
    # ln v + 1: a-b 1, b-a 2, b-c 3 and crossing, c-d 1.
    assert found.icp == pytest.approx(3 / 7)
    # Two use cases; one, and none known of d, which counts as one more.
    assert found.bcp == pytest.approx((log(2) + log(2)) / 2)
    assert found.ifn == pytest.approx(1 / 2)
    assert found.ned == 1
    # Shares of a quarter and three quarters, and one group alone.
    entropy = -(0.25 * log(0.25) + 0.75 * log(0.75))
    assert found.database_purity == pytest.approx(1 - entropy / 2)


def test_a_pair_counts_once_for_coupling_and_both_ways_for_calls() -> None:
    both_ways = {("a", "b"): 1, ("b", "a"): 1}
    found = measure_partition([["a"], ["b"]], both_ways)
    assert (found.sm, found.icp, found.ifn) == (-1, 1, 1 / 2)
    assert (found.bcp, found.database_purity) == (None, None)


def test_the_coupling_is_a_mean_over_pairs_of_groups() -> None:
    found = measure_partition([["a"], ["b"], ["c"]], {("a", "b"): 1})
    assert found.sm == pytest.approx(-1 / 3)
    assert found.ifn == pytest.approx(1 / 3)


def test_one_group_has_nothing_that_crosses() -> None:
    found = measure_partition([["a", "b", "c", "d"]], CALLS)
    assert (found.icp, found.ifn) == (0, 0)
    assert found.sm == pytest.approx(5 / 16)


def test_sizes_from_five_to_twenty_are_usual() -> None:
    groups = [[f"{group}.{n}" for n in range(size)] for group, size in enumerate((4, 5, 20, 21))]
    assert measure_partition(groups, {}).ned == pytest.approx(1 - 25 / 50)
