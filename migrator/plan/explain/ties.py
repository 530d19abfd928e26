"""The calls that lead from some functions to others, and the fewest places that sever them.

The cheapest set is a minimum cut (L. Ford, D. Fulkerson, 1956); of equal ones that nearest to the
ends. Cutting a call costs by the number of its places.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

import networkx

from migrator.plan.evidence.reach import Reach

_START, _END = "(start)", "(end)"
_ONE_PLACE = 100
"""What it costs to cut a call at one place; where it stays within a package a little more."""


class Tie(NamedTuple):
    """One function calls another, or sends a signal that it receives; at these places.

    Functions are meant by their key in `Reach`: variants are functions of their own.
    """

    caller: str
    callee: str
    places: tuple[str, ...]
    inner: bool
    """Both ends are of one package."""

    @property
    def cost(self) -> int:
        """What it costs to cut it."""
        return _ONE_PLACE * len(self.places) + self.inner


class Ties:
    """All that ties functions of a program by calls."""

    def __init__(self, reach: Reach, keys: Iterable[str]) -> None:
        self._name = reach.name
        places: dict[tuple[str, str], dict[str, None]] = {}
        for key in keys:
            file = reach.function(key).file
            for site in reach.sites(key):
                if key != site.callee:
                    places.setdefault((key, site.callee), {})[f"{file}:{site.event.line}"] = None
        self._out: dict[str, dict[str, Tie]] = {}
        self._in: dict[str, set[str]] = {}
        for (caller, callee), at in sorted(places.items()):
            packages = {_package(reach.function(each).file) for each in (caller, callee)}
            tie = Tie(caller, callee, tuple(at), len(packages) == 1)
            self._out.setdefault(caller, {})[callee] = tie
            self._in.setdefault(callee, set()).add(caller)

    def paths(self, sources: Iterable[str], targets: Iterable[str]) -> list[list[Tie]]:
        """The shortest path for each pair that is tied, the shortest first.

        A path leads through no other source and no other target: it would be one of theirs.
        """
        starts, ends = set(sources), set(targets)
        found: dict[tuple[str, ...], list[Tie]] = {}
        for source in sorted(starts):
            for path in self._from(source, starts, ends):
                names = tuple(self._name(key) for key in (source, *(t.callee for t in path)))
                found.setdefault(names, path)
        return sorted(found.values(), key=len)

    def _from(self, source: str, starts: set[str], ends: set[str]) -> list[list[Tie]]:
        came: dict[str, Tie] = {}
        queue, found = deque([source]), []
        while queue:
            name = queue.popleft()
            for callee, tie in self._out.get(name, {}).items():
                if callee in came or callee in starts:
                    continue
                came[callee] = tie
                if callee in ends:
                    path = [tie]
                    while path[0].caller != source:
                        path.insert(0, came[path[0].caller])
                    found.append(path)
                else:
                    queue.append(callee)
        return found

    def cheapest_cut(self, sources: Iterable[str], targets: Iterable[str]) -> list[Tie]:
        """The ties to cut so that no source leads to a target; ends in common cannot be cut.

        Variants of a function are one in it, since a place in the code is cut for all of them.
        """
        starts, ends = set(sources), set(targets)
        starts, ends = starts - ends, ends - starts
        between = self._reachable(starts, self._callees) & self._reachable(ends, self._callers)
        named = self._by_name(between)
        names = [{self._name(key) for key in each} for each in (starts & between, ends & between)]
        first, last = names[0] - names[1], names[1] - names[0]
        if not first or not last:
            return []
        network: networkx.DiGraph[str] = networkx.DiGraph()
        network.add_edges_from(
            (caller, callee, {"capacity": tie.cost})
            for (caller, callee), tie in sorted(named.items())
        )
        network.add_edges_from((_START, each) for each in sorted(first))
        network.add_edges_from((each, _END) for each in sorted(last))
        _, (near, far) = networkx.minimum_cut(network, _START, _END)
        return [tie for (a, b), tie in sorted(named.items()) if a in near and b in far]

    def _by_name(self, between: set[str]) -> dict[tuple[str, str], Tie]:
        places: dict[tuple[str, str], dict[str, None]] = {}
        inner: dict[tuple[str, str], bool] = {}
        for key in sorted(between):
            for callee, tie in self._out.get(key, {}).items():
                pair = (self._name(key), self._name(callee))
                if callee in between and pair[0] != pair[1]:
                    places.setdefault(pair, {}).update(dict.fromkeys(tie.places))
                    inner[pair] = tie.inner
        return {pair: Tie(*pair, tuple(at), inner[pair]) for pair, at in sorted(places.items())}

    def _callees(self, name: str) -> Iterable[str]:
        return self._out.get(name, {})

    def _callers(self, name: str) -> Iterable[str]:
        return sorted(self._in.get(name, ()))

    def _reachable(self, starts: Iterable[str], follow: Callable[[str], Iterable[str]]) -> set[str]:
        seen = set(starts)
        waiting = list(seen)
        while waiting:
            for each in follow(waiting.pop()):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
        return seen


def _package(file: str) -> str:
    return file.rpartition("/")[0]
