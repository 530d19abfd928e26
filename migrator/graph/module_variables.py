"""Names of modules and class bodies that hold something changeable, and who changes it."""

from __future__ import annotations

from migrator.facts import ir
from migrator.graph.analysis import Analysis, ModuleVariable, Mutation
from migrator.graph.linking.definitions import Function
from migrator.graph.linking.linker import Linker
from migrator.graph.linking.values import Kind


def find_module_variables(analysis: Analysis, linker: Linker) -> None:
    """Names of modules and class bodies that hold something changeable, and who changes it."""
    values = linker.values
    changeable = (Kind.CONTAINER, Kind.INSTANCE, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE)
    names_of: dict[int, list[str]] = {}
    for module in linker.modules.values():
        if module.facts is None:
            continue
        lines: dict[str, int] | None = None
        for name, variable in module.names.items():
            held = tuple(
                value for value in linker.values_of(variable) if values.kinds[value] in changeable
            )
            if not held:
                continue
            if lines is None:
                lines = _bound_lines(module.facts.facts.names, module.functions[0])
            dotted = f"{module.name}.{name}"
            line = lines.get(name, lines[""])
            analysis.module_variables.append(ModuleVariable(dotted, module.file, line, held))
            for value in held:
                if values.kinds[value] == Kind.CONTAINER:
                    names_of.setdefault(value, []).append(dotted)
    for container, places in linker.mutations.items():
        for function_index, index, how in places:
            function = linker.functions[function_index]
            code = function.facts.code[index]
            line = code[ir.FLAGS[code[0]] + 1]
            for dotted in names_of.get(container, ()):
                analysis.mutations.append(
                    Mutation(dotted, function.name, function.module.file, line, how)
                )
    _rebound(analysis, linker)


def _bound_lines(names: tuple[str, ...], body: Function) -> dict[str, int]:
    """The line near which a module binds a name: that of the first place before it.

    Under "" the last line of its code, for names that are bound otherwise.
    """
    found: dict[str, int] = {}
    line = 1
    for code in body.facts.code:
        position = ir.FLAGS.get(code[0])
        if position is not None:
            line = code[position + 1]
        elif code[0] in (ir.COPY, ir.IMPORT) and code[1] < 0:
            found.setdefault(names[~code[1]], line)
    found[""] = line
    return found


def _rebound(analysis: Analysis, linker: Linker) -> None:
    """Functions that assign a module's name through `global`."""
    copy = ir.COPY
    for function in linker.functions:
        facts = function.facts
        if facts.parent < 0 or function.module.facts is None or not facts.refs:
            continue
        names = function.module.facts.facts.names
        targets = [code[1] for code in facts.code if code[0] == copy and code[1] < 0]
        owners = (facts.refs[~each] for each in dict.fromkeys(targets))
        for name in dict.fromkeys(names[local] for owner, local in owners if owner == -1):
            dotted = f"{function.module.name}.{name}"
            analysis.mutations.append(
                Mutation(dotted, function.name, function.module.file, facts.line, "global")
            )
