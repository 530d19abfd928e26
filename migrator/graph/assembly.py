"""From the settled linker to the program's functions and classes, and the edges of the graph."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from migrator.facts import ir
from migrator.facts.project import absolute
from migrator.graph.analysis import Analysis
from migrator.graph.held_types import Types
from migrator.graph.imports import imported_module
from migrator.graph.linking.definitions import Function, Variant
from migrator.graph.linking.linker import Linker
from migrator.graph.module_variables import find_module_variables
from migrator.graph.receivers import Receivers, State
from migrator.graph.roots import all_started
from migrator.model import program as model
from migrator.model.graph import EdgeKind, NodeKind

_KINDS: tuple[model.ParameterKind, ...] = (
    "positional-only",
    "positional",
    "var-positional",
    "keyword",
    "var-keyword",
)


def assemble(analysis: Analysis, linker: Linker) -> None:
    """Fill functions, variants, classes, modules, imports, and what could not be resolved."""
    _modules(analysis, linker)
    _classes(analysis, linker)
    _functions(analysis, linker)
    find_module_variables(analysis, linker)
    program = analysis.program
    for name, places in sorted(linker.environment.items()):
        known = program.environment.setdefault(name, [])
        known[:] = sorted({*known, *places})
    for (reason, function, file, line), detail in linker.unresolved.items():
        program.unresolved.append(
            model.Unresolved(reason=reason, function=function, file=file, line=line, detail=detail)
        )
    program.unresolved.sort(key=lambda each: (each.file, each.line, each.reason, each.detail))


# -- modules and classes --------------------------------------------------------------------------


def _modules(analysis: Analysis, linker: Linker) -> None:
    graph, program, facts = analysis.graph, analysis.program, linker.facts
    program.modules = {module.name: module.file for module in facts.modules.values()}
    program.source_roots = list(facts.source_roots)
    program.lines = facts.lines
    program.digest, program.beside = facts.digests
    program.files = facts.files
    program.skipped = list(facts.skipped)
    program.tests = list(facts.tests)
    outside: dict[str, dict[str, None]] = {}
    for module in facts.modules.values():
        graph.add_node(NodeKind.MODULE, module.name, module.file, 1)
    for module in facts.modules.values():
        source = graph.add_node(NodeKind.MODULE, module.name)
        for each in module.facts.imports:
            base = absolute(module, each.level, each.module)
            if base is None or not _exists(linker, base, each.name):
                written = f"{'.' * each.level}{each.module}.{each.name}".rstrip(".")
                program.unresolved.append(
                    model.Unresolved(
                        reason="unknown import",
                        function=module.name,
                        file=module.file,
                        line=each.line,
                        detail=written,
                    )
                )
            if base is None:
                continue
            target = imported_module(module, each, facts.modules)
            if target is not None:
                node = graph.add_node(NodeKind.MODULE, target)
                graph.add_edge(EdgeKind.IMPORTS, source, node, module.file, each.line)
            elif each.level == 0 and base.partition(".")[0] not in linker.tops:
                outside.setdefault(base.partition(".")[0], {})[module.name] = None
    program.distributions = {name: sorted(used) for name, used in sorted(outside.items())}


def _exists(linker: Linker, base: str, name: str) -> bool:
    """Whether an import of the project's own names something that is there."""
    if base.partition(".")[0] not in linker.tops:
        return True
    module = linker.modules.get(base)
    if module is None:
        return False
    return (
        name in ("", "*")
        or linker.module_attribute(module, name) is not None
        or "__getattr__" in module.names
    )


def _classes(analysis: Analysis, linker: Linker) -> None:
    graph, program = analysis.graph, analysis.program
    names = linker.values.names
    for class_ in linker.classes:
        file, line = class_.module.file, class_.facts.line
        node = graph.add_node(NodeKind.CLASS, class_.name, file, line)
        order = linker.order(class_.value)
        program.classes[class_.name] = tuple(
            dict.fromkeys(names[each] for each in order[1:] if names[each] != class_.name)
        )
        for group in class_.bases:
            for base in group:
                known = linker.class_of_value.get(base)
                if known is not None:
                    target = graph.add_node(
                        NodeKind.CLASS, known.name, known.module.file, known.facts.line
                    )
                else:
                    target = graph.add_node(NodeKind.EXTERNAL, names[base])
                graph.add_edge(EdgeKind.INHERITS, node, target, file, line)


# -- functions ------------------------------------------------------------------------------------


def _functions(analysis: Analysis, linker: Linker) -> None:
    by_name: dict[str, list[Function]] = {}
    nodes: list[int] = []
    for function in linker.functions:
        by_name.setdefault(function.name, []).append(function)
        node = analysis.graph.add_node(
            NodeKind.FUNCTION, function.name, function.module.file, function.facts.line
        )
        nodes.append(node)
    linker.receivers = receivers = _receivers(analysis, linker)
    linker.homonyms = _homonyms(by_name)
    linker.special = _special_variants(linker, receivers)
    program = analysis.program
    types = Types(linker)
    for name, functions in by_name.items():
        variants = [each for function in functions for each in function.variants.values()]
        states = [State(each.id, None) for each in variants]
        program.functions[name] = _function(types, functions, variants, _events(linker, states))
        told_apart = [each for each in states if each.variant in linker.special]
        told_apart += [each for v in variants for each in receivers.of(v.id)]
        for key, same in _grouped(linker, told_apart):
            own = [linker.variants[each.variant] for each in same]
            defined = list(dict.fromkeys(each.function for each in own))
            program.variants[key] = _function(types, defined, own, _events(linker, same))
            for each in own:
                place = f"{name}[{each.label}]" if each.label else name
                analysis.variants_at.setdefault(place, set()).add(key)
        _edges(analysis, linker, variants, nodes)
        _unresolved_calls(analysis, linker, functions)
    for key, provided in analysis.provided.items():
        given = provided.make()
        program.variants[key] = given
        known = program.functions.setdefault(given.name, given)
        both = tuple(dict.fromkeys((*known.events, *given.events)))
        program.functions[given.name] = msgspec.structs.replace(known, events=both)
        analysis.graph.add_node(NodeKind.FUNCTION, given.name, given.file, given.line)


def _receivers(analysis: Analysis, linker: Linker) -> Receivers:
    """Methods apart by class, below all entry points."""
    engine = linker.foreign.engine
    provided = [each for one in analysis.provided.values() for each in one.calls]
    values = [*all_started(analysis), *provided]
    roots = [state for each in values for state in engine.running(each)[0]]
    return Receivers(linker, roots)


def _homonyms(by_name: dict[str, list[Function]]) -> dict[int, str]:
    """What tells functions of one name apart: a property's getter does not what its setter does."""
    return {
        function.index: f"definition {number}"
        for functions in by_name.values()
        if len(functions) > 1
        if any(v.effects or v.calls for each in functions for v in each.variants.values())
        for number, function in enumerate(functions, 1)
    }


def _grouped(linker: Linker, states: list[State]) -> Iterator[tuple[str, list[State]]]:
    groups: dict[str, list[State]] = {}
    for each in states:
        groups.setdefault(linker.key_of(*each), []).append(each)
    yield from groups.items()


def _calls(variant: Variant, receivers: Receivers) -> Iterator[tuple[int, int, int]]:
    """What a variant calls itself: place, function, and class of receiver where that counts."""
    variants = receivers.variants
    for index in variant.calls:
        for called, receiver in receivers.called(State(variant.id, None), index):
            yield index, variants[called].function.index, -1 if receiver is None else receiver


def _special_variants(linker: Linker, receivers: Receivers) -> set[int]:
    """The variants that act differently from all variants of their function taken together."""
    special: set[int] = set()
    callers: dict[int, list[int]] = {}
    for variant in linker.variants:
        for callees in variant.calls.values():
            for callee in callees:
                callers.setdefault(callee, []).append(variant.id)
    for function in linker.functions:
        if function.index in linker.homonyms:
            special.update(each.id for each in function.variants.values())
        if len(function.variants) < 2:
            continue
        does = {
            variant.id: (
                {(index, each) for index, effects in variant.effects.items() for each in effects},
                set(_calls(variant, receivers)),
            )
            for variant in function.variants.values()
        }
        effects = set().union(*(each[0] for each in does.values()))
        calls = set().union(*(each[1] for each in does.values()))
        special.update(key for key, each in does.items() if each != (effects, calls))
    waiting = list(special)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in special and len(linker.variants[caller].function.variants) > 1:
                special.add(caller)
                waiting.append(caller)
    return special


def _events(linker: Linker, states: list[State]) -> tuple[model.Event, ...]:
    """Calls and effects of all those states, in source order, each once."""
    assert linker.receivers is not None
    found: dict[model.Event, tuple[int, int, int]] = {}
    for state in states:
        variant = linker.variants[state.variant]
        for index in variant.calls:
            for called in linker.receivers.called(state, index):
                name, key = linker.variants[called.variant].function.name, linker.key_of(*called)
                label = key if key != name else ""
                event = _event(variant, index, "call", name, variant_label=label)
                found.setdefault(event, (variant.function.index, index, 1))
        for index, effects in variant.effects.items():
            for kind, name, columns, via, operation in effects:
                event = _event(
                    variant, index, kind, name, columns=columns, via=via, operation=operation
                )
                found.setdefault(event, (variant.function.index, index, 0))
    if len(found) < 2:
        return tuple(found)
    return tuple(sorted(found, key=lambda event: (*found[event], *_order_at_a_place(event))))


def _order_at_a_place(event: model.Event) -> tuple[bool, str, str]:
    """A place that writes and commits does so in this order."""
    return event.kind in ("commit", "rollback"), event.target, event.kind


def _event(
    variant: Variant,
    index: int,
    kind: model.EventKind,
    target: str,
    *,
    variant_label: str = "",
    columns: tuple[str, ...] = (),
    via: str = "",
    operation: model.Operation = "",
) -> model.Event:
    code = variant.function.facts.code[index]
    position = ir.FLAGS.get(code[0])
    if position is None:
        line = variant.function.facts.line
        flags, place = ir.USED, (line, 0, line, 0)
    else:
        flags, place = code[position], code[position + 1 : position + 5]
    if code[0] == ir.ATTRIBUTE:
        flags |= ir.USED
    return model.Event(
        kind=kind,
        target=target,
        line=place[0],
        column=place[1],
        end_line=place[2],
        end_column=place[3],
        via=via,
        columns=columns,
        operation=operation,
        in_loop=bool(flags & ir.IN_LOOP),
        conditional=bool(flags & ir.CONDITIONAL),
        result_used=bool(flags & ir.USED),
        handled=bool(flags & ir.HANDLED),
        variant=variant_label,
    )


def _function(
    types: Types,
    functions: list[Function],
    variants: list[Variant],
    events: tuple[model.Event, ...],
) -> model.Function:
    first = functions[0]
    facts = first.facts
    own = [each for each in variants if each.function is first]
    parameters = tuple(
        model.Parameter(
            name=each.name,
            kind=_KINDS[each.kind],
            default=each.has_default,
            types=types.of(v.base + each.variable for v in own),
        )
        for each in facts.parameters
    )
    if facts.flags & ir.GENERATOR:
        held = types.of(v.base + ir.YIELDED for v in own)
        returns = tuple(f"list[{each}]" for each in held)
    else:
        returns = types.of(v.base + ir.RETURNED for v in own)
    return model.Function(
        name=first.name,
        file=first.module.file,
        line=facts.line,
        end_line=facts.end_line,
        parameters=parameters,
        returns=returns,
        raises=tuple(sorted({name for each in variants for name in each.raises})),
        decorators=facts.decorators,
        is_generator=bool(facts.flags & ir.GENERATOR),
        is_async=bool(facts.flags & ir.ASYNC),
        events=events,
    )


def _edges(analysis: Analysis, linker: Linker, variants: list[Variant], nodes: list[int]) -> None:
    graph = analysis.graph
    add_edge, all_variants = graph.add_edge, linker.variants
    for variant in variants:
        file = variant.function.module.file
        source = nodes[variant.function.index]
        code = variant.function.facts.code
        for index, callees in variant.calls.items():
            line = _line(variant, code[index])
            for callee in callees:
                target = nodes[all_variants[callee].function.index]
                add_edge(EdgeKind.CALLS, source, target, file, line)
        for index, classes in variant.instances.items():
            line = _line(variant, code[index])
            for class_value in classes:
                target = graph.add_node(NodeKind.CLASS, linker.values.names[class_value])
                add_edge(EdgeKind.INSTANTIATES, source, target, file, line)


def _line(variant: Variant, instruction: ir.Instruction) -> int:
    place = ir.place_of(instruction)
    return int(place[0]) if place else variant.function.facts.line


def _unresolved_calls(analysis: Analysis, linker: Linker, functions: list[Function]) -> None:
    """Calls of something about which nothing at all is known, in any variant."""
    held, call = linker.held, ir.CALL
    for function in functions:
        calls = [
            (index, code)
            for index, code in enumerate(function.facts.code)
            if code[0] == call and code[2] is not None
        ]
        variants = list(function.variants.values()) if calls else []
        for index, code in calls:
            callee = code[2]
            for each in variants:
                variable = each.base + callee if callee >= 0 else each.refs[~callee]
                if held[variable] is not None or index in each.calls:
                    break
            else:
                reason = "unknown decorator" if code[6] & ir.DECORATES else "unknown callee"
                analysis.program.unresolved.append(
                    model.Unresolved(
                        reason=reason,
                        function=function.name,
                        file=function.module.file,
                        line=code[7],
                        detail=_written(function, callee),
                    )
                )


def _written(function: Function, variable: int) -> str:
    """How the callee is written, as far as one instruction tells."""
    if variable < 0:
        owner, local = function.facts.refs[~variable]
        facts = function.module.facts
        return facts.facts.names[local] if owner == -1 and facts is not None else ""
    for code in function.facts.code:
        if code[0] == ir.ATTRIBUTE and code[1] == variable:
            return f".{code[3]}"
    return ""
