"""How well partitions agree with the packages into which people cut real code bases.

    python benchmarks/human_cuts.py FOLDER [--analysed] [--tied] [NAME ...]

The truth is the top-level sub-package of each module; sub-packages of fewer than three modules are
left out. The partitioner sees modules under names without meaning, in an order without meaning:
what they call, import and inherit, and which tables they use; no words, packages least of all. It
runs with the defaults of `migrator propose --from-graph` and is told how many parts there are.
The peer, on the same graph, is greedy modularity on who uses whom (networkx; Clauset, Newman and
Moore 2004), the usual first try; it finds a number of parts itself.

Prints MoJoFM (Z. Wen, V. Tzerpos, "An effectiveness measure for software clustering algorithms",
IWPC 2004) beside that of one cluster of everything, and the adjusted Rand index (L. Hubert,
P. Arabie, J. Classification 2, 1985). Sources are those of `corpora.py`, downloaded into FOLDER;
with --analysed FOLDER holds one analysed project a name. With --tied only modules count that a
tie leads to: all others have to be put somewhere by the one, and are left alone by the other.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import NamedTuple

import networkx
from corpora import Unreachable, unpack

from migrator.graph.current import current_graph
from migrator.model.graph import EdgeKind, Graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings
from migrator.plan.from_graph.file import ClassGraph, TableUse, Use
from migrator.plan.from_graph.partitioned import partition_graph
from migrator.plan.partition.constraints import Constraints

Labels = Sequence[Hashable]


class Cut(NamedTuple):
    """A package whose sub-packages people made, and how they are cut."""

    source: str
    package: str
    by: str


CUTS = {
    "indico": Cut("indico", "indico.modules", "subject"),
    "indico events": Cut("indico", "indico.modules.events", "subject"),
    "django contrib": Cut("django", "django.contrib", "subject"),
    "pretix plugins": Cut("pretix", "pretix.plugins", "subject"),
    "oscar": Cut("oscar", "oscar.apps", "subject"),
    "nautobot": Cut("nautobot", "nautobot", "subject"),
    "mayan": Cut("mayan", "mayan.apps", "subject"),
    "superset": Cut("superset", "superset", "both"),
    "keystone": Cut("keystone", "keystone", "both"),
    "weblate": Cut("weblate", "weblate", "both"),
    "wagtail": Cut("wagtail", "wagtail", "both"),
    "flaskbb": Cut("flaskbb", "flaskbb", "layer"),
    "pretix": Cut("pretix", "pretix", "layer"),
}
"""Cut by subject, by layer (views, models, API), or by both."""

HELD_OUT = {
    "allauth": Cut("allauth", "allauth", "subject"),
    "machina": Cut("machina", "machina.apps", "subject"),
    "ckan": Cut("ckan", "ckan", "layer"),
    "octoprint": Cut("octoprint", "octoprint", "both"),
    "geonode": Cut("geonode", "geonode", "subject"),
    "kolibri": Cut("kolibri", "kolibri.core", "subject"),
    "mailman": Cut("mailman", "mailman", "layer"),
    "buildbot": Cut("buildbot", "buildbot", "both"),
}
"""Measured after everything had been chosen on those above, by their names; four and four."""

_LEAST_MODULES = 3
_NOT_OF_THE_APPLICATION = ("migrations", "tests")


def disguised(graph: Graph, package: str) -> tuple[ClassGraph, dict[str, str]]:
    """What the partitioner sees, and the truth: each disguised module's sub-package."""
    program = graph.program
    start = package + "."
    parts = {
        name: name[len(start) :].split(".")
        for name in program.modules
        if name.startswith(start) and not set(name.split(".")) & set(_NOT_OF_THE_APPLICATION)
    }
    sizes = Counter(path[0] for path in parts.values())
    kept = {name: path[0] for name, path in parts.items() if sizes[path[0]] >= _LEAST_MODULES}
    alias = {name: hashlib.sha256(name.encode()).hexdigest()[:12] for name in kept}

    def module(name: str) -> str:
        while name and name not in program.modules:
            name = name.rpartition(".")[0]
        return alias.get(name, "")

    calls: Counter[tuple[str, str]] = Counter()
    tables: dict[str, dict[str, Counter[str]]] = {}
    for name, function in program.functions.items():
        here = module(name)
        for event in function.events if here else ():
            if event.kind == "call":
                calls[here, module(event.target)] += 1
            elif event.kind in ("read", "write"):
                tables.setdefault(event.target, {}).setdefault(event.kind, Counter())[here] += 1
    uses: set[tuple[str, str, int]] = set()
    for kind in (EdgeKind.IMPORTS, EdgeKind.INHERITS):
        for edge in graph.edges(kind):
            uses.add((module(edge.source.name), module(edge.target.name), kind))
    return ClassGraph(
        classes=sorted(alias.values()),
        calls=[Use(caller=a, callee=b, count=n) for (a, b), n in sorted(calls.items()) if a and b],
        uses=[Use(caller=a, callee=b) for a, b, _ in sorted(uses) if a and b],
        tables={
            name: TableUse(
                writers=dict(sorted(of.get("write", Counter()).items())),
                readers=dict(sorted(of.get("read", Counter()).items())),
            )
            for name, of in sorted(tables.items())
        },
    ), {alias[name]: part for name, part in kept.items()}


def plain_modularity(graph: ClassGraph) -> dict[str, int]:
    """Greedy modularity on who uses whom at all; it finds the number of parts itself."""
    network = networkx.Graph()
    network.add_nodes_from(graph.classes)
    network.add_edges_from(
        (use.caller, use.callee) for use in (*graph.calls, *graph.uses) if use.caller != use.callee
    )
    parts = networkx.community.greedy_modularity_communities(network)
    return {name: number for number, part in enumerate(parts) for name in part}


def adjusted_rand(found: Labels, truth: Labels) -> float:
    """1 for the same partition, about 0 for one by chance."""

    def pairs(counts: Counter[Hashable]) -> float:
        return sum(n * (n - 1) / 2 for n in counts.values())

    both = pairs(Counter(zip(found, truth, strict=True)))
    ours, theirs = pairs(Counter(found)), pairs(Counter(truth))
    expected = ours * theirs / (len(truth) * (len(truth) - 1) / 2)
    most = (ours + theirs) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0


def mojofm(found: Labels, truth: Labels) -> float:
    """100 less the percentage of moves and joins that lead to the truth, of the most there are."""
    overlap: dict[Hashable, Counter[Hashable]] = {}
    for mine, right in zip(found, truth, strict=True):
        overlap.setdefault(mine, Counter())[right] += 1
    best = {mine: max(counts.values()) for mine, counts in overlap.items()}
    tags = {
        mine: [right for right, n in counts.items() if n == best[mine]]
        for mine, counts in overlap.items()
    }
    taken: dict[Hashable, Hashable] = {}

    def match(mine: Hashable, tried: set[Hashable]) -> bool:
        for right in tags[mine]:
            if right not in tried:
                tried.add(right)
                if right not in taken or match(taken[right], tried):
                    taken[right] = mine
                    return True
        return False

    matched = sum(match(mine, set()) for mine in tags)
    needed = len(truth) - sum(best.values()) + len(tags) - matched
    different = 0
    for size in sorted(Counter(truth).values()):
        different += different < size
    return 100 * (1 - needed / (len(truth) - different))


def main() -> None:
    """Print a line for each code base."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--analysed", action="store_true")
    parser.add_argument("--tied", action="store_true")
    options = parser.parse_args()
    print(f"{'':<16}{'modules':>8}{'parts':>6}{'cut by':>9}   {'MoJoFM':^21}   {'adj. Rand':^13}")
    print(f"{'':<42}{'ours':>7}{'peer':>7}{'one':>7}   {'ours':>6}{'peer':>7}")
    means: dict[str, list[list[float]]] = {}
    for name in options.names or CUTS:
        cut = {**CUTS, **HELD_OUT}[name]
        try:
            root = options.folder / cut.source
            root = root if options.analysed else unpack(cut.source, options.folder)
        except Unreachable as error:
            print(f"{name:<16}left out: {error}")
            continue
        graph, truth = disguised(current_graph(root, Settings(), Silent()), cut.package)
        names = sorted(truth)
        right = [truth[each] for each in names]
        count = len(set(right))
        found = partition_graph(graph, Constraints(services=(count, count)))
        ours, peer = found.partition, plain_modularity(graph)
        if options.tied:
            names = [each for each in names if each not in set(found.loose)]
            right = [truth[each] for each in names]
        mine, theirs = [ours[each] for each in names], [peer[each] for each in names]
        row = [
            mojofm(mine, right),
            mojofm(theirs, right),
            mojofm([0] * len(right), right),
            adjusted_rand(mine, right),
            adjusted_rand(theirs, right),
        ]
        means.setdefault(cut.by, []).append(row)
        means.setdefault("all", []).append(row)
        print(f"{name:<16}{len(names):>8}{count:>6}{cut.by:>9}   {_told(row)}", flush=True)
    for by, rows in sorted(means.items()):
        mean = [sum(values) / len(rows) for values in zip(*rows, strict=True)]
        print(f"{f'mean, {by} ({len(rows)})':<42}{_told(mean)}")


def _told(row: list[float]) -> str:
    return "".join(f"{value:7.1f}" for value in row[:3]) + f"   {row[3]:6.3f}{row[4]:7.3f}"


if __name__ == "__main__":
    main()
