"""Programs as a few lines of text, so that tests of the plan stage need no analysis.

table members shop/members/models.py
table orders shop/orders/models.py -> members
def shop.orders.services.place(member: members) -> orders raises shop.errors.Refused
  insert orders
  commit
  call shop.members.services.touch
  used call shop.members.services.limit
  loop call shop.mail.services.send
  maybe call shop.mail.services.remind   # under a condition
  or call shop.mail.services.warn        # in place of the call before: one of both is called
  emit placed
hook shop.members.hooks.seen
route POST /orders orders.place shop.orders.views.place
signal placed shop.mail.receivers.on_placed
command seed shop.cli.seed
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.model.graph import Graph
from migrator.model.program import (
    Access,
    Column,
    EntryPoint,
    Event,
    Function,
    Parameter,
    Program,
    Relationship,
    Route,
    Table,
    Transaction,
)

_DEF = re.compile(r"def (\S+)\((.*?)\)(?: -> (\S+))?(?: raises (\S+))?(?: (generator))?$")


def model_of(table: str) -> str:
    """The dotted model that a table of a sketch is mapped to."""
    return f"models.{table.title().replace('_', '')}"


def sketch(text: str) -> Graph:
    """The graph of a sketched program."""
    program = Program(root="/sketch", digest="sketch")
    heads: list[tuple[list[str], int]] = []
    bodies: dict[str, list[Event]] = {}
    current = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        if raw.startswith("table "):
            _head(program, raw.split(), number, ())
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#")[0].rstrip()
        if not line.strip():
            continue
        if line.strip().startswith("def "):
            current = _declare(program, line.strip(), number)
            bodies[current] = []
        elif line.startswith("      ") and current:
            words = line.split()
            if words[0] == "or":
                before = bodies[current][-1]
                bodies[current].append(_event(words[1:], before.line))
            else:
                bodies[current].append(_event(words, number))
        else:
            heads.append((line.split(), number))
    for name, events in bodies.items():
        function = program.functions[name]
        program.functions[name] = _with_events(function, events)
    hooks = tuple(words[1] for words, _ in heads if words[0] == "hook")
    for words, number in heads:
        _head(program, words, number, hooks)
    for name in list(program.entry_points):
        program.entry_points[name] = _with_effects(program, program.entry_points[name])
    return Graph(program)


def _file_of(function: str) -> str:
    return function.rpartition(".")[0].replace(".", "/") + ".py"


def _declare(program: Program, line: str, number: int) -> str:
    found = _DEF.match(line)
    assert found, line
    name, parameters, returns, raises, generator = found.groups()
    program.modules[name.rpartition(".")[0]] = _file_of(name)
    given = []
    for each in filter(None, (part.strip() for part in parameters.split(","))):
        label, _, kind = each.partition(": ")
        types = (model_of(kind) if kind in program.tables else kind,) if kind else ()
        given.append(Parameter(name=label, types=types))
    back = model_of(returns) if returns in program.tables else returns
    program.functions[name] = Function(
        name=name,
        file=_file_of(name),
        line=number,
        end_line=number + 9,
        parameters=tuple(given),
        returns=(back,) if back else (),
        raises=(raises,) if raises else (),
        is_generator=bool(generator),
    )
    return name


def _event(words: list[str], number: int) -> Event:
    used, loop, maybe = ("used" in words, "loop" in words, "maybe" in words)
    words = [word for word in words if word not in ("used", "loop", "maybe")]
    verb, target = words[0], words[1] if len(words) > 1 else ""
    target, _, columns = (
        target.partition(".")
        if verb in _WRITES or verb == "read"
        else (
            target,
            "",
            "",
        )
    )
    kind = "write" if verb in _WRITES else verb
    return Event(
        kind=kind,  # type: ignore[arg-type]
        target=target,
        line=number,
        operation=verb if verb in _WRITES else "",  # type: ignore[arg-type]
        columns=(columns,) if columns else (),
        result_used=used,
        in_loop=loop,
        conditional=maybe or loop,
        via="cascade" if "cascade" in words else "",
    )


_WRITES = ("insert", "update", "delete")


def _with_events(function: Function, events: list[Event]) -> Function:
    import msgspec

    return msgspec.structs.replace(function, events=tuple(events))


def _head(program: Program, words: list[str], number: int, hooks: tuple[str, ...]) -> None:
    if words[0] == "table" and words[1] not in program.tables:
        references = [w for w in words[3:] if w != "->"]
        program.tables[words[1]] = Table(
            name=words[1],
            file=words[2],
            line=number,
            model=model_of(words[1]),
            columns=(
                Column(name="id", primary_key=True),
                *(Column(name=f"{r}_id", references=f"{r}.id") for r in references),
            ),
            relationships=tuple(Relationship(name=r, target=model_of(r)) for r in references),
        )
        program.classes[model_of(words[1])] = ()
    elif words[0] == "route":
        _, methods, rule, endpoint, handler = words
        route = Route(rule=rule, methods=tuple(methods.split(",")))
        program.entry_points[f"route:{endpoint}"] = EntryPoint(
            name=f"route:{endpoint}",
            kind="route",
            handler=handler,
            file=_file_of(handler),
            line=number,
            endpoint=endpoint,
            routes=(route,),
            hooks=hooks,
        )
    elif words[0] in ("signal", "command", "task", "process", "schedule"):
        kind, trigger, handler = words
        name = f"{kind}:{handler if kind == 'signal' else trigger}"
        program.entry_points[name] = EntryPoint(
            name=name,
            kind=kind,  # type: ignore[arg-type]
            handler=handler,
            file=_file_of(handler),
            line=number,
            trigger=trigger,
        )


def _with_effects(program: Program, entry: EntryPoint) -> EntryPoint:
    import msgspec

    reads: dict[tuple[str, bool], Access] = {}
    writes: dict[tuple[str, bool], Access] = {}
    functions: set[str] = set()
    transactions: dict[tuple[tuple[str, ...], int], Transaction] = {}
    for root in (*entry.hooks, entry.handler):
        hook = root != entry.handler
        pending: set[str] = set()
        for path, event in _flat(program, root, ()):
            function = program.functions[path[-1]]
            functions.add(function.name)
            if event.kind in ("read", "write"):
                access = Access(
                    table=event.target,
                    path=path,
                    file=function.file,
                    line=event.line,
                    operation=event.operation,
                    in_hook=hook,
                )
                found = reads if event.kind == "read" else writes
                found.setdefault((event.target, hook), access)
                if event.kind == "write":
                    pending.add(event.target)
            elif event.kind == "commit":
                tables = tuple(sorted(pending))
                transactions.setdefault(
                    (tables, event.line),
                    Transaction(tables=tables, file=function.file, line=event.line),
                )
                pending.clear()
    return msgspec.structs.replace(
        entry,
        reads=tuple(reads.values()),
        writes=tuple(writes.values()),
        functions=tuple(sorted(functions)),
        transactions=tuple(t for t in transactions.values() if t.tables),
    )


def _flat(
    program: Program, name: str, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Event]]:
    path = (*path, name)
    for event in program.functions[name].events:
        yield path, event
        targets = [event.target] if event.kind == "call" else []
        if event.kind == "emit":
            targets = [
                e.handler
                for e in program.entry_points.values()
                if e.kind == "signal" and e.trigger == event.target
            ]
        for target in targets:
            if target in program.functions and target not in path:
                yield from _flat(program, target, path)
