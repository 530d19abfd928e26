"""Merges what `migrator observe` recorded into the graph, and measures analysis against it.

An access is an entry point, a table, and whether it was read or written. Seen and not predicted,
it is a hole in the static analysis; it enters the graph as `observed`, and is listed.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from migrator.facts.observation.records import (
    Code,
    EntryRecord,
    Execution,
    Observation,
    read_observations,
)
from migrator.facts.observation.session import observations_folder
from migrator.graph.sql import read_sql
from migrator.model.graph import Confidence, EdgeKind, Graph, NodeKind
from migrator.model.program import Access, EntryPoint, Hole, Observed, Operation, Program, Unseen

Kind = Literal["read", "write"]

_OF_THE_DATABASE = ("sqlite_", "pg_", "information_schema", "alembic_version", "dual")
"""Tables that belong to no application."""
_STATEMENT_SHOWN = 300
_INFRASTRUCTURE = frozenset(
    {"sqlalchemy", "flask_sqlalchemy", "flask", "werkzeug", "jinja2", "click", "celery", "kombu"}
    | {"greenlet", "gevent", "psycopg", "psycopg2", "pymysql", "MySQLdb", "marshmallow", "wtforms"}
)
"""Packages that carry out statements of others and have no tables of their own."""


@dataclass
class _Seen:
    """One access as it was seen: how often, and one way to it."""

    operation: Operation
    path: tuple[str, ...]
    file: str
    line: int
    statement: str
    in_hook: bool
    count: int = 0


@dataclass
class _EntryRun:
    """What ran under one name of an entry point."""

    name: str
    runs: int = 0
    statements: int = 0
    accesses: dict[tuple[Kind, str], _Seen] = field(default_factory=dict)
    entered: set[Code] = field(default_factory=set)
    taken: set[tuple[Code, int]] = field(default_factory=set)


def observations_digest(root: Path) -> str:
    """Changes whenever `merge` would find other records; empty without any."""
    digest = hashlib.sha256()
    folder = observations_folder(root)
    files = sorted(folder.glob("*/*.jsonl")) if folder.is_dir() else []
    if not files:
        return ""
    for file in files:
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]


def merge(graph: Graph, root: Path) -> Observed | None:
    """Merge all that was recorded of the project in `root` into a freshly built graph.

    Sets `graph.program.observed` and gives it; None, and no change, where nothing was recorded.
    Must not be called twice on one graph.
    """
    recorded = read_observations(root)
    if not recorded.processes:
        return None
    merger = _Merger(graph, recorded)
    observed = merger.run(observations_digest(root))
    graph.program.observed = observed
    return observed


class _Merger:
    def __init__(self, graph: Graph, recorded: Observation) -> None:
        self._entered_by: Counter[Code] = Counter()
        self._foreign: set[str] = set()
        self._outside: dict[str, str] = {}
        """Tables that a package was seen to use for itself and no code of the project declares."""
        self._graph = graph
        self._program: Program = graph.program
        self._recorded = recorded
        self._modules = {file: name for name, file in self._program.modules.items()}
        self._hooks = frozenset(self._program.hooks)
        self._handlers = {
            entry.handler: name
            for name, entry in self._program.entry_points.items()
            if entry.kind in ("command", "schedule", "task")
        }
        self._called = self._handler_functions()
        self._runs: dict[str, _EntryRun] = {}

    def _handler_functions(self) -> dict[str, str]:
        """Functions that are the handler of one entry point only, to its name."""
        owners: dict[str, set[str]] = defaultdict(set)
        for name, entry in self._program.entry_points.items():
            for function in {self._plain(root) for root in entry.roots} | {entry.handler}:
                owners[function].add(name)
        return {each: min(names) for each, names in owners.items() if len(names) == 1}

    def run(self, digest: str) -> Observed:
        for entry in self._recorded.entries.values():
            self._collect(entry)
        for run in self._runs.values():
            for key in [key for key in run.accesses if key[1] in self._outside]:
                del run.accesses[key]
        self._entered_by = Counter(code for run in self._runs.values() for code in run.entered)
        seen, predicted, holes = 0, 0, []
        for run in self._runs.values():
            entry_point = self._program.entry_points.get(run.name)
            for (kind, table), access in run.accesses.items():
                seen += 1
                if entry_point is not None and table in _tables(entry_point, kind):
                    predicted += 1
                else:
                    holes.append(_hole(run.name, kind, table, access, entry_point is not None))
        covered, expected, shown, unseen = self._precision()
        calls, known_calls = self._merge_calls()
        for run in self._runs.values():
            self._merge_accesses(run)
        holes.sort(key=lambda hole: (hole.kind != "write", hole.entry_point, hole.table))
        return Observed(
            digest=digest,
            sessions=self._recorded.sessions,
            processes=self._recorded.processes,
            statements=sum(run.statements for run in self._runs.values()),
            ran=tuple(sorted(name for name in self._runs if name in self._program.entry_points)),
            accesses=seen,
            predicted=predicted,
            covered=tuple(covered),
            covered_accesses=expected,
            covered_seen=shown,
            calls=calls,
            calls_predicted=known_calls,
            holes=tuple(holes),
            unseen=tuple(unseen),
            foreign=tuple(sorted(self._foreign)),
            outside={
                package: tuple(sorted(t for t, owner in self._outside.items() if owner == package))
                for package in sorted(set(self._outside.values()))
            },
        )

    # -- collecting -------------------------------------------------------------------------------

    def _name(self, code: Code) -> str:
        """The dotted name of a function, or nothing for a file that analysis leaves out."""
        module = self._modules.get(code.file)
        if module is None:
            return ""
        return f"{module}.{code.qualname}" if code.qualname else module

    def _entry_name(self, entry: EntryRecord) -> str:
        """The name of the entry point; empty for what is none of the project's."""
        if entry.kind in ("route", "task"):
            name = f"{entry.kind}:{entry.name}"
            if name not in self._program.entry_points and self._is_foreign(entry.function):
                self._foreign.add(name)
                return ""
            return name
        if entry.kind == "command":
            function = entry.function.replace(":", ".")
            named = f"command:{entry.name}"
            return self._handlers.get(function) or (
                named if named in self._program.entry_points else ""
            )
        if entry.kind == "process":
            named = f"process:{self._modules.get(entry.name, '')}"
            return named if named in self._program.entry_points else ""
        return ""

    def _is_foreign(self, function: str) -> bool:
        """Whether what a framework runs stands in no module of the project."""
        module = function.partition(":")[0]
        return bool(module) and module != "__main__" and module not in self._program.modules

    def _run(self, name: str) -> _EntryRun:
        return self._runs.setdefault(name, _EntryRun(name))

    def _collect(self, entry: EntryRecord) -> None:
        name = self._entry_name(entry)
        if name:
            run = self._run(name)
            run.runs += entry.runs
            run.entered |= entry.entered
            run.taken |= entry.taken
        for execution, count in entry.executions.items():
            path = tuple(filter(None, map(self._name, execution.path)))
            below = self._below(entry, name, path)
            if below and (path or below in self._program.entry_points):
                packages = entry.through.get(execution, ())
                self._count(
                    self._run(below), execution, path, packages, count, called=below != name
                )

    def _below(self, entry: EntryRecord, name: str, path: tuple[str, ...]) -> str:
        """The entry point that a statement belongs to.

        A thread's work is that of its own schedule, where it has one. A test that calls a handler
        itself shows what that entry point does, without its hooks.
        """
        if entry.kind in ("process", "command"):
            for function in path:
                if function in self._called:
                    return self._called[function]
        return name

    def _count(
        self,
        run: _EntryRun,
        execution: Execution,
        path: tuple[str, ...],
        packages: tuple[str, ...],
        count: int,
        *,
        called: bool,
    ) -> None:
        run.statements += count
        in_hook = not (execution.handled or called) or not self._hooks.isdisjoint(path)
        innermost = execution.path[-1] if execution.path else None
        for each in read_sql(execution.statement).accesses:
            table = self._table(each.table)
            if table is None:
                continue
            if table not in self._program.tables and (package := _foreign(packages)):
                self._outside[table] = package
            key = (each.kind, table)
            known = run.accesses.get(key)
            if known is None or (known.in_hook and not in_hook):
                file = innermost.file if innermost else ""
                text = " ".join(execution.statement.split())[:_STATEMENT_SHOWN]
                found = _Seen(each.operation, path, file, execution.line, text, in_hook)
                found.count = known.count if known else 0
                run.accesses[key] = known = found
            known.count += count

    def _table(self, name: str) -> str | None:
        """The table as the program calls it; None for what the database keeps for itself."""
        tables = self._program.tables
        if name in tables:
            return name
        lower = name.lower()
        if lower.startswith(_OF_THE_DATABASE):
            return None
        for known in tables:
            if known.lower() == lower or known.rpartition(".")[2].lower() == lower:
                return known
        return name

    # -- rates ------------------------------------------------------------------------------------

    def _precision(self) -> tuple[list[str], int, int, list[Unseen]]:
        """Entry points with full branch coverage; their predicted accesses, and those seen.

        A predicted access counts where all functions on its path that were entered ran whole: in
        one that other entry points share, the branch that leads there may not have been taken.
        """
        covered: list[str] = []
        unseen: list[Unseen] = []
        expected = shown = 0
        for name in sorted(self._runs):
            run, entry = self._runs[name], self._program.entry_points.get(name)
            if entry is None or not self._is_covered(run, entry):
                continue
            covered.append(name)
            partly = {self._name(code) for code in run.entered if not self._ran_whole(run, code)}
            entered = {self._name(code) for code in run.entered}
            counted: set[tuple[Kind, str]] = set()
            for kind, access in _predictions(entry):
                key = (kind, access.table)
                if key in counted or not partly.isdisjoint(map(self._plain, access.path)):
                    continue
                if access.in_hook and not entered.issuperset(map(self._plain, access.path[:1])):
                    continue
                counted.add(key)
                expected += 1
                if key in run.accesses:
                    shown += 1
                else:
                    unseen.append(_unseen(name, kind, access))
        return covered, expected, shown, unseen

    def _is_covered(self, run: _EntryRun, entry: EntryPoint) -> bool:
        """Whether its handler ran whole, and with it all functions that nothing else entered."""
        names = {self._name(code) for code in run.entered}
        roots = {self._plain(root) for root in entry.roots} or {entry.handler}
        if not roots <= names:
            return False
        return all(
            self._ran_whole(run, code)
            for code in run.entered
            if self._entered_by[code] == 1 or self._name(code) in roots
        )

    def _ran_whole(self, run: _EntryRun, code: Code) -> bool:
        return all((code, arm) in run.taken for arm in range(self._recorded.arms.get(code, 0)))

    def _plain(self, function: str) -> str:
        """The function that a key of `Program.variants` is a variant of."""
        variant = self._program.variants.get(function)
        return variant.name if variant is not None else function

    # -- merging ----------------------------------------------------------------------------------

    def _merge_calls(self) -> tuple[int, int]:
        """Count the calls on their edges; (pairs seen, of which predicted)."""
        counts: Counter[tuple[str, str, bool]] = Counter()
        lines: dict[tuple[str, str], Code] = {}
        for entry in self._recorded.entries.values():
            for call, count in entry.calls.items():
                caller, callee = self._name(call.caller), self._name(call.callee)
                if caller and callee and call.callee.qualname:
                    counts[caller, callee, call.direct] += count
                    lines[caller, callee] = call.caller
        pairs = known = 0
        for (caller, callee, direct), count in counts.items():
            source, target = self._function(caller), self._function(callee)
            if source is None or target is None:
                continue
            predicted = self._graph.observe(EdgeKind.CALLS, source, target, count)
            if direct:
                pairs += 1
                known += predicted
                if not predicted:
                    place = lines[caller, callee]
                    self._graph.add_edge(
                        EdgeKind.CALLS,
                        source,
                        target,
                        place.file,
                        place.line,
                        Confidence.OBSERVED,
                        count,
                    )
        return pairs, known

    def _function(self, name: str) -> int | None:
        node = self._graph.find(NodeKind.FUNCTION, name)
        return node if node is not None else self._graph.find(NodeKind.MODULE, name)

    def _merge_accesses(self, run: _EntryRun) -> None:
        entry = self._program.entry_points.get(run.name)
        if entry is None:
            return
        seen: dict[Kind, dict[str, _Seen]] = defaultdict(dict)
        for (kind, table), access in run.accesses.items():
            seen[kind][table] = access
            self._merge_edge(entry, kind, table, access)
        self._program.entry_points[run.name] = msgspec.structs.replace(
            entry,
            reads=_merged(entry.reads, seen["read"]),
            writes=_merged(entry.writes, seen["write"]),
        )

    def _merge_edge(self, entry: EntryPoint, kind: Kind, table: str, access: _Seen) -> None:
        """Count on the edge of the function that is predicted to do it, the innermost first."""
        graph = self._graph
        edge = EdgeKind.READS if kind == "read" else EdgeKind.WRITES
        target = graph.find(NodeKind.TABLE, table)
        if target is None:
            return
        predicted = [
            each.path[-1:] for each in (*entry.reads, *entry.writes) if each.table == table
        ]
        functions = [*reversed(access.path), *(name for each in predicted for name in each)]
        sources = [node for name in functions if (node := self._function(name)) is not None]
        for source in sources:
            if graph.observe(edge, source, target, access.count):
                return
        caller = sources[0] if sources else graph.find(NodeKind.ENTRY_POINT, entry.name)
        if caller is not None:
            place = (access.file, access.line) if access.file else (entry.file, entry.line)
            graph.add_edge(edge, caller, target, *place, Confidence.OBSERVED, access.count)


def _tables(entry: EntryPoint, kind: Kind) -> set[str]:
    return {access.table for access in (entry.reads if kind == "read" else entry.writes)}


def _predictions(entry: EntryPoint) -> Iterable[tuple[Kind, Access]]:
    for access in entry.writes:
        yield "write", access
    for access in entry.reads:
        yield "read", access


def _hole(name: str, kind: Kind, table: str, access: _Seen, known: bool) -> Hole:
    return Hole(
        entry_point=name,
        kind=kind,
        table=table,
        operation=access.operation,
        path=access.path,
        file=access.file,
        line=access.line,
        statement=access.statement,
        count=access.count,
        in_hook=access.in_hook,
        known=known,
    )


def _foreign(packages: Iterable[str]) -> str:
    """The first package that is neither Python's nor a carrier of others' statements."""
    for package in packages:
        if package not in _INFRASTRUCTURE and package not in sys.stdlib_module_names:
            return package
    return ""


def _unseen(name: str, kind: Kind, access: Access) -> Unseen:
    return Unseen(
        entry_point=name,
        kind=kind,
        table=access.table,
        file=access.file,
        line=access.line,
        via=access.via,
    )


def _merged(accesses: tuple[Access, ...], seen: dict[str, _Seen]) -> tuple[Access, ...]:
    """The predicted accesses with counts, then those that only running showed."""
    left = dict(seen)
    merged: list[Access] = []
    for access in accesses:
        found = seen.get(access.table)
        if found is None:
            merged.append(access)
            continue
        same = found.operation in ("", access.operation) or not any(
            each.table == access.table and each.operation == found.operation for each in accesses
        )
        first = left.pop(access.table, None) is not None
        merged.append(
            msgspec.structs.replace(
                access,
                count=found.count if same and (first or found.operation) else access.count,
                confidence="observed" if access.confidence == "likely" else access.confidence,
            )
        )
    for table in sorted(left):
        found = left[table]
        merged.append(
            Access(
                table=table,
                path=found.path,
                file=found.file,
                line=found.line,
                via="observed",
                operation=found.operation,
                confidence="observed",
                in_hook=found.in_hook,
                count=found.count,
            )
        )
    return tuple(merged)
