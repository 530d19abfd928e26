"""Names of services, from the package or blueprint that dominates them, else from a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from migrator.plan.evidence.evidence import Evidence
from migrator.plan.signals.paths import first_part
from migrator.plan.wording import counted, enumerated

_LAYERS = {
    "admin", "api", "app", "apps", "application", "base", "blueprint", "blueprints", "cli",
    "commands", "common", "config", "controller", "controllers", "core", "database", "db",
    "domain", "entities", "forms", "handlers", "helpers", "index", "lib", "main", "model",
    "models", "module", "modules", "orm", "pages", "resource", "resources", "rest", "root",
    "router", "routers", "routes", "schemas", "server", "service", "services", "shared", "site",
    "src", "static", "tables", "tasks", "test", "tests", "utils", "v1", "v2", "v3", "view",
    "views", "web",
}  # fmt: skip
"""Names of layers: they say how code is laid out, not what it is about."""

_RESERVED = {"gateway", "servicekit", "contracts", "system", "migrations", "tests", "src"}

_LABEL_FLOOR = 0.5
"""A label names a group if at least this share of the group's votes is for it."""


def names(evidence: Evidence, groups: list[frozenset[str]], placed: Mapping[str, int]) -> list[str]:
    """A distinct name for each group of tables; `placed` says which group an entry point is in."""
    votes: list[Counter[str]] = [Counter() for _ in groups]
    outside = {name.lower() for name in evidence.program.distributions}
    for number, tables in enumerate(groups):
        for table in sorted(tables):
            for label in _labels(_module_parts(evidence, table)):
                votes[number][label] += 0 if label in outside else 2
    for name, number in sorted(placed.items()):
        entry = evidence.entries[name]
        if evidence.bound[name]:
            for label in _labels(_endpoint_parts(entry.endpoint)):
                votes[number][label] += 1
    total = sum(votes, Counter())
    if len(groups) > 1:
        shared = set.intersection(
            *({*_labels(_module_parts(evidence, t))} for tables in groups for t in tables)
        )
        for label in shared:
            del total[label]
    whole = _of_the_whole(evidence) if len(groups) == 1 else ""
    chosen: list[str] = []
    for counter, tables in zip(votes, groups, strict=True):
        table = dominating(evidence, tables)
        names = [whole or _best(counter, total, len(tables)), table.rpartition(".")[2], table]
        chosen.append(_distinct([slug(name) for name in names if name], chosen))
    return chosen


def _of_the_whole(evidence: Evidence) -> str:
    """The package that answers most of the application: what one service of all is called."""
    packages: Counter[str] = Counter()
    for entry in evidence.working.values():
        packages.update(_labels(entry.file.removesuffix(".py").split("/"))[:1])
    most = max(packages.values(), default=0)
    return min((name for name, count in packages.items() if count == most), default="")


def _best(votes: Counter[str], total: Counter[str], tables: int) -> str:
    """The label with the most votes, each counting by how far the label is this group's own."""
    own = {label: n * n / total[label] for label, n in votes.items() if total[label]}
    if not own:
        return ""
    label = min(own, key=lambda each: (-own[each], each))
    return label if own[label] >= _LABEL_FLOOR * tables else ""


def dominating(evidence: Evidence, tables: frozenset[str]) -> str:
    """The table to which most of the others refer; among equals the one that is used most."""
    references = Counter(
        column.referred
        for table in sorted(tables)
        if table in evidence.program.tables
        for column in evidence.program.tables[table].columns
        if column.referred in tables - {table}
    )
    uses = Counter(t for touched in evidence.bound.values() for t in touched)
    modelled = {t: bool(evidence.program.tables[t].model) for t in tables}
    return min(tables, key=lambda t: (not modelled[t], -references[t], -uses[t], t))


def _module_parts(evidence: Evidence, table: str) -> list[str]:
    path = evidence.program.tables[table].file.removesuffix(".py")
    return [part for part in path.split("/") if part]


def _endpoint_parts(endpoint: str) -> list[str]:
    """`theme` of `ThemeRestApi.get`, `sql_lab` of `SqlLabView.index`; `a` and `b` of `a_b.add`."""
    parts: list[str] = []
    for part in re.split(r"[._]", endpoint.rpartition(".")[0]):
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", part)
        while len(words) > 1 and words[-1].lower() in _LAYERS:
            words.pop()
        parts.append("_".join(words))
    return parts


def _labels(parts: list[str]) -> list[str]:
    """What parts of a name are about: `user` of `user_model`, nothing of `models`."""
    told = [part.lower() for part in parts if len(part) > 1 and part[0] != "_"]
    told = [re.sub(r"(?<=[a-z0-9])_(models?|views?|routes?|routers?)$", "", part) for part in told]
    return [part for part in told if part not in _LAYERS]


def telling_part(dotted: str) -> str:
    """The last part of a dotted name that is no name of a layer; the last where all are."""
    parts = dotted.split(".")
    return next((p for p in reversed(parts) if p.lower() not in _LAYERS), parts[-1])


def slug(name: str) -> str:
    """A name that can be that of a folder, a host and a package."""
    made = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return made if made[:1].isalpha() else f"service_{made}".rstrip("_")


def _distinct(names: list[str], taken: list[str]) -> str:
    """The first of these names that is free, else the first with a number."""
    free = [f"{name}_service" if name in _RESERVED else name for name in names]
    return next(each for each in (*free, *numbered(free[0], len(taken))) if each not in taken)


def numbered(name: str, most: int) -> Iterable[str]:
    """`name_2`, `name_3` and so on: one of them is free of `most` that are taken."""
    return (f"{name}_{number}" for number in range(2, most + 3))


def purpose(evidence: Evidence, tables: frozenset[str], entries: list[str]) -> str:
    """A sentence that says what a service is for, from what it owns and answers."""
    uses = Counter(t for name in entries for t in evidence.bound.get(name, ()))
    owned = sorted(tables, key=lambda t: (-uses[t], t))
    paths: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for name in entries:
        entry = evidence.entries[name]
        kinds[entry.kind] += 1
        for route in entry.routes:
            part = first_part(route.rule)
            if part:
                paths[route.rule.partition(part)[0] + part] += 1
    parts = []
    parts.append(f"Owns {enumerated(owned)}" if owned else "Owns no table")
    if kinds["route"]:
        top = [path for path, _ in sorted(paths.items(), key=lambda p: (-p[1], p[0]))[:3]]
        under = f" under {enumerated(top)}" if top else ""
        parts.append(f"answers {counted(kinds['route'], 'route')}{under}")
    for kind in ("task", "schedule", "process", "signal", "message", "command"):
        if kinds[kind]:
            parts.append(f"runs {counted(kinds[kind], _KINDS[kind], '')}")
    return "; ".join(parts) + "."


_KINDS = {
    "task": "background task",
    "schedule": "scheduled job",
    "process": "background process",
    "signal": "signal receiver",
    "message": "handler of messages",
    "command": "command",
}
