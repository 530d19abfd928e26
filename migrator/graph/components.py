"""Strongly connected components, callees before callers, without recursion.

R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1(2), 1972.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def components(
    nodes: Iterable[Key], successors: Callable[[Key], Iterable[Key]]
) -> Iterator[list[Key]]:
    """The components of a directed graph; each comes after all components that it leads to."""
    index: dict[Key, int] = {}
    low: dict[Key, int] = {}
    stack: list[Key] = []
    on_stack: set[Key] = set()
    for root in nodes:
        if root in index:
            continue
        following = successors(root)
        index[root] = low[root] = len(index)
        if not following:
            yield [root]
            continue
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(following))]
        while work:
            node, rest = work[-1]
            for each in rest:
                if each not in index:
                    following = successors(each)
                    index[each] = low[each] = len(index)
                    if not following:
                        yield [each]
                        continue
                    stack.append(each)
                    on_stack.add(each)
                    work.append((each, iter(following)))
                    break
                if each in on_stack and index[each] < low[node]:
                    low[node] = index[each]
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    yield component
