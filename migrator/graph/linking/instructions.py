"""What each instruction of the facts becomes: values, edges and watchers of a variant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.facts.project import absolute
from migrator.graph.linking import calling, items, operators, stated_types
from migrator.graph.linking.definitions import Class, Module, Variant
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

Operation = Callable[["Linker", Variant, int, ir.Instruction], None]


def _copy(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    linker.flow(variant.variable(ins[2]), variant.variable(ins[1]))


def _constant(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    value = ins[2]
    if type(value) is str:
        made = linker.values.string(value)
    else:
        made = linker.values.number(value)
    items.set_to(linker, variant, ins[1], made)


def _type(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    items.set_to(linker, variant, ins[1], linker.values.external_instance(ins[2]))


def _function(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    function = variant.function.module.functions[ins[2]]
    env = variant if function.captures else None
    identity = function.index if env is None else (function.index, env.id)
    value = linker.values.function(function.name, identity)
    linker.function_of_value[value] = (function, env)
    for parameter in function.facts.parameters:
        if parameter.default is not None:
            known = function.defaults.setdefault(
                parameter.name, linker.slot("default", value, parameter.name)
            )
            linker.flow(variant.variable(parameter.default), known)
        if parameter.annotation is not None and parameter.name not in function.annotations:
            typed = stated_types.annotated(linker, variant, parameter.annotation)
            if typed is not None:
                function.annotations[parameter.name] = typed
    if function.facts.returns is not None and function.returns is None:
        function.returns = stated_types.annotated(linker, variant, function.facts.returns)
    if env is None or not variant.label:
        linker.later.append((function, env))
    items.set_to(linker, variant, ins[1], value)


def _class(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    class_ = variant.function.module.classes[ins[2]]
    facts = class_.facts
    first_time = class_.owner is None
    if first_time:
        class_.owner = variant
        linker.forget_lookups()
    for name, local, _, _ in facts.attributes:
        known = class_.attributes.get(name)
        if known is None:
            class_.attributes[name] = variant.variable(local)
        else:
            linker.flow(variant.variable(local), known)
    for name, keyword in facts.keywords:
        if keyword is not None:
            class_.keywords.setdefault(name, variant.variable(keyword))
    given = calling.Arguments((), tuple((n, class_.keywords.get(n)) for n, _ in facts.keywords))
    for position, base in enumerate(facts.bases):
        if base is not None:
            data = (variant, index, given, position)
            linker.watch(variant.variable(base), _add_base(linker, class_), data)
    if first_time and "metaclass" in class_.keywords:
        linker.watch(class_.keywords["metaclass"], linker.on_metaclass, (variant, index, class_))
    items.set_to(linker, variant, ins[1], class_.value)


def _add_base(linker: Linker, class_: Class) -> Callable[[int, Any], None]:
    def watcher(value: int, data: tuple[Variant, int, calling.Arguments, int]) -> None:
        variant, index, given, position = data
        kind = linker.values.kinds[value]
        if kind in (
            Kind.CLASS,
            Kind.EXTERNAL,
            Kind.EXTERNAL_INSTANCE,
            Kind.OPAQUE,
            Kind.BOUND,
        ):
            linker.add_base(class_, position, value)
            linker.foreign.class_has_base(class_)
        if kind == Kind.CLASS:
            hook = linker.class_attribute_variable(value, "__init_subclass__")
            if hook is not None:
                place = (variant, index, class_.value, given, NOWHERE, True)
                linker.watch(hook, linker.on_method, place)
            for meta in linker.metaclasses(value):
                linker.on_metaclass(meta, (variant, index, class_))

    return watcher


def _attribute(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    base = ins[2]
    variable = variant.base + base if base >= 0 else variant.refs[~base]
    linker.watch(variable, linker.on_load, (variant, index, ins[3], variant.base + ins[1]))


def _set_attribute(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    source = variant.variable(ins[3]) if ins[3] is not None else None
    linker.watch(variant.variable(ins[1]), linker.on_store, (variant, index, ins[2], source))


def _call(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    callee = ins[2]
    if callee is not None:
        linker.watch(variant.variable(callee), linker.on_call, (variant, index))
    if ins[6] & ir.DECORATES:
        linker.decorations.append((variant.variable(ins[3][0]), variant.base + ins[1]))


def _import(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    _, target, level, name, attribute = ins
    variable = variant.variable(target)
    module = variant.function.module
    assert module.facts is not None
    whole = absolute(module.facts, level, name)
    if whole is None:
        return
    known = linker.modules.get(whole)
    if not attribute:
        if known is not None:
            linker.put(variable, known.value)
        elif whole.partition(".")[0] not in linker.tops:
            linker.flow(linker.external_variable(whole), variable)
        return
    if known is not None:
        _import_from(linker, variant, variable, known, attribute)
    elif whole.partition(".")[0] not in linker.tops:
        linker.flow(linker.external_variable(f"{whole}.{attribute}"), variable)


def _import_from(
    linker: Linker, variant: Variant, variable: int, module: Module, attribute: str
) -> None:
    found = linker.module_attribute(module, attribute)
    submodule = linker.modules.get(f"{module.name}.{attribute}")
    if submodule is not None and (found is None or found == variable):
        linker.put(variable, submodule.value)
    elif found is not None:
        linker.flow(found, variable)
        if submodule is not None and found == module.names.get(attribute):
            # The package may bind the name only by importing the submodule elsewhere.
            linker.flow(linker.slot("module", submodule.name), variable)
            if not linker.values_of(found):
                linker.put(linker.slot("module", submodule.name), submodule.value)
    elif module.facts is None or "__getattr__" not in module.names:
        linker.flow(linker.field(module.value, attribute), variable)


def _raise(linker: Linker, variant: Variant, index: int, ins: ir.Instruction) -> None:
    linker.watch(variant.variable(ins[1]), operators.raiser(linker), (variant, index))


OPERATIONS: list[Operation] = [
    _copy,
    _constant,
    _type,
    _function,
    _class,
    items.sequence,
    items.mapping,
    items.collect,
    _attribute,
    _set_attribute,
    items.item,
    items.set_item,
    items.slice_,
    _call,
    operators.iterate,
    _import,
    _raise,
    operators.unpack,
    operators.enter,
    operators.operate,
    operators.format_text,
    operators.catch,
    stated_types.annotated_variable,
    operators.compare,
    operators.receive,
    operators.delegate,
    stated_types.narrow,
]
"""By code of the instruction, see `migrator.facts.ir`."""
