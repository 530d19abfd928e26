"""Cutting networks whose best cut is plain to see."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from migrator.plan.partition.cut import Limits, cuts, merge_bound
from migrator.plan.partition.network import Network


def villages(count: int, size: int, bridge: float = 0.2) -> tuple[list[str], dict]:
    """`count` cliques of `size` in a ring, each tied to the next by one weak bridge."""
    names = [[f"{village:02}-{n}" for n in range(size)] for village in range(count)]
    ties = {pair: 1.0 for village in names for pair in combinations(village, 2)}
    for a, b in zip(names, [*names[1:], names[0]], strict=True):
        ties[min(a[0], b[-1]), max(a[0], b[-1])] = bridge
    return [name for village in names for name in village], ties


def atoms(names: list[str]) -> list[frozenset[str]]:
    return [frozenset([name]) for name in sorted(names)]


def best(network: Network, limits: Limits | None = None):
    return max(cuts(network, limits), key=lambda cut: (cut.quality, -len(cut.groups)))


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_cliques_are_the_groups(balance: float) -> None:
    names, ties = villages(6, 5)
    found = best(Network(atoms(names), ties, balance=balance))
    assert [sorted(group) for group in found.groups] == [
        sorted(n for n in names if n.startswith(f"{village:02}")) for village in range(6)
    ]


def test_a_demanded_number_is_met_in_either_direction() -> None:
    names, ties = villages(6, 5)
    network = Network(atoms(names), ties)
    for count in (1, 3, 9, 30):
        (cut,) = cuts(network, Limits(least=count, most=count))
        assert len(cut.groups) == count
        assert sorted(n for group in cut.groups for n in group) == sorted(names)
    (three,) = cuts(network, Limits(least=3, most=3))
    assert sorted(len(group) for group in three.groups) == [10, 10, 10]


def test_many_atoms_and_few_groups() -> None:
    names, ties = villages(40, 6)
    (cut,) = cuts(Network(atoms(names), ties), Limits(least=4, most=4))
    assert sorted(len(group) for group in cut.groups) == [60, 60, 60, 60]


def test_names_that_must_be_apart_are_so_in_every_cut() -> None:
    names, ties = villages(3, 4)
    network = Network(atoms(names), ties, [("00-1", "00-2")])
    for cut in cuts(network):
        assert not any({"00-1", "00-2"} <= group for group in cut.groups)
    assert min(len(cut.groups) for cut in cuts(network)) == 2


def test_no_group_is_larger_than_the_largest() -> None:
    names, ties = villages(4, 6)
    found = cuts(Network(atoms(names), ties), Limits(largest=5))
    assert found and all(len(group) <= 5 for cut in found for group in cut.groups)
    assert cuts(Network(atoms(names), ties), Limits(least=2, most=2, largest=5)) == []


def test_what_is_tied_to_nothing_is_spread_when_few_groups_are_demanded() -> None:
    (cut,) = cuts(Network(atoms(list("abcdef")), {}), Limits(least=2, most=2))
    assert sorted(len(group) for group in cut.groups) == [3, 3]


def test_the_order_of_the_input_does_not_matter() -> None:
    names, ties = villages(8, 5, bridge=0.9)
    shuffled = list(ties.items())
    random.Random(5).shuffle(shuffled)
    first = cuts(Network(atoms(names), ties))
    assert cuts(Network(atoms(names), dict(shuffled))) == first


def test_the_quality_is_newmans_modularity() -> None:
    ties = {("a", "b"): 1.0, ("c", "d"): 1.0, ("b", "c"): 1.0}
    network = Network(atoms(list("abcd")), ties, balance=0.0, resolution=1.0)
    (cut,) = cuts(network, Limits(least=2, most=2))
    # Four of six ends inside, and half of all degrees on each side.
    assert cut.quality == pytest.approx(4 / 6 - 2 * 0.5**2)


def test_bonds_make_atoms_and_conflicts_break_bonds() -> None:
    bonds = [frozenset("ab"), frozenset("bc"), frozenset("cd")]
    found, broken = merge_bound("abcde", bonds, {("a", "d")})
    assert found == [frozenset("abc"), frozenset("d"), frozenset("e")]
    assert broken == [frozenset("cd")]
