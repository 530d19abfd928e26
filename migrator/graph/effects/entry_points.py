"""What each entry point does: tables with evidence, hooks, transactions, functions, templates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable

import msgspec

from migrator.graph.analysis import Analysis, Pass
from migrator.graph.effects.closure import Closure, Evidence
from migrator.graph.effects.control import Sources, TreeBuilder, block_ends
from migrator.graph.effects.enforcement import find_enforcement
from migrator.graph.effects.mapping import SCANNED
from migrator.graph.effects.refreshes import add_refreshes
from migrator.graph.effects.state import find_state
from migrator.graph.effects.transactions import (
    Block,
    Branch,
    Calls,
    Commit,
    Summary,
    summaries,
    transactions,
)
from migrator.graph.roots import all_started, handlers_of, roots_of
from migrator.model.graph import Confidence, EdgeKind, NodeKind
from migrator.model.program import Access, EntryPoint, Event, Transaction

_COMMIT_ON_TEARDOWN = re.compile(r"SQLALCHEMY_COMMIT_ON_TEARDOWN['\"\]]*\s*[=:]\s*True")


def complete_entry_points(analysis: Analysis) -> None:
    """Fill in the accesses, transactions, functions and hooks of all entry points.

    Adds the edges from entry points and functions to tables, topics and handlers to the graph.
    """
    _add_context(analysis)
    _close_blocks(analysis)
    closure = Closure(analysis.program)
    _drop_started_by_requests(analysis, closure)
    work = _Transactions(analysis, closure)
    entries = analysis.program.entry_points
    for name in sorted(entries):
        entries[name] = _completed(analysis, closure, work, entries[name])
    analysis.program.entry_points = dict(sorted(entries.items()))
    _add_edges(analysis)


def _add_context(analysis: Analysis) -> None:
    """Put the request context that functions read and write into them and their variants."""
    program = analysis.program
    for functions in (program.functions, program.variants):
        for key, function in functions.items():
            reads = analysis.context_reads.get(function.name, set())
            writes = analysis.context_writes.get(function.name, set())
            if reads or writes:
                functions[key] = msgspec.structs.replace(
                    function,
                    context_reads=tuple(sorted({*function.context_reads, *(reads - writes)})),
                    context_writes=tuple(sorted({*function.context_writes, *writes})),
                )


def _close_blocks(analysis: Analysis) -> None:
    """`with session.begin():` commits where its block ends: add that event."""
    sources = Sources(analysis.root)
    program = analysis.program
    for functions in (program.functions, program.variants):
        for key, function in functions.items():
            begins = [event for event in function.events if event.kind == "begin"]
            if not begins:
                continue
            body = sources.body(function)
            ends = [
                Event(
                    kind="commit",
                    line=end[0],
                    column=end[1],
                    end_line=end[0],
                    end_column=end[1],
                    via="with",
                )
                for end in block_ends(body or (), begins)
            ]
            events = list(function.events)
            for end in ends:
                after = (index for index, event in enumerate(events) if event.line > end.line)
                events.insert(next(after, len(events)), end)
            functions[key] = msgspec.structs.replace(function, events=tuple(events))


def _drop_started_by_requests(analysis: Analysis, closure: Closure) -> None:
    """A thread that an entry point starts is part of that; only others run by themselves."""
    roots = [
        root
        for name in analysis.handlers
        if name not in analysis.starters
        for root in handlers_of(analysis, name)
    ]
    started = closure.reachable(roots)
    for name, starter in analysis.starters.items():
        if starter in started:
            analysis.program.entry_points.pop(name, None)


def _completed(
    analysis: Analysis, closure: Closure, work: _Transactions, entry: EntryPoint
) -> EntryPoint:
    handlers = list(handlers_of(analysis, entry.name))
    if not handlers and entry.handler in analysis.provided:
        handlers = [entry.handler]
        name = closure.name(entry.handler)
        entry = msgspec.structs.replace(entry, handler=name)
    if not handlers and entry.handler in analysis.program.functions:
        handlers = [entry.handler]
    hooks = tuple(dict.fromkeys(analysis.around.get(entry.name, ())))
    hook_roots = {hook: roots_of(analysis, hook) for hook in hooks}
    around = [root for roots in hook_roots.values() for root in roots]
    own = closure.evidence(handlers)
    outer = closure.evidence(around)
    names = {closure.name(root) for root in around}
    before = [
        r for h, rs in hook_roots.items() if h not in analysis.after | analysis.aside for r in rs
    ]
    after = [root for hook, roots in hook_roots.items() if hook in analysis.after for root in roots]
    reached = closure.reachable([*handlers, *around])
    templates = {each for name in reached for each in analysis.rendered.get(name, ())}
    return msgspec.structs.replace(
        entry,
        templates=tuple(sorted({*entry.templates, *templates})),
        hooks=tuple(sorted({*entry.hooks, *names})),
        reads=_accesses(own, outer, "read"),
        writes=_accesses(own, outer, "write"),
        transactions=work.of_entry(entry, before, handlers, after),
        roots=tuple(dict.fromkeys(handlers)),
        hook_roots=tuple(dict.fromkeys(around)),
        functions=tuple(sorted(reached)),
    )


def _accesses(
    own: dict[tuple[str, str, str], Evidence],
    outer: dict[tuple[str, str, str], Evidence],
    kind: str,
) -> tuple[Access, ...]:
    """One access a table and operation: the handler's own before those of hooks."""
    found: dict[tuple[str, str], Access] = {}
    for in_hook, evidence in ((False, own), (True, outer)):
        for (each, table, operation), place in evidence.items():
            if each == kind:
                found.setdefault((table, operation), _access(place, in_hook))
    return tuple(found[key] for key in sorted(found))


def _access(place: Evidence, in_hook: bool) -> Access:
    event = place.event
    return Access(
        table=event.target,
        path=place.path,
        file=place.file,
        line=event.line,
        via=event.via,
        columns=event.columns,
        operation=event.operation,
        confidence="likely" if event.via == SCANNED else "proven",
        in_hook=in_hook,
    )


def _all_roots(analysis: Analysis) -> list[str]:
    """The keys of all that runs for entry points, and around them."""
    engine = analysis.engine
    assert engine is not None
    roots = [key for each in all_started(analysis) for key in engine.runs(each)]
    return [*roots, *(entry.handler for entry in analysis.program.entry_points.values())]


class _Transactions:
    """The transactions of entry points, from the summaries of all functions that matter."""

    def __init__(self, analysis: Analysis, closure: Closure) -> None:
        self._closure = closure
        self._tables: dict[str, int] = {}
        self._names: list[str] = []
        self._ends = _commits_at_end(analysis)
        bodies = self._bodies(analysis)
        self._summaries: dict[Hashable, Summary] = summaries(bodies)

    def _bodies(self, analysis: Analysis) -> dict[Hashable, Block]:
        """The trees of the functions that write or end transactions, themselves or by calls.

        Of those that entry points reach: nothing else asks for their transactions.
        """
        closure = self._closure
        program = analysis.program
        reached = closure.reachable_keys(_all_roots(analysis))
        keys = [key for key in (*program.functions, *program.variants) if key in reached]
        if not any(closure.writes(key) for key in keys):
            return {}  # nothing to commit
        matters = {
            key
            for key in keys
            if closure.writes(key) or closure.commits(key) or closure.rolls_back(key)
        }

        def callees(event: Event) -> tuple[Hashable, ...]:
            target = closure.target(event)
            return (target,) if target in matters else ()

        sources = Sources(analysis.root)
        bodies: dict[Hashable, Block] = {}
        for key in keys:
            function = closure.function(key)
            if key in matters and function is not None:
                builder = TreeBuilder(function, callees, self._bit)
                bodies[key] = builder.build(sources.body(function))
        return bodies

    def _bit(self, table: str) -> int:
        known = self._tables.get(table)
        if known is None:
            known = self._tables[table] = 1 << len(self._names)
            self._names.append(table)
        return known

    def _summary(self, key: Hashable) -> Summary:
        return self._summaries.get(key) or Summary()

    def of_entry(
        self,
        entry: EntryPoint,
        before: Iterable[str],
        handlers: Iterable[str],
        after: Iterable[str],
    ) -> tuple[Transaction, ...]:
        """The transactions of one entry point, hooks included, in order of place."""
        arms = tuple((Calls((handler,)),) for handler in handlers)
        sequence: Block = (
            *(Branch(((Calls((hook,)),), ())) for hook in before),
            *((Branch(arms),) if arms else ()),
            *(Branch(((Calls((hook,)),), ())) for hook in after),
        )
        end = self._ends if entry.kind == "route" else None
        found = transactions(sequence, self._summary, commits_at_end=end)
        return tuple(
            Transaction(
                tables=tuple(
                    sorted(name for index, name in enumerate(self._names) if mask >> index & 1)
                ),
                file=place.file,
                line=place.line,
                function=place.function,
            )
            for mask, place in found
        )


def _commits_at_end(analysis: Analysis) -> Commit | None:
    """Where it is configured that every request ends with a commit (Flask-SQLAlchemy 2)."""
    if not any("flask" in name.lower() for name in analysis.program.distributions):
        return None
    for file in analysis.program.modules.values():
        path = analysis.root / file
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        match = _COMMIT_ON_TEARDOWN.search(text)
        if match is not None:
            return Commit("", file, text.count("\n", 0, match.start()) + 1)
    return None


def _add_edges(analysis: Analysis) -> None:
    graph, program = analysis.graph, analysis.program
    for name, table in program.tables.items():
        node = graph.add_node(NodeKind.TABLE, name, table.file, table.line)
        for column in table.columns:
            referred = column.referred
            if referred in program.tables:
                owner = program.tables[referred]
                other = graph.add_node(NodeKind.TABLE, referred, owner.file, owner.line)
                graph.add_edge(EdgeKind.REFERENCES, node, other, table.file, table.line)
    for function in program.functions.values():
        for event in function.events:
            if event.kind in ("read", "write", "emit"):
                _add_effect(analysis, function.name, function.file, function.line, event)
    for entry in program.entry_points.values():
        node = graph.add_node(NodeKind.ENTRY_POINT, entry.name, entry.file, entry.line)
        if entry.handler:
            kind = NodeKind.FUNCTION if entry.handler in program.functions else NodeKind.CLASS
            handler = graph.add_node(kind, entry.handler, entry.file, entry.line)
            graph.add_edge(EdgeKind.HANDLES, node, handler, entry.file, entry.line)
        for template in entry.templates:
            target = graph.add_node(
                NodeKind.TEMPLATE, template, program.templates.get(template, "")
            )
            graph.add_edge(EdgeKind.RENDERS, node, target, entry.file, entry.line)


def _add_effect(analysis: Analysis, name: str, file: str, line: int, event: Event) -> None:
    graph = analysis.graph
    source = graph.add_node(NodeKind.FUNCTION, name, file, line)
    if event.kind == "emit":
        topic = graph.add_node(NodeKind.TOPIC, event.target)
        kind = EdgeKind.ENQUEUES if event.via == "enqueue" else EdgeKind.EMITS
        graph.add_edge(kind, source, topic, file, event.line)
        return
    table = graph.add_node(NodeKind.TABLE, event.target)
    kind = EdgeKind.READS if event.kind == "read" else EdgeKind.WRITES
    confidence = Confidence.LIKELY if event.via == SCANNED else Confidence.PROVEN
    graph.add_edge(kind, source, table, file, event.line, confidence)


PASSES: tuple[Pass, ...] = (add_refreshes, complete_entry_points, find_state, find_enforcement)
"""What follows once frameworks have put in what they found, in this order."""
