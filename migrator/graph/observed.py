"""Merges what `migrator observe` recorded into the graph, and measures analysis against it.

An access is an entry point, a table, and whether it was read or written. Seen and not predicted,
it is a hole in the static analysis; it enters the graph as `observed`, and is listed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import msgspec

from migrator.facts.observation.records import (
    Code,
    Observation,
    read_observations,
)
from migrator.facts.observation.session import observations_digest
from migrator.graph.effects.entry_runs import EntryRun, EntryRuns, Kind, Seen
from migrator.model.graph import Confidence, EdgeKind, Graph, NodeKind
from migrator.model.program import Access, EntryPoint, Hole, Observed, Program, StateFinding, Unseen


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


_BY_THE_DATABASE = "ON DELETE"


class _Merger:
    def __init__(self, graph: Graph, recorded: Observation) -> None:
        self._graph = graph
        self._program: Program = graph.program
        self._recorded = recorded
        self._found = EntryRuns(graph.program, recorded)
        self._runs = self._found.runs

    def run(self, digest: str) -> Observed:
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
        files, known_files, file_holes = self._merge_files()
        holes += file_holes
        holes.sort(key=lambda h: (h.kind != "write", h.entry_point, h.table, h.folder))
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
            files=files,
            files_predicted=known_files,
            holes=tuple(holes),
            unseen=tuple(unseen),
            foreign=tuple(sorted(self._found.foreign)),
            outside={
                package: tuple(
                    sorted(t for t, owner in self._found.outside.items() if owner == package)
                )
                for package in sorted(set(self._found.outside.values()))
            },
        )

    # -- rates ------------------------------------------------------------------------------------

    def _precision(self) -> tuple[list[str], int, int, list[Unseen]]:
        """Entry points with full branch coverage; their predicted accesses, and those seen.

        A predicted access counts where all functions on its path that were entered ran whole, from
        the handler on (what a guard around it left out made no difference to what the handler did):
        in one that other entry points share, the branch that leads there may not have been taken.
        Nor does it count where what others than the code run only sometimes did not run: hooks,
        loaders of users, functions whose results a cache keeps, what a template calls, what a
        cascade does to rows when it found none. What the database does by itself (`ON DELETE`) no
        statement shows, so it does not count either.
        """
        sometimes = {*self._program.hooks}
        sometimes.update(
            f for each in self._program.state if each.kind == "cache" for f in each.readers
        )
        covered: list[str] = []
        unseen: list[Unseen] = []
        expected = shown = 0
        for name in sorted(self._runs):
            run, entry = self._runs[name], self._program.entry_points.get(name)
            if entry is None or not self._is_covered(run, entry):
                continue
            covered.append(name)
            partly = {
                self._found.name(code) for code in run.entered if not self._ran_whole(run, code)
            }
            entered = {self._found.name(code) for code in run.entered}
            handlers = self._handlers(entry)
            counted: set[tuple[Kind, str]] = set()
            for kind, access in _predictions(entry):
                key = (kind, access.table)
                path = [self._found.plain(each) for each in access.path]
                inner = next((at for at, each in enumerate(path) if each in handlers), 0)
                if _BY_THE_DATABASE in access.via:
                    continue
                if key in counted or not partly.isdisjoint(path[inner:]):
                    continue
                left_out = sometimes.difference(entered)
                if (access.in_hook and path[0] not in entered) or not left_out.isdisjoint(path):
                    continue
                if key not in run.accesses and _for_rows(entry, run, kind, access):
                    continue
                if any(b not in entered and self._by_template(a, b) for a, b in pairwise(path)):
                    continue
                counted.add(key)
                expected += 1
                if key in run.accesses:
                    shown += 1
                else:
                    unseen.append(_unseen(name, kind, access))
        return covered, expected, shown, unseen

    def _by_template(self, caller: str, callee: str) -> bool:
        """Whether only the templates that a function renders call another, as far as is known."""
        function = self._program.functions.get(caller)
        events = function.events if function is not None else ()
        renders = {(each.line, each.column) for each in events if each.kind == "render"}
        calls = {(e.line, e.column) for e in events if e.kind == "call" and e.target == callee}
        return bool(calls) and calls <= renders

    def _is_covered(self, run: EntryRun, entry: EntryPoint) -> bool:
        """Whether its handler ran whole, and with it all functions that nothing else entered."""
        names = {self._found.name(code) for code in run.entered}
        handlers = self._handlers(entry)
        if not handlers <= names:
            return False
        return all(
            self._ran_whole(run, code)
            for code in run.entered
            if self._found.entered_by[code] == 1 or self._found.name(code) in handlers
        )

    def _handlers(self, entry: EntryPoint) -> set[str]:
        """The function that handles it, or the methods of its class; not the guards around."""
        roots = {self._found.plain(root) for root in entry.roots}
        own = {each for each in roots if each.startswith(f"{entry.handler}.")}
        return own or {self._found.plain(entry.handler)}

    def _ran_whole(self, run: EntryRun, code: Code) -> bool:
        return all((code, arm) in run.taken for arm in range(self._recorded.arms.get(code, 0)))

    # -- merging ----------------------------------------------------------------------------------

    def _merge_calls(self) -> tuple[int, int]:
        """Count the calls on their edges; (pairs seen, of which predicted)."""
        counts: Counter[tuple[str, str, bool]] = Counter()
        lines: dict[tuple[str, str], Code] = {}
        for entry in self._recorded.entries.values():
            for call, count in entry.calls.items():
                caller, callee = self._found.name(call.caller), self._found.name(call.callee)
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

    def _merge_accesses(self, run: EntryRun) -> None:
        entry = self._program.entry_points.get(run.name)
        if entry is None:
            return
        seen: dict[Kind, dict[str, Seen]] = defaultdict(dict)
        for (kind, table), access in run.accesses.items():
            seen[kind][table] = access
            self._merge_edge(entry, kind, table, access)
        self._program.entry_points[run.name] = msgspec.structs.replace(
            entry,
            reads=_merged(entry.reads, seen["read"]),
            writes=_merged(entry.writes, seen["write"]),
        )

    def _merge_edge(self, entry: EntryPoint, kind: Kind, table: str, access: Seen) -> None:
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

    # -- files ------------------------------------------------------------------------------------

    def _merge_files(self) -> tuple[int, int, list[Hole]]:
        """Accesses to files seen, of which predicted, and the others, which state knows from now.

        Reads count in folders that files are kept in: elsewhere they are templates and settings.
        """
        kept = {finding.path for finding in self._program.state if finding.path}
        kept |= {
            folder
            for run in self._runs.values()
            for kind, folder in run.files
            if kind == "write" and not _within(folder, kept)
        }
        seen = predicted = 0
        holes = []
        for run in self._runs.values():
            entry = self._program.entry_points.get(run.name)
            for (kind, folder), access in run.files.items():
                if not _within(folder, kept):
                    continue
                seen += 1
                if entry is not None and self._is_predicted(entry, kind, folder):
                    predicted += 1
                    continue
                holes.append(_hole(run.name, kind, "", access, entry is not None, folder=folder))
        for hole in holes:
            self._keep_files(hole)
        return seen, predicted, holes

    def _is_predicted(self, entry: EntryPoint, kind: Kind, folder: str) -> bool:
        functions = set(entry.functions)
        return any(
            functions.intersection(
                finding.writers if kind == "write" else (*finding.writers, *finding.readers)
            )
            for finding in self._program.state
            if _lies_in(folder, finding)
        )

    def _keep_files(self, hole: Hole) -> None:
        """Have the state say who reads or writes a folder, as it was seen."""
        state, who = self._program.state, hole.path[-1]
        at = next((i for i, each in enumerate(state) if _lies_in(hole.folder, each)), -1)
        known = state[at] if at >= 0 else None
        finding = known or StateFinding(
            kind="local-file",
            name=who,
            file=hole.file,
            line=hole.line,
            detail="seen while it ran",
            path=hole.folder,
        )
        writers = {*finding.writers, *((who,) if hole.kind == "write" else ())}
        readers = {*finding.readers, *((who,) if hole.kind == "read" else ())}
        finding = msgspec.structs.replace(
            finding, writers=tuple(sorted(writers)), readers=tuple(sorted(readers))
        )
        if known is None:
            state.append(finding)
        else:
            state[at] = finding


def _for_rows(entry: EntryPoint, run: EntryRun, kind: Kind, access: Access) -> bool:
    """Whether it only happens to rows that a cascade found: it looked, and nothing followed."""
    if access.via.startswith("cascade "):
        return kind == "write" and ("read", access.table) in run.accesses
    return access.via.startswith("eager ") and any(
        each.via.startswith("cascade ") and (each.file, each.line) == (access.file, access.line)
        for each in entry.reads
    )


def _lies_in(folder: str, finding: StateFinding) -> bool:
    """Whether a folder is that of a finding: of an index wherever a setting may have put it."""
    if not finding.path:
        return False
    if _within(folder, {finding.path}):
        return True
    return finding.kind == "index" and finding.path.rpartition("/")[2] in folder.split("/")


def _within(folder: str, paths: Iterable[str]) -> bool:
    return any(folder == path or folder.startswith(f"{path}/") for path in paths)


def _tables(entry: EntryPoint, kind: Kind) -> set[str]:
    return {access.table for access in (entry.reads if kind == "read" else entry.writes)}


def _predictions(entry: EntryPoint) -> Iterable[tuple[Kind, Access]]:
    for access in entry.writes:
        yield "write", access
    for access in entry.reads:
        yield "read", access


def _hole(
    name: str, kind: Kind, table: str, access: Seen, known: bool, *, folder: str = ""
) -> Hole:
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
        folder=folder,
    )


def _unseen(name: str, kind: Kind, access: Access) -> Unseen:
    return Unseen(
        entry_point=name,
        kind=kind,
        table=access.table,
        file=access.file,
        line=access.line,
        via=access.via,
    )


def _merged(accesses: tuple[Access, ...], seen: dict[str, Seen]) -> tuple[Access, ...]:
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
