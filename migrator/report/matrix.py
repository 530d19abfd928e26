"""The dependency structure matrix: a tree of services, packages and modules over one order.

Modules stand in one line, so that every node of the tree covers a range of it. Whoever shows the
matrix opens nodes, and adds up the dependencies between the ranges of what is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from migrator.report.content import SHARED, Content, ModuleView

MOST_ROWS = 150
"""Rows that are open at once: beyond, neither eye nor browser follows."""

FIRST_ROWS = 60
"""Where there are no services, packages are opened up to so many rows to begin with."""

_MOST_CHILDREN = 40


class Node(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A row of the matrix, closed: it covers modules `start` to before `end`."""

    label: str
    title: str
    start: int
    end: int
    children: list[int] = []
    service: bool = False


class Matrix(msgspec.Struct, kw_only=True):
    """The tree as a list of nodes, and what the ranges are summed from."""

    roots: list[int]
    nodes: list[Node]
    modules: list[str]
    files: list[str]
    dependencies: list[int]
    """Flat, six at a time: source, target, imports, calls, inherits, line."""
    most_rows: int = MOST_ROWS


@dataclass
class _Package:
    modules: list[int] = field(default_factory=list)
    below: dict[str, _Package] = field(default_factory=dict)


def matrix(content: Content) -> Matrix:
    """The matrix of all modules, services first in the order of the report."""
    order = {service.name: number for number, service in enumerate(content.services)}
    groups: dict[tuple[int, str, str], list[int]] = {}
    for number, module in enumerate(content.modules):
        label, title = _group(module, bool(order))
        groups.setdefault((order.get(module.home, len(order)), label, title), []).append(number)
    tree = _Tree(content.modules)
    roots = [
        tree.add_group(label, title, members, service=place < len(order))
        for (place, label, title), members in sorted(groups.items())
    ]
    if not order:
        roots = tree.opened(roots)
    placed = {number: place for place, number in enumerate(tree.order)}
    listed = [content.modules[number] for number in tree.order]
    return Matrix(
        roots=roots,
        nodes=tree.nodes,
        modules=[module.name for module in listed],
        files=[module.file for module in listed],
        dependencies=[
            value
            for each in content.dependencies
            for value in (
                placed[each.source], placed[each.target],
                each.imports, each.calls, each.inherits, each.line,
            )
        ],
    )  # fmt: skip


def _group(module: ModuleView, planned: bool) -> tuple[str, str]:
    if not planned:
        top = module.name.partition(".")[0]
        return top, f"package {top}"
    if module.home != SHARED:
        return module.home, f"service {module.home}"
    if module.services:
        return "in several", "modules whose code several services have"
    return "in none", "modules that no service reaches"


class _Tree:
    def __init__(self, modules: list[ModuleView]) -> None:
        self._modules = modules
        self.nodes: list[Node] = []
        self.order: list[int] = []

    def add_group(self, label: str, title: str, members: Iterable[int], *, service: bool) -> int:
        """A root with its packages below; gives its number."""
        top = _Package()
        for number in members:
            package = top
            for part in self._modules[number].name.split(".")[:-1]:
                package = package.below.setdefault(part, _Package())
            package.modules.append(number)
        return self._add(label, title, top, "", service=service)

    def opened(self, roots: list[int]) -> list[int]:
        """The roots with the largest ones replaced by their children, while there is room."""
        while True:
            large = max(roots, key=lambda r: (self.nodes[r].end - self.nodes[r].start, -r))
            below = self.nodes[large].children
            if not below or len(roots) - 1 + len(below) > FIRST_ROWS:
                return roots
            at = roots.index(large)
            roots = [*roots[:at], *below, *roots[at + 1 :]]

    def _add(
        self, label: str, title: str, package: _Package, path: str, *, service: bool = False
    ) -> int:
        """A package, its chain of single packages closed up; depth first, so ranges nest."""
        while len(package.below) == 1 and not package.modules:
            ((part, package),) = package.below.items()
            path = f"{path}.{part}" if path else part
        start = len(self.order)
        number = len(self.nodes)
        self.nodes.append(Node(label=label, title=title, start=start, end=start, service=service))
        children = []
        for part in sorted(package.below):
            inner = f"{path}.{part}" if path else part
            children.append(self._add(_tail(inner), f"package {inner}", package.below[part], inner))
        for member in sorted(package.modules, key=lambda m: self._modules[m].name):
            children.append(self._leaf(member))
        self.nodes[number].end = len(self.order)
        self.nodes[number].children = self._portioned(children)
        return number

    def _leaf(self, member: int) -> int:
        name = self._modules[member].name
        at = len(self.order)
        self.order.append(member)
        self.nodes.append(Node(label=_tail(name), title=name, start=at, end=at + 1))
        return len(self.nodes) - 1

    def _portioned(self, children: list[int]) -> list[int]:
        """Children in portions by name where they are many."""
        while len(children) > _MOST_CHILDREN:
            portions = [
                children[at : at + _MOST_CHILDREN] for at in range(0, len(children), _MOST_CHILDREN)
            ]
            children = [self._portion(portion) for portion in portions]
        return children

    def _portion(self, portion: list[int]) -> int:
        if len(portion) == 1:
            return portion[0]
        first, last = self.nodes[portion[0]], self.nodes[portion[-1]]
        label = f"{first.label.partition(' … ')[0]} … {last.label.rpartition(' … ')[2]}"
        self.nodes.append(
            Node(label=label, title=label, start=first.start, end=last.end, children=portion)
        )
        return len(self.nodes) - 1


def _tail(name: str) -> str:
    return name.rpartition(".")[2]
